"""What tests of every part share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BESIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
"""Processes that share the tests, and so the processors; read before torch and numpy are loaded."""

if BESIDE > 1:
    share = max(1, (os.cpu_count() or 1) // BESIDE)
    os.environ.setdefault("OMP_NUM_THREADS", str(share))


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, which are never part of the project."""
    given = os.environ.get("HEARTSEG_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real images: set HEARTSEG_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def gauge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads anatomy from grey values exactly: no test waits for a better one."""
    from tests.doors import write_gauge

    return write_gauge(tmp_path_factory.mktemp("models") / "gauge")


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[str]:
    """The address of a real Ray cluster on loopback: two nodes of one processor each."""
    from heartseg.cluster import ALONE, LOOPBACK, QUIET

    # A busy machine needs more than Ray's own half minute, and starves what Ray makes nice.
    patience = {"RAY_raylet_start_wait_time_s": "120", "RAY_worker_niceness": "0"}
    before = dict(os.environ)
    os.environ.update({**QUIET, **ALONE, **patience})
    try:
        pytest.importorskip("ray", reason="Ray is not installed: pip install 'heartseg[scale]'")
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "node_ip_address": LOOPBACK, "include_dashboard": False}
        found = Cluster(initialize_head=True, head_node_args=node)
        try:
            found.add_node(num_cpus=1, node_ip_address=LOOPBACK)
            found.wait_for_nodes()
            yield f"ray://{found.address}"
        finally:
            found.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)
