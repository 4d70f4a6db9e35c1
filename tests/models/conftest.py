"""Says at the end which networks were looked at."""

from typing import Any

import pytest


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The rest has its turn on another day, or with `make networks`."""
    try:
        from tests.models.entries import chosen
    except ModuleNotFoundError:
        return
    terminalreporter.write_line(f"networks checked: {', '.join(chosen())} (make networks: all)")
