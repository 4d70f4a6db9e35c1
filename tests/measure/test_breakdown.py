"""A breakdown says of each group and level what its own patients gave."""

import pytest

from heartseg.core.anatomy import Structure
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.breakdown import BIAS, CORRELATION, ERROR, MEAN, Score, breakdown, unit_of

GROUPS = {"p1": "DCM", "p2": "DCM", "p3": "NOR", "p4": "NOR"}
DICE = {"p1": 0.9, "p2": 0.8, "p3": 0.7, "p4": 0.5}
EFS = {"p1": (0.5, 0.4), "p2": (0.3, 0.4), "p3": (0.6, 0.5), "p4": (0.55, 0.5), "p5": (0.2, None)}


def row(case: str, phase: str, structure: Structure, level: str, dice: float) -> AgreementRow:
    return AgreementRow(
        case=case,
        frame=0,
        phase=phase,  # type: ignore[arg-type]
        structure=structure,
        level=level,  # type: ignore[arg-type]
        values={"dice": dice, "hausdorff95_mm": 10 * dice},
    )


@pytest.fixture(scope="module")
def scores() -> dict[tuple[str, ...], Score]:
    """LV as above, RV .1 lower; .2 lower at ES, .3 lower at the apex."""
    parts = ((Structure.LV_CAVITY, 0.0), (Structure.RV_CAVITY, 0.1))
    rows = [
        row(case, phase, part, level, dice - lower - 0.2 * (phase == "ES") - 0.3 * bool(level))
        for case, dice in DICE.items()
        for phase in ("ED", "ES")
        for part, lower in parts
        for level in ("", "apex")
    ]
    pairs = {case: ({"lv_ef": a}, {"lv_ef": b}) for case, (a, b) in EFS.items()}
    found = breakdown(rows, pairs, GROUPS, ("lv_ef", "lv_edv_ml"))
    keys = [(s.measure, s.statistic, s.structure, s.phase, s.group, s.level) for s in found]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, found, strict=True))


@pytest.mark.parametrize(
    ("structure", "phase", "group", "level", "value", "cases"),
    [
        ("lv", "ED", "", "", 0.725, 4),
        ("rv", "ES", "", "", 0.425, 4),
        ("all", "all", "", "", 0.725 - 0.05 - 0.1, 4),
        ("lv", "ED", "DCM", "", 0.85, 2),
        ("rv", "all", "NOR", "", 0.4, 2),
        ("lv", "ED", "", "apex", 0.425, 4),
        ("lv", "all", "NOR", "apex", 0.2, 2),
    ],
)
def test_each_part_holds_the_mean_of_its_own_patients(
    scores: dict[tuple[str, ...], Score],
    structure: str,
    phase: str,
    group: str,
    level: str,
    value: float,
    cases: int,
) -> None:
    one = scores["dice", MEAN, structure, phase, group, level]
    assert one.value == pytest.approx(value)
    assert one.cases == cases
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.value < one.high
    far = scores["hausdorff95_mm", MEAN, structure, phase, group, level]
    assert far.value == pytest.approx(10 * value)


def test_a_level_of_a_group_is_not_cut_by_phase_too(scores: dict[tuple[str, ...], Score]) -> None:
    assert ("dice", MEAN, "lv", "ED", "DCM", "apex") not in scores


def test_findings_are_compared_over_all_and_by_group(scores: dict[tuple[str, ...], Score]) -> None:
    bias = scores["lv_ef", BIAS, "", "", "", ""]
    assert bias.value == pytest.approx((0.1 - 0.1 + 0.1 + 0.05) / 4)
    assert bias.cases == 4
    assert bias.low is not None
    assert bias.low < 0 < bias.value
    assert scores["lv_ef", ERROR, "", "", "NOR", ""].value == pytest.approx(0.075)
    assert scores["lv_ef", ERROR, "", "", "DCM", ""].value == pytest.approx(0.1)
    assert ("lv_ef", CORRELATION, "", "", "DCM", "") not in scores, "the reference does not vary"
    assert not [key for key in scores if key[0] == "lv_edv_ml"], "nobody has it"


def test_a_patient_without_a_group_counts_in_the_whole_alone() -> None:
    rows = [row(case, "ED", Structure.LV_CAVITY, "", dice) for case, dice in DICE.items()]
    found = breakdown(rows, {}, {"p1": "DCM"})
    cases = {s.group: s.cases for s in found if s.measure == "dice" and s.structure == "lv"}
    assert cases == {"": 4, "DCM": 1}


def test_a_group_of_everybody_is_not_told_twice() -> None:
    rows = [row(case, "ED", Structure.LV_CAVITY, "", dice) for case, dice in DICE.items()]
    assert {s.group for s in breakdown(rows, {}, dict.fromkeys(DICE, "DCM"))} == {""}


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        ("dice", "1"),
        ("hausdorff95_mm", "mm"),
        ("rv_ef", "1"),
        ("lv_edv_ml", "mL"),
        ("lv_mass_g", "g"),
    ],
)
def test_units_are_those_of_the_measure(measure: str, unit: str) -> None:
    assert unit_of(measure) == unit
