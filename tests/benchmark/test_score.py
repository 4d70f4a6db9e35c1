"""Patients are judged by what the run looks for: a scar may stand for the muscle that it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
from heartseg.benchmark.score import patients_of, score
from heartseg.prepare import Preparation
from heartseg.train.settings import RunSettings
from tests.benchmark.tiny import write_phantoms


def nothing(pixels: Any) -> Any:
    """A network that finds background alone."""
    answer = np.zeros((len(pixels), 3, *pixels.shape[2:]), np.float32)
    answer[:, 0] = 1
    return answer


def test_what_is_taken_for_another_is_scored_as_it(tmp_path: Path) -> None:
    write_phantoms(tmp_path / "phantoms", (2, 3, 5))
    labels = '[labels]\n1 = "rv"\n2 = "scar"\n3 = "lv"\n'
    (tmp_path / "phantoms" / "labels.toml").write_text(labels, encoding="utf-8")
    settings = RunSettings(
        name="scarred",
        folder="phantoms",
        structures=("lv", "myo"),
        taken_for={"scar": "myo"},
        validate_on=(),
        preparation=Preparation(spacing_mm=4.0, stride=8, field_px=64),
    )
    patients = patients_of(settings, tmp_path, ("test",))
    found = score(nothing, settings, patients, ())
    assert {row.structure for row in found.cases} == {"lv", "myo"}
    assert (found.confusion[1:, 0] > 0).all()  # muscle was there, and was missed
    assert found.confusion[:, 1:].sum() == 0
