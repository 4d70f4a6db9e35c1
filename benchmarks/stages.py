"""Where the time of the main job goes, stage by stage, as a table for LOG.md.

    python benchmarks/stages.py [STUDY]

Without STUDY: the Sunnybrook cine study. Runs `heartseg segment` once to warm the disk's cache, and
once under the profiler, pinned to the cores that speed.py uses. The profiler slows Python down by a
third or so: shares count, not seconds; for seconds there is speed.py.
"""

import argparse
import contextlib
import cProfile
import io
import os
import pstats
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import cores, heartseg, real_images

STAGES = (
    ("read", "look for studies", "read/__init__.py", "find_studies"),
    ("read", "pixels", "read/candidate.py", "<lambda>"),
    ("read", "pixels of an ACDC patient", "read/datasets/acdc.py", "read_patient"),
    ("segment", "check the model", "segment/bundle.py", "load_bundle"),
    ("segment", "compile the model", "segment/openvino_runtime.py", "__init__"),
    ("prepare", "planes for the network", "prepare/preparation.py", "frame"),
    ("segment", "the network", "segment/openvino_runtime.py", "infer"),
    ("prepare", "back to the study's grid", "prepare/preparation.py", "restore"),
    ("refine", "a frame", "refine/frame.py", "refine_frame"),
    ("refine", "over time", "refine/time.py", "no_flicker"),
    ("measure", "everything", "measure/study.py", "measure_study"),
    ("report", "masks", "report/masks.py", "save_masks"),
    ("report", "mosaic", "report/overview.py", "heart_picture"),
    ("report", "all pages and pictures", "report/outputs.py", "save_report"),
)
"""Verb, what, and the function whose cumulative time it is."""

TOP_IMPORTS = 8


def main() -> None:
    """Profile one run and print the tables."""
    parser = argparse.ArgumentParser(description="tell where the time of the main job goes")
    usual = real_images() / "sunnybrook" / "SC-HF-I-1" / "dicom"
    parser.add_argument("study", nargs="?", type=Path, default=usual)
    study = parser.parse_args().study
    os.sched_setaffinity(0, cores())
    with tempfile.TemporaryDirectory(prefix="heartseg-stages-") as name:
        slow = _slow_imports([*heartseg(), "segment", str(study), "-o", f"{name}/warm"])
        profile = _profiled(["segment", str(study), "-o", f"{name}/out"])
    print("\n".join(_table(profile)))
    print(f"\nSlowest imports: {', '.join(slow)}.")


def _profiled(arguments: list[str]) -> cProfile.Profile:
    profile = cProfile.Profile()
    from heartseg.cli import app

    with contextlib.redirect_stdout(io.StringIO()):
        profile.runcall(app, arguments, standalone_mode=False)
    return profile


def _table(profile: cProfile.Profile) -> list[str]:
    stats = pstats.Stats(profile)
    total: float = stats.total_tt  # type: ignore[attr-defined]
    lines = ["| verb | what | seconds | share |", "|---|---|---|---|"]
    for verb, what, file, function in STAGES:
        taken = sum(
            cumulative
            for (path, _, name), (_, _, _, cumulative, _) in stats.stats.items()  # type: ignore[attr-defined]
            if path.endswith(f"heartseg/{file}") and name == function
        )
        if taken >= 0.01:
            lines.append(f"| {verb} | {what} | {taken:.2f} | {taken / total:.0%} |")
    return [*lines, f"| all | under the profiler | {total:.2f} | 100% |"]


def _slow_imports(command: list[str]) -> list[str]:
    """Packages whose import took longest, with what they import themselves."""
    python = command if command[0] == sys.executable else [sys.executable, *command]
    done = subprocess.run(
        [python[0], "-X", "importtime", *python[1:]], capture_output=True, text=True, check=True
    )
    taken: dict[str, int] = {}
    for line in re.findall(r"\| +(\d+) \| +([a-zA-Z]\w*)(?=$|\.)", done.stderr, re.MULTILINE):
        taken[line[1]] = max(int(line[0]), taken.get(line[1], 0))
    slowest = sorted(taken.items(), key=lambda item: -item[1])[:TOP_IMPORTS]
    return [f"{package} {microseconds / 1e6:.2f} s" for package, microseconds in slowest]


if __name__ == "__main__":
    main()
