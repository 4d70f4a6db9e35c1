"""What both sides of throughput.py learn from, each in its own form, made once and kept."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import ROOT, heartseg

WORK = Path(tempfile.gettempdir()) / "heartseg-throughput"
DATASET = "Dataset027_ACDC"
PATIENTS = 20
PLANNER = "nnUNetPlannerResEncM"


def prepare(work: Path, images: Path, nnunet: Path | None) -> None:
    """Copies of the patients, nnU-Net's raw data, its plans and its preprocessed cases.

    Args:
        work: folder of all of it; what is there already stays.
        images: folder of the real images.
        nnunet: python of nnU-Net's environment; none leaves its part out.
    """
    patients = sorted((images / "acdc" / "training").glob("patient*"))
    chosen = [path for path in patients if int(path.name[7:]) % 5 >= 2][:PATIENTS]
    if len(chosen) < PATIENTS:
        sys.exit(f"{images}: fewer than {PATIENTS} patients of ACDC that train")
    for path in chosen:
        if not (work / "acdc" / path.name).exists():
            shutil.copytree(path, work / "acdc" / path.name)
    if nnunet and not (work / "planned").exists():
        _plan(work, nnunet)
        (work / "planned").touch()


def nnunet_folders(work: Path) -> dict[str, str]:
    """The environment variables by which nnU-Net finds its folders."""
    names = {"nnUNet_raw": "raw", "nnUNet_preprocessed": "preprocessed"}
    return {key: str(work / name) for key, name in {**names, "nnUNet_results": "results"}.items()}


def _plan(work: Path, nnunet: Path) -> None:
    raw = work / "raw" / DATASET
    shutil.rmtree(raw, ignore_errors=True)
    ours = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    export = [*heartseg(), "datasets", str(work / "acdc"), "--to", "nnunet", "-o", str(raw)]
    subprocess.run(export, env=ours, check=True)
    theirs = {**os.environ, **nnunet_folders(work)}
    commands = nnunet.parent
    first = ["nnUNetv2_plan_and_preprocess", "-d", "27", "-c", "2d", "-np", "1", "-npfp", "1"]
    for name, *arguments in (first, ["nnUNetv2_plan_experiment", "-d", "27", "-pl", PLANNER]):
        subprocess.run([str(commands / name), *arguments], env=theirs, check=True)
    splits = work / "preprocessed" / DATASET / "splits_final.json"
    shutil.copy(raw / "splits_final.json", splits)  # patients stay together
