"""Files with a line a network: each is measured in a process of its own, and written when done."""

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

MOST_SECONDS = 900
"""Of a network's process."""

LONGEST_REASON = 160


def write_line(file: Path, line: Any) -> None:
    """Add a line, a dataclass of text, with a heading when the file is new."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as stream:
        columns = [field.name for field in fields(line)]
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(line))


def in_own_process(script: str, name: str, arguments: Sequence[str] = ()) -> str:
    """Run `script --one name`, which writes its own line; why it did not, "" when it did.

    One network that breaks or fills the memory takes nothing along.
    """
    command = [sys.executable, script, "--one", name, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"more than {MOST_SECONDS} s"
    said = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    return said[:LONGEST_REASON] if done.returncode else ""
