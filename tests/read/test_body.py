import math

import pytest

from heartseg.core.study import Body, View
from heartseg.measure.study import measure_study
from heartseg.read import published_labels, read_study
from heartseg.read.body import age_from_dicom, body_of
from heartseg.read.dicom_study import body_of_header
from tests import doors

BOUNDS = "is outside 30 to 250 cm: not used; give it with --height-cm"


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        ({"height_cm": "170.5"}, 170.5),
        ({"height_cm": " 170 "}, 170.0),
        ({"height_m": "1.705"}, 170.5),
        ({"height_m": 1.83}, 183.0),
        ({"height_cm": 30}, 30.0),
        ({"height_m": "2.5"}, 250.0),
        ({"height_cm": None}, None),
        ({"height_m": ""}, None),
    ],
)
def test_a_height_in_bounds_is_used_in_centimetres_with_its_source(stated, value):
    body, notes = body_of(**stated, source="a chart")
    assert body.height_cm == value
    assert body.sources == ({} if value is None else {"height_cm": "a chart"})
    assert not notes


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"height_cm": "1.75"}, f"height 1.75 cm {BOUNDS}"),  # metres by mistake
        ({"height_m": "175"}, f"height 175 m (17500 cm) {BOUNDS}"),  # centimetres by mistake
        ({"height_m": "69"}, f"height 69 m (6900 cm) {BOUNDS}"),  # inches
        ({"height_cm": "0"}, "height 0 cm means that it was not asked: not used"),
        ({"height_m": 0.0}, "height 0 m means that it was not asked: not used"),
        ({"height_cm": "-170"}, f"height -170 cm {BOUNDS}"),
        ({"height_cm": "nan"}, "height nan is not a number: not used"),
        ({"height_cm": math.inf}, "height inf is not a number: not used"),
        ({"height_cm": "1,75"}, "height '1,75' is not a number: not used"),
        ({"height_cm": "5'9\""}, "is not a number: not used"),
        ({"height_cm": "70in"}, "height '70in' is not a number: not used"),
        ({"height_cm": "1_70"}, "height '1_70' is not a number"),
        ({"height_cm": "\u0661\u0667\u0660"}, "height is text, not a number"),
        ({"height_cm": "1e999"}, "height '1e999' is not a number"),
    ],
)
def test_any_other_height_is_told_as_found_and_never_used(stated, said):
    body, notes = body_of(**stated)
    assert body.height_cm is None
    assert said in notes[0]
    assert body.not_used["height_cm"] == notes[0]
    assert "--height-cm" in notes[0]


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("weight_kg", "180lb", "--weight-kg"),
        ("weight_kg", "95000", "--weight-kg"),
        ("age_years", "300", "--age"),
        ("age_years", "-3", "--age"),
        ("heart_rate_bpm", "1.2", "--heart-rate"),
        ("sex", "O", "--sex"),
    ],
)
def test_every_refused_value_names_the_option_that_answers_it(name, value, option):
    body, notes = body_of(**{name: value})
    assert body == Body()
    assert list(body.not_used) == [name]
    assert notes[0].endswith(f"not used; give it with {option}")


def test_text_where_a_number_belongs_is_not_repeated_for_it_may_name_a_person():
    body, notes = body_of(height_cm="Jane Roe", sex="Jane Roe")
    assert body == Body()
    assert not any("Jane" in note for note in notes)


def header(**facts: str) -> tuple[Body, tuple[str, ...]]:
    return body_of_header(facts)


def test_a_dicom_header_counts_in_metres_and_an_info_file_in_centimetres(tmp_path):
    body, notes = header(PatientSize="1.75", PatientWeight="80", PatientSex="F", PatientAge="057Y")
    assert body == Body(sex="F", age_years=57.0, height_cm=175.0, weight_kg=80.0)
    assert set(body.sources.values()) == {"DICOM header"}
    assert not notes
    body = read_study(doors.write_patient(tmp_path / "patient001")).body
    assert (body.height_cm, body.sources["height_cm"]) == (180.0, "Info.cfg")


@pytest.mark.parametrize(
    ("facts", "age"),
    [
        ({"PatientBirthDate": "19500615", "StudyDate": "20100614"}, 59.0),
        ({"PatientBirthDate": "19500615", "StudyDate": "20100615"}, 60.0),
        ({"PatientBirthDate": "19500615", "StudyDate": ""}, None),
        ({"PatientBirthDate": "20110101", "StudyDate": "20100615"}, None),
        ({"PatientAge": "6O", "PatientBirthDate": "19500615", "StudyDate": "20100614"}, 59.0),
    ],
)
def test_age_comes_from_the_dates_and_no_date_is_kept(facts, age):
    body, notes = header(**facts)
    assert body.age_years == age
    assert "1950" not in repr((body, notes))
    assert "2010" not in repr((body, notes))


def test_an_age_that_is_none_is_told():
    body, notes = header(PatientAge="57")  # years or months?
    assert body.age_years is None
    assert notes == ("age '57, no DICOM age' is not a number: not used; give it with --age",)
    assert age_from_dicom("018M") == 1.5


def test_what_is_better_known_wins_and_answers_what_was_refused():
    file, _ = body_of(height_cm="1.75", weight_kg="70", source="Info.cfg")
    table, _ = body_of(height_cm="176", source="table b.csv")
    option, _ = body_of(height_cm="177", source="option")
    both = file.under(table)
    assert both == Body(height_cm=176.0, weight_kg=70.0)
    assert both.sources == {"height_cm": "table b.csv", "weight_kg": "Info.cfg"}
    assert not both.not_used
    assert file.under(table.under(option)).height_cm == 177.0
    assert file.under(Body()).not_used == file.not_used


def test_indexed_findings_are_null_with_the_reason(tmp_path):
    patient = doors.write_patient(tmp_path / "patient001")
    info = patient / "Info.cfg"
    info.write_text(info.read_text().replace("180.0", "1.80"))
    study = read_study(patient)
    measured = measure_study(study, published_labels(patient, study) or {})
    findings = {finding.key: finding for finding in measured.findings}
    for key in ("lv_edv_ml_per_m2", "lv_mass_g_per_m2", "bsa_m2"):
        assert findings[key].value is None
        assert findings[key].problem == f"height 1.8 cm {BOUNDS}"
    assert findings["lv_edv_ml"].value is not None
    assert View.SAX in study.images
