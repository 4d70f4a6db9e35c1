"""The page against the field says what the rows say."""

from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script


@pytest.fixture(scope="module")
def lines() -> ModuleType:
    return script(ROOT / "docs" / "field_lines.py")


def row(measure: str, value: str, **more: str) -> dict[str, str]:
    base = {
        "measure": measure,
        "value": value,
        "low": value,
        "high": value,
        "structure": "-",
        "model": "ours",
        "images_seen": "1200",
        "configuration": "-",
        "hardware": "a core",
        "data": "ACDC",
        "split": "test",
        "seed": "1",
    }
    return base | more


def test_a_contestant_is_a_line_and_the_published_one_comes_last(lines: ModuleType) -> None:
    rows = [
        row("Dice", ".1", structure="lv"),
        row("Dice", ".8", structure="lv"),  # measured again: the newest counts
        row("Dice", ".7", structure="mean", low=".6", high=".75"),
        row("images seen in training", "1.2e3"),
        row("HD95", "9.87", structure="mean"),
        row("Dice", ".5", structure="lv", model="begun and never done"),
    ]
    ours, published = lines.contestants(rows)
    assert ours == [
        *("ours", "1,200", "-", "0.800", "-", "-", "0.700 (0.600 to 0.750)", "9.9"),
        *("-", "-", "-"),
    ]
    assert published == list(lines.PUBLISHED)
    assert len(ours) == len(published) == len(lines.CONTESTANTS)
    assert lines.contestants([]) == []


def test_ratios_are_of_each_rival(lines: ModuleType) -> None:
    kinds = (
        "ratio of images seen, heartseg's over it",
        "ratio of seconds a predicted frame, it over heartseg",
        "ratio of memory of prediction, it over heartseg",
    )
    rows = [row(kind, str(2.5 * n), model="rival") for n, kind in enumerate(kinds, 1)]
    assert lines.ratios(rows) == [["rival", "2.5 times", "5.0 times", "7.5 times"]]


def test_a_record_names_minutes_to_each_goal_and_the_share(lines: ModuleType) -> None:
    how = "a.toml + b.toml, f32, 1 thread"
    rows = [
        row("mean Dice after training", ".9", configuration="a.toml + b.toml, 5.0 min, f32"),
        row("minutes of training to a mean Dice of 0.90", "31.5", configuration=how),
        row("minutes of training to a mean Dice of 0.92", "not reached", configuration=how),
        row(
            "share of the processor's measured matrix peak",
            "0.5",
            configuration="b.toml, 40.0 GFLOP/s on one thread, f32, 1 thread",
        ),
    ]
    assert lines.records(rows) == [
        ["`a.toml + b.toml`", "ACDC, test", "a core", "31.5", "not reached", "0.5"]
    ]
    assert lines.course(rows) == [
        ["a.toml + b.toml, 5.0 min, f32", "1,200", "0.900 (0.900 to 0.900)"]
    ]


def test_a_lever_stands_beside_none(lines: ModuleType) -> None:
    def scored(lever: str, value: str) -> dict[str, str]:
        how = f"runs/grids/levers.toml: neighbours 0, lever {lever}"
        return row("Dice", value, structure="mean", configuration=how)

    found = lines.levers([scored("none", ".80"), scored("wider", ".82"), scored("finer", ".79")])
    assert [line[0] for line in found] == ["none", "wider", "finer"]
    assert [line[5] for line in found] == ["-", "+0.020", "-0.010"]
