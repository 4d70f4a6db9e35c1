"""`heartseg demo` and `heartseg phantom`."""

from pathlib import Path


def run_demo(out: Path, seed: int) -> None:
    """Placeholder until the phantom lands."""


def write_phantoms(out: Path, kind: str, count: int, seed: int, written_as: str) -> None:
    """Placeholder until the phantom lands."""
