"""A run that is killed, at any moment and again and again, ends as if nothing had happened."""

import json
import multiprocessing
import random
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.loop import BEST, LAST, LOG
from tests.train import tiny

KILLS = 3


def started(
    folder: Path, seed: int = 5, hard: bool = False, halt: str = ""
) -> multiprocessing.Process:
    """The run of `tiny`, in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.train.tiny", "torch._dynamo"])
    process = context.Process(target=tiny.run, args=(folder, seed, hard, halt))
    process.start()
    return process  # type: ignore[return-value]


def lines(folder: Path) -> list[str]:
    log = folder / LOG
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """The folder of a run that nobody kills, usual or with all that has a state."""

    @cache
    def whole(hard: bool) -> Path:
        folder = tmp_path_factory.mktemp("whole") / "run"
        run = started(folder, hard=hard)
        run.join(120)
        assert run.exitcode == 0
        return folder

    return whole


@pytest.mark.parametrize("hard", [False, True], ids=["usual", "with all that has a state"])
def test_killed_runs_end_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, uninterrupted: Callable[[bool], Path], hard: bool
) -> None:
    whole, broken, chance = uninterrupted(hard), tmp_path / "broken", random.Random(11)
    killed = 0
    for _ in range(KILLS):
        run, begun, wanted = started(broken, hard=hard), time.monotonic(), chance.randint(1, 4)
        before = len(lines(broken))
        while run.is_alive() and len(lines(broken)) < before + wanted:
            assert time.monotonic() - begun < 60
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        run.kill()
        run.join(60)
        killed += run.exitcode != 0
    assert killed >= 2
    run = started(broken, seed=6, hard=hard)  # whatever a fresh start would be, it must not show
    run.join(120)
    assert run.exitcode == 0
    assert_same(whole, broken)
    assert sorted(path.name for path in broken.iterdir()) in (
        sorted([BEST, LAST, LOG]),
        sorted([BEST, "best.tmp", LAST, LOG]),  # a kill in the middle of a write leaves its rest
    )
    assert without_times(broken) == without_times(whole)


@pytest.mark.parametrize("name", [BEST, LAST])
def test_a_kill_in_the_middle_of_a_checkpoint_leaves_the_run_as_it_was(
    tmp_path: Path, uninterrupted: Callable[[bool], Path], name: str
) -> None:
    whole, broken = uninterrupted(False), tmp_path / "broken"
    begun, run = time.monotonic(), started(broken, halt=name)
    while not (broken / "halted").exists():
        assert run.is_alive()
        assert time.monotonic() - begun < 60
        time.sleep(0.005)
    torn = (broken / name).with_suffix(".tmp")
    assert torn.stat().st_size < 0.6 * (broken / name).stat().st_size
    run.kill()
    run.join(60)
    assert load_checkpoint(broken / name)  # the last whole one
    run = started(broken, seed=6)
    run.join(120)
    assert run.exitcode == 0
    assert_same(whole, broken)
    assert without_times(broken) == without_times(whole)


def assert_same(whole: Path, broken: Path) -> None:
    for name in (LAST, BEST):
        one, other = (load_checkpoint(folder / name) for folder in (whole, broken))
        assert one["course"].pop("seconds") > 0
        assert other["course"].pop("seconds") > 0
        assert tiny.difference(one, other) == "", name


def without_times(folder: Path) -> list[dict[str, float]]:
    return [
        {key: value for key, value in json.loads(line).items() if key != "seconds"}
        for line in lines(folder)
    ]
