"""Mutated files at every door: a short run of benchmarks/fuzz.py, and proof that it sees faults."""

import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from heartseg.core.errors import FormatError
from tests.house.scripts import ROOT, script

INPUTS = 150
"""A door in each run of the tests; the long run is logged in benchmarks/LOG.md."""

A_DOOR = 300.0
"""Seconds that a door's inputs may take together; a few do."""


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)  # its neighbours: doors and mutations
    try:
        yield script(ROOT / "benchmarks" / "fuzz.py")
    finally:
        sys.path.remove(folder)


def names() -> list[str]:
    text = (ROOT / "benchmarks" / "fuzz_doors.py").read_text(encoding="utf-8")
    return [part.partition('"')[0] for part in text.partition("DOORS")[2].split('name="')[1:]]


def door(fuzz: ModuleType, opened: Callable[[Path], object], seed: bytes = b"seed" * 20) -> object:
    return fuzz.Door(name="a door", make_seeds=lambda _: {"file.bin": seed}, open=opened)


def faults(fuzz: ModuleType, opened: Callable[[Path], object], count: int = 3) -> list[str]:
    tally = fuzz.fuzz(door(fuzz, opened), Path(), count, seed=1)
    assert tally.total == count
    return [*tally.outcomes]


def apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The fuzzer in an interpreter of its own, as it is used: what other tests left stays out."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=False,
        timeout=A_DOOR,
    )


def test_the_list_of_doors_is_whole(fuzz: ModuleType) -> None:
    assert names() == [*fuzz.DOORS]


@pytest.mark.parametrize("name", names())
def test_a_seed_is_read_before_it_is_damaged(
    name: str, fuzz: ModuleType, real_data: Path, tmp_path: Path
) -> None:
    one = fuzz.DOORS[name]
    for number, (file, content) in enumerate(one.seeds(real_data).items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        one.open(one.place(folder, file, content))


@pytest.mark.parametrize("name", names())
def test_damaged_files_are_read_or_refused(name: str, fuzz: ModuleType, real_data: Path) -> None:
    asked = f"fuzz.py --door {name} --count {INPUTS} --seed 2 --data".split()
    ended = apart(*asked, str(real_data))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith(f"{name}: {INPUTS} inputs in ")
    more = re.search(r"at most (\d+) MB more", ended.stdout)
    assert more is not None
    assert int(more[1]) * 2**20 < fuzz.MEMORY


def test_a_read_and_a_refused_input_are_told_apart(fuzz: ModuleType) -> None:
    def picky(path: Path) -> None:
        if path.stat().st_size % 2:
            raise FormatError(path.name, got="an odd file")

    tally = fuzz.fuzz(door(fuzz, picky), Path(), 60, seed=1)
    assert tally.good == 60
    assert 0 < tally.outcomes["read"] < 60


def test_another_error_than_ours_is_a_fault(fuzz: ModuleType) -> None:
    def careless(path: Path) -> None:
        raise KeyError(path.name)

    assert faults(fuzz, careless) == ["fault"]


def test_a_crash_of_the_process_is_a_fault_and_the_rest_is_done(fuzz: ModuleType) -> None:
    def crashing(_: Path) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    assert faults(fuzz, crashing) == ["crash"]


def test_what_the_parent_left_is_not_ended_in_a_child(fuzz: ModuleType) -> None:
    """Engines of networks wait for their threads when they end; a child has none of them."""

    class Engine:
        def __init__(self) -> None:
            self.itself, self.process = self, os.getpid()

        def __del__(self) -> None:
            if os.getpid() != self.process:
                time.sleep(60)

    gc.disable()
    try:
        Engine()
        assert faults(fuzz, Path.read_bytes) == ["read"]
    finally:
        gc.enable()


SLOW = """
import time
from pathlib import Path
import fuzz

fuzz.SECONDS = 0.4

def slow(_):
    try:
        time.sleep(30)
    except Exception:  # a door that takes everything for a damaged file
        return

door = fuzz.Door(name="a door", make_seeds=lambda _: {"file.bin": b"seed" * 20}, open=slow)
tally = fuzz.fuzz(door, Path(), 2, seed=1)
print(*tally.outcomes, *tally.faults.values(), sep=", ")
"""


def test_an_input_that_takes_too_long_is_a_fault() -> None:
    ended = apart("-c", SLOW)
    assert (ended.stdout, ended.stderr) == ("slow, over 0.4 s\n", "")


def test_a_process_that_is_deaf_to_signals_is_ended(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "PATIENCE", 0.3)

    def deaf(_: Path) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(30)

    assert faults(fuzz, deaf, 1) == ["hang"]


def test_an_input_that_takes_too_much_memory_is_a_fault(fuzz: ModuleType) -> None:
    def greedy(_: Path) -> None:
        # Well above: what a large test session gives back to its child counts for the limit.
        bytearray(2 * fuzz.MEMORY)

    assert faults(fuzz, greedy) == ["memory"]


def test_a_message_with_a_path_of_the_machine_is_a_fault(fuzz: ModuleType) -> None:
    def talkative(path: Path) -> None:
        raise FormatError(str(path), got="nothing good")

    assert faults(fuzz, talkative) == ["leak"]


def test_an_input_is_made_again_from_its_number(fuzz: ModuleType) -> None:
    one = door(fuzz, Path.read_bytes, bytes(range(256)))
    seeds = one.seeds(Path())  # type: ignore[attr-defined]
    made = [fuzz.input_of(one, seeds, 5, number) for number in range(40)]
    assert made == [fuzz.input_of(one, seeds, 5, number) for number in range(40)]
    assert len({content for _, content in made}) > 30
    assert made != [fuzz.input_of(one, seeds, 6, number) for number in range(40)]
