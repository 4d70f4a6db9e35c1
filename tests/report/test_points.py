"""Outlines of masks, and the tables of areas and contours."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.errors import GeometryError
from heartseg.core.finding import Report
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Source, Study, View
from heartseg.report.outputs import save_report
from heartseg.report.points import areas_csv, contours_csv
from tests.report.cases import FRAMES, LV, MYO, SHAPE, SPACING_MM


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_areas_are_counts_of_pixels_and_sum_to_the_volume(segmentation: Segmentation) -> None:
    found = rows(areas_csv(segmentation))
    assert len(found) == FRAMES * SHAPE[0] * 3
    (row,) = [r for r in found if (r["frame"], r["slice"], r["structure"]) == ("3", "2", "lv")]
    count = np.count_nonzero(segmentation.labels[3, 2] == LV)
    assert row["time_ms"] == "130.0"
    assert float(row["position_mm"]) == pytest.approx(2 * SPACING_MM[0])
    assert float(row["area_mm2"]) == pytest.approx(count * SPACING_MM[1] * SPACING_MM[2], abs=1e-3)
    of_myo = [float(r["area_mm2"]) for r in found if (r["frame"], r["structure"]) == ("1", "myo")]
    volume = np.count_nonzero(segmentation.labels[1] == MYO) * np.prod(SPACING_MM)
    assert sum(of_myo) * SPACING_MM[0] == pytest.approx(volume, rel=1e-6)
    assert of_myo[4] == 0.0  # looked for, not there


def test_points_lie_in_the_patient_half_way_to_the_neighbour(segmentation: Segmentation) -> None:
    labels = np.zeros_like(segmentation.labels)
    labels[2, 3, 20, 31] = LV
    found = rows(contours_csv(segmentation.like(labels)))
    assert [r["point"] for r in found] == ["0", "1", "2", "3"]
    assert {(r["frame"], r["slice"], r["structure"], r["ring"]) for r in found} == {
        ("2", "3", "lv", "0")
    }
    places = {tuple(float(r[f"{axis}_mm"]) for axis in "xyz") for r in found}
    index = [(3, 19.5, 31), (3, 20.5, 31), (3, 20, 30.5), (3, 20, 31.5)]
    wanted = {tuple(segmentation.geometry.point(i).round(4).tolist()) for i in index}
    assert places == wanted


def test_rings_are_counted_in_their_structure(segmentation: Segmentation) -> None:
    found = rows(contours_csv(segmentation))
    keys = {(r["structure"], r["ring"]) for r in found if (r["frame"], r["slice"]) == ("1", "0")}
    assert {("lv", "0"), ("myo", "0"), ("myo", "1")} <= keys
    assert ("lv", "1") not in keys


def test_frames_that_nobody_drew_and_times_that_nobody_knows(segmentation: Segmentation) -> None:
    part = replace(segmentation, covered=(1, 3), times_ms=None)
    for text in (areas_csv(part), contours_csv(part)):
        assert {(r["frame"], r["time_ms"]) for r in rows(text)} == {("1", ""), ("3", "")}


def test_pixels_without_millimetres_are_refused(segmentation: Segmentation) -> None:
    grid = Geometry.from_pixels(SHAPE)
    for write in (areas_csv, contours_csv):
        with pytest.raises(GeometryError, match="--spacing-mm"):
            write(replace(segmentation, geometry=grid))


def test_each_file_of_the_study_has_its_tables_with_its_own_frames(
    report: Report, study: Study, segmentation: Segmentation, tmp_path: Path
) -> None:
    sources = (
        Source(stem="ed", format="nifti", path=tmp_path / "ed.nii", frames=(1,)),
        Source(stem="rest", format="nifti", path=tmp_path / "rest.nii", frames=(3, 0)),
    )
    study = replace(study, sources={View.SAX: sources})
    masks = {View.SAX: segmentation}
    save_report(report, tmp_path, study=study, segmentations=masks, formats=["csv"])
    assert {path.name for path in tmp_path.iterdir()} == {
        *("ed_areas.csv", "ed_contours.csv", "rest_areas.csv", "rest_contours.csv")
    }
    found = rows((tmp_path / "rest_areas.csv").read_text())
    assert [r["time_ms"] for r in found[:: SHAPE[0] * 3]] == ["130.0", "0.0"]
    assert found == rows(areas_csv(segmentation.part((3, 0))))
