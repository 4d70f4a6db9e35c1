"""On a real Ray cluster of two nodes, on loopback; the test starts it and stops it."""

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.cluster import run_on_ray
from heartseg.benchmark.grid import read_grid
from tests.benchmark.test_engine import job_of
from tests.benchmark.tiny import GRID, write_grid, write_phantoms


# Ray leaves sockets and processes to the collector, and warns of its own plans.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_nodes_do_a_grid_and_a_killed_worker_costs_only_its_run(two_nodes, tmp_path):
    """Three runs on two nodes; the first one would last for hours, and its process is killed."""
    write_phantoms(tmp_path / "phantoms")
    cells = read_grid(write_grid(tmp_path, GRID)).cells[:3]
    jobs = [job_of(tmp_path, tmp_path / cell.run, cell.settings) for cell in cells]
    jobs[0].settings["schedule"]["steps"] = 1_000_000  # type: ignore[index]
    rows = run_on_ray(jobs, two_nodes)
    done = [next(rows), next(rows)]
    assert {row["run"] for row in done} == {job.run for job in jobs[1:]}
    assert {row["status"] for row in done} == {"done"}
    ours = ray_processes()
    (busy,) = [number for number, line in ours.items() if b"ray::_do" in line]
    assert not beyond_loopback(set(ours))
    os.kill(busy, signal.SIGKILL)
    (last,) = rows
    assert (last["run"], last["status"]) == (jobs[0].run, "failed")
    assert "died" in last["reason"]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def ray_processes() -> dict[int, bytes]:
    """Command lines of Ray's processes that descend from this one, by their numbers."""
    parents, lines = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            lines[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:
            continue
    found = {os.getpid()}
    while more := {n for n, parent in parents.items() if parent in found} - found:
        found |= more
    return {n: lines[n] for n in found - {os.getpid()} if n in lines}


def beyond_loopback(processes: set[int]) -> set[str]:
    """Addresses, as the kernel writes them, where these processes listen for other machines."""
    sockets = set()
    for number in processes:
        for handle in Path(f"/proc/{number}/fd").glob("*"):
            try:
                sockets.add(os.readlink(handle))
            except OSError:
                continue
    away = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            place, listens = cells[1].partition(":")[0], cells[3] == "0A"
            home = place.endswith("0100007F") or place == "0" * 24 + "01000000"
            if listens and not home and f"socket:[{cells[9]}]" in sockets:
                away.add(cells[1])
    return away
