import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.errors import FormatError
from heartseg.core.finding import Report
from heartseg.core.study import Phases, View
from heartseg.report.json_file import json_text, load_report

KEYS = [
    *("study", "modality", "views", "model", "phases", "findings", "quality", "strategy", "body"),
    *("conventions", "landmarks", "curves", "slices", "segments", "interval_level"),
    *("interval_covers", "provenance"),
]


def said(report: Report) -> dict:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} in the file")

    return json.loads(json_text(report), parse_constant=refuse)


def test_keys_stand_in_the_order_of_the_design(report: Report) -> None:
    content = said(report)
    assert list(content) == KEYS
    assert list(content["model"]) == ["name", "version", "sha256", "licence", "precision"]
    assert list(content["findings"][0]) == [
        *("key", "name", "value", "unit", "interval", "reference", "problem", "code")
    ]
    assert list(content["quality"]) == ["verdict", "reasons"]
    assert list(content["slices"][0]) == ["position_mm", "areas_mm2"]


def test_the_members_of_an_ensemble_are_named_and_read_back(report: Report, tmp_path: Path) -> None:
    members = tuple(replace(report.model, name=name, sha256=name * 64) for name in "ab")
    together = replace(report.model, name="ensemble of 2: a, b", sha256=None, members=members)
    made = replace(report, model=together)
    assert [one["sha256"] for one in said(made)["model"]["members"]] == ["a" * 64, "b" * 64]
    assert list(said(made)["model"]["members"][0]) == list(said(report)["model"])
    (tmp_path / "report.json").write_text(json_text(made), encoding="utf-8")
    assert load_report(tmp_path / "report.json") == made


def test_values_are_those_of_the_report(report: Report) -> None:
    content = said(report)
    assert content["phases"] == {"sax": {"ed": 1, "es": 3, "rv_es": 2, "how": "detected"}}
    assert content["findings"][2]["value"] == 0.5432
    assert content["findings"][2]["code"]["value"] == "8811-2"
    assert content["findings"][1]["value"] is None
    assert content["findings"][1]["problem"] == "height not known"
    assert content["body"]["height_cm"] is None


def test_a_missing_own_end_systole_of_the_rv_is_left_out(report: Report) -> None:
    without = replace(report, phases={View.SAX: Phases(ed=0, es=None, how="given")})
    assert said(without)["phases"] == {"sax": {"ed": 0, "es": None, "how": "given"}}


def test_reading_back_gives_the_same_report(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json_text(report), encoding="utf-8")
    assert load_report(path) == report


def test_what_is_not_finite_is_null_with_a_reason(report: Report) -> None:
    first = replace(report.findings[0], value=math.nan, interval=(1.0, math.inf))
    odd = replace(
        report,
        findings=(first,),
        curves={"lv_ml": (1.0, math.nan)},
        segments={"1": float("-inf")},
        interval_level=math.nan,
        provenance=replace(report.provenance, settings={"x": np.float32("nan")}),
    )
    content = said(odd)
    assert content["findings"][0]["value"] is None
    assert "finite" in content["findings"][0]["problem"]
    assert content["findings"][0]["interval"] is None
    assert content["curves"]["lv_ml"] == [1.0, None]
    assert content["segments"]["1"] is None
    assert content["provenance"]["settings"]["x"] is None


def test_settings_of_any_type_are_written_without_folders(report: Report) -> None:
    settings = {
        "path": Path("somebody/secret/case.nii.gz"),
        "array": np.arange(3),
        "number": np.float32(1.5),
        "view": View.SAX,
    }
    content = said(replace(report, provenance=replace(report.provenance, settings=settings)))
    assert content["provenance"]["settings"] == {
        "path": "case.nii.gz",
        "array": [0, 1, 2],
        "number": 1.5,
        "view": "sax",
    }


def test_hostile_text_loses_control_characters_and_surrogates(report: Report) -> None:
    odd = replace(report, study="a\x1b[31mb\ud800\u202ec\x00")
    text = json_text(odd)
    assert json.loads(text)["study"] == "a [31mb c"
    text.encode()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"study": NaN}', '{"study": "a"', "\u0000", '{"modality": "MR"}', "[" * 9999],
)
def test_what_is_no_report_is_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=r"odd\.json"):
        load_report(path)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_refused(
    constant: str, report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json_text(report).replace("0.5432", constant), encoding="utf-8")
    with pytest.raises(FormatError, match=f"{constant} is not a number"):
        load_report(path)


def test_an_unknown_view_is_refused(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json_text(report).replace('"sax"', '"sideways"'), encoding="utf-8")
    with pytest.raises(FormatError, match="sideways"):
        load_report(path)
