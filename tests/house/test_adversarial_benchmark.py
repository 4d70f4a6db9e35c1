"""Adversaries in training: equal runs, shifts whose truth stays, and their sums."""

from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heartseg.config import load
from heartseg.core.study import Phases, View
from heartseg.phantom import Acquisition, make_study
from tests.house.scripts import ROOT, script

pytest.importorskip("torch")
from heartseg.prepare import Preparation
from heartseg.train.settings import RunSettings

RUNS = ROOT / "runs" / "adversarial"


@pytest.fixture(scope="module")
def adversarial() -> ModuleType:
    return script(ROOT / "benchmarks" / "adversarial.py")


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    return script(ROOT / "benchmarks" / "adversarial_rows.py")


def test_runs_differ_in_their_adversaries_alone(rows: ModuleType) -> None:
    assert {path.stem for path in RUNS.glob("*.toml")} == set(rows.ARMS)
    plain, *others = (load(RunSettings, RUNS / f"{arm}.toml") for arm in rows.ARMS)
    assert not plain.loss.hardened
    for arm, mine in zip(rows.ARMS[1:], others, strict=True):
        bare = replace(mine.loss, perturbed=None, masks=None)
        assert replace(mine, name=plain.name, loss=bare) == plain
        assert (mine.loss.perturbed is not None) == (arm in ("perturbed", "both"))
        assert (mine.loss.masks is not None) == (arm in ("masks", "both"))
        assert not mine.validate_on
    assert others[2].loss.perturbed == others[0].loss.perturbed
    assert others[2].loss.masks == others[1].loss.masks


def test_shifts_are_disturbances_that_move_nothing(adversarial: ModuleType) -> None:
    known = {one.name: one for one in adversarial.DISTURBANCES}
    study, truth, _ = make_study(1, acquisition=Acquisition(frames=1, slices=3))
    scene = adversarial.Scene(study.images[View.SAX], (truth,))
    for name in adversarial.SHIFTS:
        other = known[name].of(scene, "p")
        assert other.truth is truth
        assert other.image.geometry.same_grid(scene.image.geometry)
        assert not np.array_equal(other.image.voxels, scene.image.voxels)
    assert adversarial.shift_name(adversarial.NONE) == "clean"


def test_a_patient_is_judged_by_the_truth_of_the_clean_image(adversarial: ModuleType) -> None:
    study, truth, _ = make_study(1, acquisition=Acquisition(frames=4, slices=3))
    study = replace(study, phases={View.SAX: Phases(ed=0, es=2, how="given")})
    candidate = SimpleNamespace(id="p", load=lambda: study, reference=lambda: {View.SAX: truth})
    settings = RunSettings(
        name="a", folder="-", preparation=Preparation(spacing_mm=None, stride=8, field_px=64)
    )

    def nothing(pixels: Any) -> Any:
        answer = np.zeros((len(pixels), 4, *pixels.shape[2:]), np.float32)
        answer[:, 0] = 1
        return answer

    read = adversarial.frames_of(candidate, settings)
    assert np.array_equal(read[1].labels, truth.labels[[0, 2]])
    found = list(adversarial.scored(nothing, settings, "p", read, adversarial.NONE))
    assert [one["phase"] for one in found] == ["ED"] * 3 + ["ES"] * 3
    assert {one["structure"] for one in found} == {"lv", "myo", "rv"}
    assert {one["dice"] for one in found} == {"0"}
    assert {one["hausdorff95_mm"] for one in found} == {""}


def lines(rows: ModuleType, dice: dict[str, tuple[float, float]], seed: str = "1") -> list[Any]:
    """Clean and two shifts of eight patients; the second shift 0.1 worse than the first."""
    shared = ("date", "commit", "hardware", "budget", "images_seen", "minutes")
    return [
        rows.Case(
            **dict.fromkeys(shared, "x"),
            split="test",
            seed=seed,
            arm=arm,
            case=f"p{patient}",
            shift=shift,
            phase="ED",
            structure=structure,
            dice=str(value + patient / 100),
            hausdorff95_mm="3.0",
        )
        for arm, (clean, shifted) in dice.items()
        for patient in range(8)
        for shift, value in (("clean", clean), ("one", shifted), ("two", shifted - 0.1))
        for structure in ("lv", "myo", "rv")
    ]


def test_what_is_lost_is_clean_less_shifted(rows: ModuleType) -> None:
    some = lines(rows, {"plain": (0.8, 0.5), "masks": (0.79, 0.6)})
    made = {(r.model, r.measure, r.shift, r.structure): r for r in rows.rows_of(some)}
    assert float(made["plain", "Dice lost", "shifted, all", "mean"].value) == pytest.approx(0.35)
    assert float(made["plain", "Dice lost", "two", "lv"].value) == pytest.approx(0.4)
    assert ("plain", "Dice lost", "clean", "lv") not in made
    more = made["masks", "Dice, less that of plain", "shifted, all", "mean"]
    assert float(more.value) == pytest.approx(0.1)
    assert float(more.p) == pytest.approx(2 / 2**8, rel=1e-3)
    assert float(more.holm) == pytest.approx(2 * float(more.p), rel=1e-3)  # clean is compared too
    less = made["masks", "Dice, less that of plain", "clean", "mean"]
    assert float(less.value) == pytest.approx(-0.01)
    assert made["plain", "HD95", "clean", "mean"].unit == "mm"


def test_only_seeds_that_all_arms_have_are_summed(rows: ModuleType) -> None:
    some = [
        *lines(rows, {"plain": (0.8, 0.5), "masks": (0.79, 0.6)}),
        *lines(rows, {"plain": (0.2, 0.1)}, seed="2"),
    ]
    (row,) = (
        r
        for r in rows.rows_of(some)
        if (r.model, r.measure, r.shift, r.structure) == ("plain", "Dice", "clean", "lv")
    )
    assert (row.seed, float(row.value)) == ("1", pytest.approx(0.835))


def test_the_page_has_a_column_for_each_shift(rows: ModuleType) -> None:
    from dataclasses import asdict

    tables = script(ROOT / "benchmarks" / "translation_tables.py")
    made = rows.rows_of(lines(rows, {"plain": (0.8, 0.5), "masks": (0.79, 0.6)}))
    text = tables.adversaries([asdict(row) for row in made])
    heads = text.splitlines()[2]
    assert "| one | two |" in heads
    (plain,) = (one for one in text.splitlines() if one.startswith("| plain |"))
    assert plain.endswith("| 0.535 | 0.435 |")
    assert "| both | not run |" in text
