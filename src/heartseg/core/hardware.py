"""What a computation was done on, in words."""

import os
import platform
from pathlib import Path


def hardware(card: str | None = None) -> str:
    """The processor by its own name and the threads that one run may use; and the card, if any."""
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count() or 1)
    said = f"{processor()}, {threads} of {os.cpu_count() or 1} threads"
    return f"{card}; {said}" if card else said


def processor() -> str:
    """Its own name, where the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
