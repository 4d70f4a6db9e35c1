"""The evidence on sparse annotation: slices that were left out, each once, patients as units."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.read import Candidate
from tests.house.scripts import ROOT, script

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
SHAPE = (7, 40, 36)


@pytest.fixture(scope="module")
def sparse() -> ModuleType:
    return script(ROOT / "benchmarks" / "sparse.py")


@pytest.fixture(scope="module")
def settings(sparse: ModuleType) -> Any:
    return sparse._settings(sparse.PLANES, (), fold=1)


def patient(flipped: bool) -> Candidate:
    """Two frames of a heart whose slices all differ; `flipped` stores its base first."""
    labels = np.zeros((2, *SHAPE), np.uint8)
    for z in range(SHAPE[0]):
        labels[:, z, 10 : 20 + z, 8 : 20 + z] = MYO
        labels[:, z, 12 : 18 + z, 10 : 18 + z] = LV
        labels[:, z, 12:18, 2:8] = RV
    voxels = np.random.default_rng(0).random(labels.shape).astype(np.float32)
    affine = np.diag([-9.0 if flipped else 9.0, 1.5, 1.5, 1.0])
    if flipped:
        affine[0, 3] = 9.0 * (SHAPE[0] - 1)
    geometry = Geometry(SHAPE, affine[[2, 1, 0, 3]])
    study = Study(
        id="patient003",
        modality=Modality.MR,
        images={View.SAX: Image(voxels, geometry)},
        sources={View.SAX: ()},
    )
    truth = {View.SAX: Segmentation(labels, geometry, (LV, MYO, RV))}
    return Candidate(
        id="patient003",
        layout="test",
        path=Path(),
        load=lambda: study,
        reference=lambda: truth,
    )


@pytest.mark.parametrize("flipped", [False, True])
def test_slices_that_were_left_out_are_scored_and_no_others(
    sparse: ModuleType, settings: Any, flipped: bool
) -> None:
    """A network that finds nothing in the last slices: what was left out among them counts."""
    one = patient(flipped)
    image = one.load().images[View.SAX]
    sample = settings.preparation.sample(image)
    truth = one.reference()[View.SAX].labels if one.reference else None
    assert truth is not None
    classes = {structure: number for number, structure in enumerate(settings.classes())}
    shown = [sample.frame_labels(truth[frame]) for frame in range(2)]
    answers = iter(shown)
    out = [settings.sparse.left_out(f"patient003/{frame}", SHAPE[0]) for frame in range(2)]

    def look(_pixels: Any) -> Any:
        labels = next(answers).copy()
        labels[4:] = 0  # to the end, or refinement would draw what lies between
        found = np.zeros((SHAPE[0], 4, *labels.shape[1:]), np.float32)
        for structure, number in classes.items():
            found[:, number] = labels == structure
        return found

    stacks = list(sparse._stacks(look, settings, one))
    assert [(stack.frame, stack.structure) for stack in stacks] == [
        (frame, key) for frame in (0, 1) for key in ("lv", "myo", "rv")
    ]
    for stack in stacks:
        assert stack.slices == int(out[stack.frame].sum())
        assert stack.slices + stack.annotated == SHAPE[0]
        lost = out[stack.frame] & (np.arange(SHAPE[0]) > 3)
        assert (stack.jaccard > 0.93) == (not lost.any())
        assert stack.jaccard <= stack.dice


def stack(sparse: ModuleType, case: str, structure: str, dice: float, fold: int = 0) -> Any:
    return sparse.Stack(
        model="3-D U-Net",
        configuration="c",
        fold=fold,
        case=case,
        frame=0,
        structure=structure,
        slices=3,
        annotated=6,
        dice=dice,
        jaccard=dice / (2 - dice),
    )


def test_a_patient_counts_once_and_rows_say_how_they_were_made(
    sparse: ModuleType, settings: Any
) -> None:
    stacks = [stack(sparse, "p1", "lv", 0.9), stack(sparse, "p1", "myo", 0.7)]
    stacks += [stack(sparse, "p2", "lv", 0.5)] * 3
    about = sparse._about("3-D U-Net", sparse.VOLUMES, settings, ())
    rows = {(r.measure[:4], r.structure): r for r in sparse._rows(stacks, about, "1")}
    assert rows["Dice", "mean"].value == f"{(0.8 + 0.5) / 2:.4g}"
    assert rows["Dice", "lv"].value == "0.7"
    assert rows["IoU ", "myo"].runs == "1"
    assert (rows["Dice", "lv"].split, rows["Dice", "lv"].model) == ("fold 1", "3-D U-Net")
    planes = settings.learning.batch * settings.schedule.steps
    assert about["images_seen"] == str(planes)


def test_all_slices_are_told_together_when_each_was_left_out_once(
    sparse: ModuleType, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_module = sparse.append.__globals__
    monkeypatch.setitem(rows_module, "RESULTS", tmp_path)
    monkeypatch.setattr(sparse, "RESULTS", tmp_path)
    about = {**sparse._about("3-D U-Net", sparse.VOLUMES, settings, ()), "configuration": "c"}
    for fold in range(3):
        mine = [stack(sparse, case, "lv", 0.6 + 0.1 * fold, fold) for case in ("p1", "p2")]
        sparse.append("sparse/folds-cases", mine)
        sparse.append("sparse/folds", list(sparse._rows(mine, about, str(fold))))
        sparse._pool("3-D U-Net", about)
        assert sparse._done(about, str(fold))
    assert not sparse._done({**about, "model": "2-D U-Net"}, "0")
    pooled = [row for row in sparse.read(tmp_path / "sparse/folds.csv") if row.split == "fold 0-2"]
    assert [(row.structure, row.value) for row in pooled][:2] == [("lv", "0.7"), ("mean", "0.7")]


def test_the_three_networks_are_on_equal_terms(sparse: ModuleType) -> None:
    seen = set()
    for name, (file, changes) in sparse.NETWORKS.items():
        one = sparse._settings(file, changes, fold=2)
        seen.add(sparse._about(name, file, one, ())["images_seen"])
        assert one.sparse == replace(one.sparse, folds=3, fold=2)
        assert one.split.patients == sparse.PATIENTS
        assert not one.validate_on
    assert len(seen) == 1
