"""What tests of every part share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
