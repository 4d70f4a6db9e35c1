"""Sets compared: before, after, and how near one can come; files that tell it."""

import csv
import json

import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.provenance import Provenance
from heartseg.prepare import Preparation
from heartseg.train.translate.anatomy_report import (
    AnatomyReport,
    Distance,
    Pool,
    frechet_of,
    histogram_of,
)
from heartseg.train.translate.judges import Line, Thresholds
from heartseg.train.translate.outlines import Shown
from heartseg.train.translate.report_files import save_report

RANDOM = np.random.default_rng(5)


def pool(shift: float, images: int = 10) -> Pool:
    """Images of grey about `shift`, two planes of features each."""
    return Pool(
        [RANDOM.normal(shift, 0.01, 500).astype(np.float32) for _ in range(images)],
        [RANDOM.normal(shift, 1, (2, 5)) for _ in range(images)],
    )


def test_distances_tell_what_was_gained_and_what_can_be() -> None:
    made, source, target = pool(0.4), pool(0.1), pool(0.5)
    found = histogram_of(made, source, target)
    assert found.after == pytest.approx(0.1, abs=0.01)
    assert found.before == pytest.approx(0.4, abs=0.01)
    assert found.floor == pytest.approx(0, abs=0.01)
    far = frechet_of(pool(1), pool(5), pool(0))
    assert far.before > 5 * far.after > 0
    assert far.floor is not None
    assert far.floor < far.before


def test_what_cannot_be_said_has_its_reason() -> None:
    assert "no folder" in histogram_of(pool(0), pool(0), None).problem
    assert "no folder" in frechet_of(pool(0), pool(0), None).problem
    bare = Pool(pool(0).intensities)
    assert "no model" in frechet_of(bare, bare, bare).problem
    few = frechet_of(pool(0, 2), pool(0, 2), pool(0, 2))
    assert few.after is None
    assert "at least 8" in few.problem
    assert frechet_of(pool(0), pool(0), pool(0, 5)).floor is None  # halves of 4 and 6 planes


def test_halves_of_a_target_share_no_image() -> None:
    whole = pool(0, 5)
    halves = [whole.half(0), whole.half(1)]
    assert [len(half.features) for half in halves] == [3, 2]
    kept = [id(one) for half in halves for one in (*half.intensities, *half.features)]
    assert len(set(kept)) == len(kept)


def test_a_pool_keeps_prepared_pixels() -> None:
    geometry = Geometry.from_pixels((2, 12, 16), (8.0, 1.5, 1.5))
    voxels = RANDOM.integers(100, 900, (2, 2, 12, 16))
    kept = Pool()
    kept.add(Image(voxels, geometry), [1], Preparation(stride=4), None)
    (values,) = kept.intensities
    assert values.size == 2 * 12 * 16
    assert (values.min(), values.max()) == (0, 1)
    assert kept.features == []


def report(name: str = "heart1") -> AnatomyReport:
    lines = (
        Line(
            study=name, patient="p1", frame=0, judged_by="labels",
            dice_target=0.5, moved_px=2.0, structures={"lv": 0.5}, rejected="Dice 0.500 <b>",
        ),
        Line(
            study="heart2", patient="p2", frame=0, judged_by="labels",
            dice_target=0.9, moved_px=0.25, structures={"lv": 0.9},
        ),
        Line(study="heart2", patient="p2", frame=1, judged_by="labels", dice_target=0.7),
    )  # fmt: skip
    return AnatomyReport(
        lines=lines,
        failed=(("heart3", "no contrast"),),
        thresholds=Thresholds(),
        histogram=Distance(after=0.1, before=0.4, floor=0.02),
        frechet=Distance(problem="no model"),
        features={},
        models={"target": {"name": "m", "version": "1", "sha256": "0"}},
        translator={"name": "t", "version": "1", "sha256": "1", "method": "fastcut"},
        provenance=Provenance(version="1", created="now"),
    )


def test_images_are_counted_and_means_leave_out_what_nobody_said() -> None:
    found = report()
    assert (found.images, found.rejected) == (2, ["heart1"])
    means = found.means()
    assert means["dice_target"] == pytest.approx(0.7)
    assert means["moved_px"] == pytest.approx(1.125)
    assert means["dice_back"] is None


def test_files_tell_it_and_escape_what_strangers_wrote(tmp_path) -> None:
    hostile = "=heart<script>"
    shown = [Shown(hostile, 0, b"png", "why", -9.5), Shown("heart2", 0, b"png", "", 0.9)]
    save_report(report(hostile), shown, tmp_path)
    rows = list(csv.DictReader((tmp_path / "anatomy.csv").read_text().splitlines()))
    assert [row["study"] for row in rows] == ["'" + hostile, "heart2", "heart2"]
    assert [row["dice_lv"] for row in rows] == ["0.5", "0.9", ""]
    assert rows[0]["rejected"].startswith("Dice")
    told = json.loads((tmp_path / "anatomy.json").read_text())
    assert (told["images"], told["accepted"], told["rejected"]) == (2, 1, [hostile])
    assert told["failed"] == [{"study": "heart3", "reason": "no contrast"}]
    assert len(told["frames"]) == 3
    page = (tmp_path / "anatomy.html").read_text()
    assert "1 of 2 images keep their anatomy" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "heart3" in page
    assert page.index("&lt;script&gt;, frame 0") < page.index("heart2, frame 0")  # the worst first
