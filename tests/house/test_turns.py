"""Contenders take turns: they rest between them, helpers too, and all that they take is counted."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script

BENCHMARKS = ROOT / "benchmarks"

HELPED = """
import os, sys, time
from turns import Pace

def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

if os.fork() == 0:
    while True:  # a helper that never rests
        busy(0.01)
        with open(sys.argv[1], "a") as file:
            file.write(".")
pace = Pace()
print("not an answer")
taken = bytearray(50_000_000)
while True:
    busy(0.02)
    pace.batch()
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells by /proc")


@pytest.fixture(scope="module")
def turns() -> ModuleType:
    return script(BENCHMARKS / "turns.py")


@pytest.fixture
def contender(turns: ModuleType, tmp_path: Path) -> Iterator[object]:
    one = turns.Contender(
        [sys.executable, "-c", HELPED, str(tmp_path / "h")],
        {"PYTHONPATH": str(BENCHMARKS)},
        batch=4,
        log=tmp_path / "log",
        cores=os.sched_getaffinity(0),
    )
    yield one
    one.end()


def test_a_turn_counts_images_and_the_time_of_helpers(contender: object) -> None:
    turn = contender.turn(10)  # type: ignore[attr-defined]
    assert turn.images == 40
    assert turn.processor_s > 0.25, "the helper's time counts too"
    assert turn.wall_s > 0.1
    assert 50 < turn.megabytes < 150


def test_between_turns_helpers_rest_too(contender: object, tmp_path: Path) -> None:
    contender.turn(2)  # type: ignore[attr-defined]
    written = (tmp_path / "h").stat().st_size
    time.sleep(0.2)
    assert (tmp_path / "h").stat().st_size == written
    contender.turn(10)  # type: ignore[attr-defined]
    assert (tmp_path / "h").stat().st_size > written


def test_a_contender_that_fails_ends_the_measurement_with_what_it_said(
    turns: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="no such network"):
        turns.Contender(
            [sys.executable, "-c", "raise ValueError('no such network')"],
            {},
            batch=1,
            log=tmp_path / "log",
            cores=os.sched_getaffinity(0),
        )
