import pytest

from heartseg.core.study import Body, Modality
from heartseg.measure.conventions import ACDC, Convention
from heartseg.measure.ranges import reference

WOMAN = Body(sex="F", age_years=60.0)
MAN = Body(sex="M", age_years=60.0)


def test_women_and_men_have_their_own_ranges():
    assert reference("lv_edv_ml", WOMAN, Modality.MR, ACDC) == ((80.0, 175.0), None)
    assert reference("lv_edv_ml", MAN, Modality.MR, ACDC) == ((93.0, 232.0), None)
    assert reference("lv_ef", MAN, Modality.MR, ACDC) == ((0.48, 0.68), None)


def test_ejection_fraction_and_mass_follow_from_the_abstracts_mean_and_sd():
    for key, body, mean, sd, digits in (
        ("lv_ef", WOMAN, 0.61, 0.05, 2),
        ("lv_ef", MAN, 0.58, 0.05, 2),
        ("lv_mass_g_per_m2", WOMAN, 42.0, 7.0, 0),
        ("lv_mass_g_per_m2", MAN, 53.0, 9.0, 0),
    ):
        expected = (round(mean - 1.96 * sd, digits), round(mean + 1.96 * sd, digits))
        assert reference(key, body, Modality.MR, ACDC)[0] == expected


@pytest.mark.parametrize("age", [45.0, 74.9])
def test_the_ages_of_the_source_are_in(age):
    body = Body(sex="F", age_years=age)

    assert reference("lv_ef", body, Modality.MR, ACDC)[0] is not None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (Body(age_years=60.0), "sex not known"),
        (Body(sex="F"), "age not known"),
        (Body(sex="F", age_years=44.9), "none on file for this age"),
        (Body(sex="F", age_years=75.0), "none on file for this age"),
        (Body(sex="M", age_years=17.9), "under 18"),
        (Body(sex="M", age_years=float("nan")), "none on file for this age"),
    ],
)
def test_without_a_match_there_is_no_range_but_a_reason(body, reason):
    interval, why = reference("lv_edv_ml", body, Modality.MR, ACDC)

    assert interval is None
    assert reason in str(why)


def test_other_modalities_and_conventions_get_none():
    assert "CT" in str(reference("lv_ef", WOMAN, Modality.CT, ACDC)[1])
    in_mass = Convention(papillary_in_cavity=False)
    assert "papillary" in str(reference("lv_ef", WOMAN, Modality.MR, in_mass)[1])


def test_an_rv_without_outflow_tract_gets_none():
    interval, why = reference("rv_edv_ml", WOMAN, Modality.MR, ACDC)

    assert interval is None
    assert "outflow tract" in str(why)


def test_what_is_not_on_file_says_so():
    assert reference("lv_wall_max_mm", WOMAN, Modality.MR, ACDC) == (None, "no range on file")
