"""Cells of the long benchmarks: two processes share them, and lose no line of each other."""

import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
sys.path.insert(0, {scripts!r})
from cells import add_lines, each_left, read_lines

@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    who: str

out, who = Path({out!r}), sys.argv[1]
lines = out / "lines.csv"
def done(name):
    return any(line.name == name for line in read_lines(lines, Line))

(out / "ready").mkdir(exist_ok=True)
(out / "ready" / who).touch()
while len(list((out / "ready").iterdir())) < {count}:
    time.sleep(0.001)
cells = [str(number) for number in range(40)]
for name in each_left(cells, lambda name: out / "locks" / name, done, {most}):
    add_lines(lines, [Line(name=name, who=who)] * 50)
"""


def processes(project: Path, out: Path, most: int, count: int) -> Counter[str]:
    """Run the script so many times at once; how many lines each cell has."""
    script = textwrap.dedent(SCRIPT)
    scripts = str(project / "benchmarks")
    script = script.format(scripts=scripts, out=str(out), most=most, count=count)
    begun = [
        subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in range(count)
    ]
    assert [one.wait(120) for one in begun] == [0] * count
    rows = (out / "lines.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "name,who"
    return Counter(row.partition(",")[0] for row in rows[1:])


def test_two_processes_do_every_cell_once(project: Path, tmp_path: Path) -> None:
    assert processes(project, tmp_path, most=-1, count=2) == dict.fromkeys(map(str, range(40)), 50)
    who = {row.rpartition(",")[2] for row in (tmp_path / "lines.csv").read_text().split()[1:]}
    assert who == {"0", "1"}, "one of them did all"


@pytest.mark.parametrize("most", [0, 3])
def test_no_more_cells_are_done_than_asked(project: Path, tmp_path: Path, most: int) -> None:
    (tmp_path / "lines.csv").write_text("name,who\n0,before\n", encoding="utf-8")
    done = processes(project, tmp_path, most=most, count=1)
    assert done == {"0": 1, **dict.fromkeys(map(str, range(1, 1 + most)), 50)}


def test_a_lock_is_waited_for_and_goes_with_its_process(project: Path, tmp_path: Path) -> None:
    holds = f"""
import sys, time
sys.path.insert(0, {str(project / "benchmarks")!r})
from pathlib import Path
from cells import held
with held(Path({str(tmp_path)!r})):
    print("held", flush=True)
    time.sleep(600)
"""
    first = subprocess.Popen([sys.executable, "-c", holds], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    second = subprocess.Popen([sys.executable, "-c", holds], stdout=subprocess.PIPE, text=True)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(2)
        first.kill()
        assert second.stdout is not None
        assert second.stdout.readline() == "held\n"
    finally:
        for one in (first, second):
            one.kill()
            one.communicate()
