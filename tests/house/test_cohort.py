"""What the benchmark of cohorts makes of what it saw."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script

VOLUMES = 200


@pytest.fixture(scope="module")
def cohort() -> ModuleType:
    return script(ROOT / "benchmarks" / "cohort.py")


def run(cohort: ModuleType, *, idle: bool, leak: float = 0.0, slower: float = 1.0) -> object:
    """A volume a second, after ten to start; the second half takes `slower` times as long."""
    seen, now = [cohort.Seen(5.0, 0, 10.0, 0.0)], 10.0
    for done in range(VOLUMES):
        seen.append(cohort.Seen(now, done, 100.0, 600.0 + leak * done))
        now += 1.0 if done < 110 else slower  # half of what comes after the first tenth
    seen.append(cohort.Seen(now, VOLUMES, 3.0, 0.0))  # as they end
    return cohort.Run(seen, processor_s=400.0, idle=idle)


def values(cohort: ModuleType, run: object, jobs: int = 2) -> dict[str, float]:
    return {row.measure: float(row.value) for row in cohort.rows_of(VOLUMES, jobs, run)}


def test_memory_that_grows_is_seen_and_flat_memory_is_flat(cohort: ModuleType) -> None:
    flat = values(cohort, run(cohort, idle=True))
    assert flat["memory of the first process, half of the cohort done"] == 100
    assert flat["memory of its workers, all of the cohort done over a tenth"] == 1
    last = "memory of the first process, all of the cohort done"
    rows = cohort.rows_of(VOLUMES, 2, run(cohort, idle=True))
    ends = [row for row in rows if row.measure == last]
    assert ends[0].low == ends[0].high == "100", "not as the process ends"
    leaky = values(cohort, run(cohort, idle=True, leak=3.0))
    assert leaky["memory of its workers, a tenth of the cohort done"] == pytest.approx(660, abs=6)
    assert leaky["memory of its workers, half of the cohort done"] == pytest.approx(900, abs=6)
    assert leaky["memory of its workers, all of the cohort done over a tenth"] > 1.7
    alone = values(cohort, run(cohort, idle=True), jobs=1)
    assert not [name for name in alone if "workers" in name]


def test_rates_leave_the_start_out_and_tell_a_slower_second_half(cohort: ModuleType) -> None:
    even = values(cohort, run(cohort, idle=True))
    assert even["volumes a minute, by the wall"] == pytest.approx(60, rel=0.01)
    assert even["volumes a minute, last half over first, by the wall"] == pytest.approx(1, abs=0.02)
    assert even["volumes a minute of a core, by the processor"] == 30
    slow = values(cohort, run(cohort, idle=True, slower=2.0))
    assert slow["volumes a minute, last half over first, by the wall"] == pytest.approx(
        0.5, abs=0.02
    )


def test_a_busy_machine_says_nothing_by_the_wall(cohort: ModuleType) -> None:
    said = values(cohort, run(cohort, idle=False))
    assert not [name for name in said if "wall" in name]
    assert "volumes a minute of a core, by the processor" in said


def test_a_cohort_is_made_once(cohort: ModuleType, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cohort, "DIFFERENT", 1)
    folder = cohort._cohort(tmp_path / "cohort", 3)
    files = sorted(folder.iterdir())
    assert len(files) == 3
    assert len({file.read_bytes() for file in files}) == 1
    monkeypatch.setattr(cohort, "make_study", None)  # making it again would fail
    assert cohort._cohort(tmp_path / "cohort", 3) == folder
