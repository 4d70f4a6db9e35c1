"""A run that is killed, at any moment and again and again, ends as if nothing had happened."""

import json
import multiprocessing
import random
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.loop import BEST, LAST, LOG
from tests.train import tiny

KILLS = 4


def started(folder: Path, seed: int = 5) -> multiprocessing.Process:
    """The run of `tiny`, in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.train.tiny"])
    process = context.Process(target=tiny.run, args=(folder, seed))
    process.start()
    return process  # type: ignore[return-value]


def lines(folder: Path) -> list[str]:
    log = folder / LOG
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_killed_runs_end_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, broken, chance = tmp_path / "whole", tmp_path / "broken", random.Random(11)
    run = started(whole)
    run.join(120)
    assert run.exitcode == 0
    killed = 0
    for _ in range(KILLS):
        run, begun, wanted = started(broken), time.monotonic(), chance.randint(1, 4)
        before = len(lines(broken))
        while run.is_alive() and len(lines(broken)) < before + wanted:
            assert time.monotonic() - begun < 60
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        run.kill()
        run.join(60)
        killed += run.exitcode != 0
    assert killed >= 2
    run = started(broken, seed=6)  # whatever a fresh start would be, it must not show
    run.join(120)
    assert run.exitcode == 0
    for name in (LAST, BEST):
        one, other = (load_checkpoint(folder / name) for folder in (whole, broken))
        assert tiny.difference(one, other) == "", name
    assert sorted(path.name for path in broken.iterdir()) in (
        sorted([BEST, LAST, LOG]),
        sorted([BEST, "best.tmp", LAST, LOG]),  # a kill in the middle of a write leaves its rest
    )
    assert without_times(broken) == without_times(whole)


def without_times(folder: Path) -> list[dict[str, float]]:
    return [
        {key: value for key, value in json.loads(line).items() if key != "seconds"}
        for line in lines(folder)
    ]
