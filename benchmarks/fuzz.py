"""Throw mutated files at every door, and count what becomes of them.

    python benchmarks/fuzz.py [--door nifti ...] [--count 100000] [--seed 0] [--keep FOLDER]

A door must read an input or refuse it with a `HeartsegError`, within 5 s and 1 GB more than it
began with. Everything else is a fault: another exception, a crash of the process, a hang, a message
with a path of this machine in it. Input number N of a door and a seed is always the same bytes.
Doors and their seeds are in `fuzz_doors.py`, mutations in `fuzz_mutations.py`.
"""

import argparse
import contextlib
import faulthandler
import gc
import mmap
import os
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np
from fuzz_doors import DOORS, Door
from fuzz_mutations import mutated

from heartseg.core.errors import HeartsegError

SECONDS = 5.0
"""Longest that a door may take for an input."""

MEMORY = 2**30
"""Bytes that a door may take beyond what its process had at the start."""

PATIENCE = 4 * SECONDS
"""After this long in one input, deaf to signals, a process is killed."""

A_PROCESS = 2_000
"""Inputs that one process looks at: what leaks cannot grow without end."""

_STATE = struct.Struct("<qd")
"""What a process writes before each input: its number, and when it began."""


@dataclass
class Tally:
    """What became of the inputs of a door.

    Attributes:
        outcomes: how many were "read", "refused", or faulty in some way.
        faults: what was wrong, by number of the input; the first of each kind and place.
        slowest_s: of an input that ended by itself.
        largest_bytes: by which the resident set of a process grew.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[int, str] = field(default_factory=dict)
    slowest_s: float = 0.0
    largest_bytes: int = 0

    @property
    def good(self) -> int:
        """Inputs that were read or refused."""
        return self.outcomes["read"] + self.outcomes["refused"]

    @property
    def total(self) -> int:
        """All inputs."""
        return sum(self.outcomes.values())


class _TooSlow(BaseException):
    """Not an Exception, so that no door's own handling takes it for a damaged file."""


def fuzz(door: Door, data: Path, count: int, seed: int, first: int = 0) -> Tally:
    """Give a door `count` mutated inputs, in processes of their own.

    Args:
        door: of `DOORS`.
        data: folder of the real images that seeds are cut from.
        count: of inputs.
        seed: of the mutations.
        first: number of the first input.
    """
    tally = Tally()
    seeds = door.seeds(data)
    done = first
    while done < first + count:
        last = min(first + count, done + A_PROCESS)
        done = _one_process(door, seeds, range(done, last), seed, tally)
    return tally


def input_of(door: Door, seeds: Mapping[str, bytes], seed: int, number: int) -> tuple[str, bytes]:
    """(file name, content) of an input: the same for the same seed and number."""
    key = f"{door.name} {seed} {number}".encode()
    rng = np.random.default_rng(np.frombuffer(key, np.uint8).astype(np.uint32))
    names = sorted(seeds)
    name = names[int(rng.integers(len(names)))]
    other = seeds[names[int(rng.integers(len(names)))]]
    return name, mutated(seeds[name], other, rng, door.packing(name))


def _one_process(
    door: Door, seeds: Mapping[str, bytes], numbers: range, seed: int, tally: Tally
) -> int:
    """Look at these inputs in one process; returns the number to go on with."""
    board = mmap.mmap(-1, _STATE.size)  # shared: what a dead process was busy with
    board[:] = _STATE.pack(numbers.start, time.monotonic())
    reader, writer = os.pipe()
    gc.collect()  # here, where the threads are that a library's objects wait for when they end
    child = os.fork()
    if child == 0:
        gc.freeze()  # what the parent held is not for the child to end, nor to give back
        os.close(reader)
        _child(door, seeds, numbers, seed, board, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        died = _watched(child, stream.fileno(), board, tally)
    if died is None:
        return numbers.stop
    number, _ = _STATE.unpack(board[:])
    _count(tally, number, died, died)
    return number + 1


def _watched(child: int, pipe: int, board: mmap.mmap, tally: Tally) -> str | None:
    """Hear a process out; says how it died, None where it ended well."""
    for line in _lines(pipe):
        if line is not None:
            _heard(line, tally)
            continue
        _, began = _STATE.unpack(board[:])
        if time.monotonic() - began > PATIENCE:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hang: deaf to signals"
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return None if code == 0 else f"crash: exit code {code}"


def _lines(descriptor: int) -> Iterator[str | None]:
    """Lines as they come; None for a second without any."""
    rest = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], 1.0)
        if not ready:
            yield None
            continue
        block = os.read(descriptor, 65536)
        if not block:
            return
        *whole, rest = (rest + block).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)


def _heard(line: str, tally: Tally) -> None:
    number, outcome, seconds, grown, said = line.split("\t", 4)
    tally.slowest_s = max(tally.slowest_s, float(seconds))
    tally.largest_bytes = max(tally.largest_bytes, int(grown))
    _count(tally, int(number), outcome, said)


def _count(tally: Tally, number: int, outcome: str, said: str) -> None:
    tally.outcomes[outcome.partition(":")[0]] += 1
    if outcome not in ("read", "refused") and said not in tally.faults.values():
        tally.faults[number] = said


# In the process that opens the door


def _child(
    door: Door,
    seeds: Mapping[str, bytes],
    numbers: range,
    seed: int,
    board: mmap.mmap,
    writer: int,
) -> None:
    """Never returns."""
    code = 1
    try:
        _silence()
        door.warm()
        before = _resident()
        _limit_memory()
        signal.signal(signal.SIGALRM, _alarm)
        with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
            for number in numbers:
                board[:] = _STATE.pack(number, time.monotonic())
                name, content = input_of(door, seeds, seed, number)
                outcome, said, seconds = _tried(door, Path(folder), name, content)
                words = " ".join(said.split()) if outcome not in ("read", "refused") else ""
                line = f"{number}\t{outcome}\t{seconds:.3f}\t{_resident() - before}\t{words}\n"
                os.write(writer, line.encode("utf-8", "replace"))
        code = 0
    finally:
        os._exit(code)


def _tried(door: Door, folder: Path, name: str, content: bytes) -> tuple[str, str, float]:
    """(outcome, what was said, seconds) of one input."""
    path = door.place(folder, name, content)
    began = time.perf_counter()
    try:  # first: on a machine that stands still the alarm may ring before the door is open
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        door.open(path)
        outcome, said = "read", ""
    except HeartsegError as fault:
        leaks = str(folder) in str(fault)
        outcome, said = ("leak", str(fault)) if leaks else ("refused", "")
    except _TooSlow:
        outcome, said = "slow", f"over {SECONDS:g} s"
    except MemoryError as fault:
        outcome, said = "memory", _where(fault)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is what is looked for
        outcome, said = "fault", _where(fault)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return outcome, said, time.perf_counter() - began


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise _TooSlow


def _where(fault: BaseException) -> str:
    from heartseg.core.fault import said_of

    return f"{said_of(fault)} ({str(fault)[:120]})"


def _silence() -> None:
    """Libraries in C print where they like; what Python warns of is not asked here."""
    warnings.simplefilter("ignore")
    faulthandler.disable()  # a crash is counted, not told
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _resident() -> int:
    """Largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_memory() -> None:
    """From here on no more than `MEMORY` can be taken, used or not, beside what is given back."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _fast_folder() -> str | None:
    """A folder in memory where there is one: the disk is not what is tested."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# The command


def main() -> None:
    """Fuzz the doors that were asked for, or all; exit code 1 when one has a fault."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--door", action="append", choices=sorted(DOORS), help="one or more")
    parser.add_argument("--count", type=int, default=100_000, help="inputs a door")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", type=Path, help="folder for inputs that make a fault")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    asked = parser.parse_args()
    faults = 0
    for name in asked.door or DOORS:
        door = DOORS[name]
        began = time.perf_counter()
        tally = fuzz(door, asked.data, asked.count, asked.seed, asked.first)
        print(said(name, tally, time.perf_counter() - began), flush=True)
        faults += tally.total - tally.good
        if asked.keep is not None:
            keep(door, door.seeds(asked.data), asked.seed, tally, asked.keep)
    sys.exit(1 if faults else 0)


def said(name: str, tally: Tally, seconds: float) -> str:
    """A line a door, and one a fault."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in tally.outcomes.most_common())
    lines = [
        f"{name}: {tally.total} inputs in {seconds:.0f} s: {counts}; slowest "
        f"{tally.slowest_s:.2f} s, at most {tally.largest_bytes / 2**20:.0f} MB more"
    ]
    lines += [f"  {number}: {what}" for number, what in tally.faults.items()]
    return "\n".join(lines)


def keep(door: Door, seeds: Mapping[str, bytes], seed: int, tally: Tally, folder: Path) -> None:
    """Write the inputs that made a fault, to look at and to become tests."""
    for number in tally.faults:
        name, content = input_of(door, seeds, seed, number)
        path = folder / door.name / f"{number}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            path.write_bytes(content)


if __name__ == "__main__":
    main()
