"""Against the field: the same patients, the same minutes, the same machine, judged by one ruler.

    python -m venv NNUNET && NNUNET/bin/pip install nnunetv2    # outside of the project, once
    python benchmarks/field.py --minutes 15 [--nnunet NNUNET/bin/python] [--only NAME ...]
        [--threads 2] [--work FOLDER] [--resume] [--dry-run]

Needs ACDC (HEARTSEG_DATA, or ../shared/data beside the project). `heartseg datasets --to nnunet`
writes it once for all: 80 patients to train, and the 20 of the test part (number % 5 == 0), whose
labels no contestant is given. Each contestant learns for so many minutes by the wall clock, reading
and planning its data not counted, then predicts the 40 test frames in a new process:

- *heartseg*: `heartseg train` by runs/acdc/fold.toml, split by number, and `heartseg segment`;
- *nnU-Net*: its own planner, trainer (fold "all") and predictor with their defaults, in an
  environment of its own; the rate falls with the time that is left, not with its 1000 epochs;
- *SMP U-Net, ResNet-34*: a plain script as its users write it (field_smp.py);
- *MONAI SegResNet*: MONAI's transforms, cache, loss and inferer (field_monai.py).

None starts from weights of other images: no contestant may fetch any. Predictions are judged by
the table of `heartseg evaluate` in 3-D, a patient's two frames averaged first (the command itself
refuses masks as poor as those of a network that has barely begun). What a contestant took is kept
as it ends; `--resume` takes it from there and goes on with the others. Rows, with ratios to those
of heartseg of the same run, go to benchmarks/results/field/field.csv. What nnU-Net reaches in its
nine hours on a graphics card is published and stands in protocol.md: in minutes on two cores it
barely begins.
"""

import argparse
import itertools
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rows import (
    ROOT,
    Row,
    append,
    busy_share,
    commit,
    cores,
    hardware,
    heartseg,
    real_images,
    today,
)
from throughput_data import nnunet_folders

from heartseg.core.anatomy import scheme
from heartseg.formats import nifti
from heartseg.measure.agreement import agreement_table
from heartseg.measure.statistics import bootstrap_mean

HERE = Path(__file__).parent
NAME = "field/field"
ACDC = scheme("acdc")
DATASET = "Dataset027_ACDC"
OURS, NNUNET, SMP, MONAI = "heartseg", "nnU-Net", "SMP U-Net, ResNet-34", "MONAI SegResNet"
RECIPE = ROOT / "runs" / "acdc" / "fold.toml"
MOST_BUSY = 0.1
METRICS: Mapping[str, tuple[str, str]] = {
    "dice": ("Dice", "1"),
    "hausdorff95_mm": ("HD95", "mm"),
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command, with its environment and where it says how many images it saw."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a process and its helpers took.

    Attributes:
        wall_s, processor_s: seconds.
        megabytes: of its largest process.
    """

    wall_s: float
    processor_s: float
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one contestant: what it learnt from, what that took, how good its masks are."""

    images: int
    parameters: int
    training: Taken
    prediction: Taken
    scores: Mapping[tuple[str, str], Mapping[str, float]]


def main() -> None:
    """Let each contestant learn and predict, judge, keep."""
    options = _options()
    busy = busy_share(cores())
    if busy > MOST_BUSY and not options.dry_run:
        sys.exit(f"the cores are {busy:.0%} busy: wait, or use --dry-run")
    raw = _exported(options.work)
    if NNUNET in options.only and options.nnunet:
        _planned(options.work, options.nnunet)
    outcomes = {}
    for name in options.only:
        if name == NNUNET and not options.nnunet:
            print("no --nnunet: nnU-Net is left out")
            continue
        outcomes[name] = _contest(name, raw, options)
        for row in _rows(name, outcomes[name], options):
            print(f"{name}: {row.measure} {row.structure} {row.value} {row.unit}", flush=True)
    rows = [row for name, one in outcomes.items() for row in _rows(name, one, options)]
    if OURS in outcomes:
        rows += list(_ratios(outcomes, options))
    if not options.dry_run:
        append(NAME, rows)


def _options() -> argparse.Namespace:
    everyone = (OURS, NNUNET, SMP, MONAI)
    parser = argparse.ArgumentParser(description="the same patients and minutes for everyone")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--nnunet", type=Path, help="python of an environment that holds nnunetv2")
    parser.add_argument("--only", nargs="+", choices=everyone, default=list(everyone))
    parser.add_argument("--threads", type=int, default=len(cores()))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "heartseg-field")
    parser.add_argument("--resume", action="store_true", help="keep contestants that are done")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _exported(work: Path) -> Path:
    """The data set as nnU-Net and the others read it, made once."""
    raw = work / "raw" / DATASET
    if not (raw / "dataset.json").exists():
        source = str(real_images() / "acdc" / "training")
        export = ["datasets", source, "--to", "nnunet", "--by-number", "-o", str(raw)]
        subprocess.run([*heartseg(), *export], env=_environment(None), check=True)
    return raw


def _planned(work: Path, nnunet: Path) -> None:
    done = work / "preprocessed" / DATASET / "planned"
    if not done.exists():
        command = [str(nnunet.parent / "nnUNetv2_plan_and_preprocess"), "-d", "27", "-c", "2d"]
        theirs = {**os.environ, **nnunet_folders(work)}
        subprocess.run([*command, "-np", "1", "-npfp", "1"], env=theirs, check=True)
        done.touch()


def _environment(threads: int | None) -> dict[str, str]:
    few = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "nnUNet_n_proc_DA": "0"}
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **few}


def _contest(name: str, raw: Path, options: argparse.Namespace) -> Outcome:
    out = options.work / "runs" / re.sub(r"\W+", "-", name)
    kept = out / "taken.json"
    if not (options.resume and kept.exists()):
        shutil.rmtree(out, ignore_errors=True)
        (out / "masks").mkdir(parents=True)
        taken = {
            "training": asdict(_took(_train(name, raw, out, options), out / "train.log")),
            "prediction": asdict(_took(_predict(name, raw, out, options), out / "predict.log")),
        }
        if name == OURS:
            _gather(out)
        kept.write_text(json.dumps(taken), encoding="utf-8")
    took = json.loads(kept.read_text(encoding="utf-8"))
    training, prediction = Taken(**took["training"]), Taken(**took["prediction"])
    seen = _seen(name, out)
    return Outcome(
        images=seen["images"],
        parameters=seen["parameters"],
        training=training,
        prediction=prediction,
        scores=_scores(out / "masks", raw / "labelsTs"),
    )


def _train(name: str, raw: Path, out: Path, options: argparse.Namespace) -> Step:
    environment = _environment(options.threads)
    if name == OURS:
        changes = ["split.by=number", f"schedule.minutes={options.minutes}"]
        settings = [word for change in changes for word in ("--set", change)]
        command = [*heartseg(), "train", str(RECIPE), *settings, "-o", str(out / "run")]
        return Step(command=command, environment=environment)
    python, script, own = _rival(name, options)
    command = [python, str(HERE / script), "train", str(raw), str(out), str(options.minutes)]
    return Step(command=command, environment={**environment, **own})


def _predict(name: str, raw: Path, out: Path, options: argparse.Namespace) -> Step:
    environment = _environment(options.threads)
    if name == OURS:
        images = sorted(map(str, (raw / "imagesTs").glob("*.nii.gz")))
        model = ["--model", str(out / "run" / "bundle"), "--view", "sax", "--formats", "nifti"]
        command = [*heartseg(), "segment", *images, *model, "-o", str(out / "found")]
        return Step(command=command, environment=environment)
    python, script, own = _rival(name, options)
    command = [python, str(HERE / script), "predict", str(raw), str(out), "0"]
    return Step(command=command, environment={**environment, **own})


def _rival(name: str, options: argparse.Namespace) -> tuple[str, str, dict[str, str]]:
    if name == NNUNET:
        return str(options.nnunet), "field_nnunet.py", nnunet_folders(options.work)
    return sys.executable, {SMP: "field_smp.py", MONAI: "field_monai.py"}[name], {}


def _took(step: Step, log: Path) -> Taken:
    """Run it; what it and the helpers that it waited for took.

    Memory is the largest of any one of its processes.
    """
    with log.open("wb") as file:
        begun = time.perf_counter()
        process = subprocess.Popen(
            step.command, env=dict(step.environment), stdout=file, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed, see {log}: {' '.join(map(str, step.command))}")
    return Taken(
        wall_s=time.perf_counter() - begun,
        processor_s=used.ru_utime + used.ru_stime,
        megabytes=_megabytes(used),
    )


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024  # Linux counts in KiB


def _gather(out: Path) -> None:
    """heartseg's masks under the names of the cases."""
    for mask in (out / "found").glob("*/*_0000_seg.nii.gz"):
        shutil.copy(mask, out / "masks" / mask.name.replace("_0000_seg", ""))


def _seen(name: str, out: Path) -> dict[str, Any]:
    """What training says of itself: images seen and parameters."""
    if name != OURS:
        said: dict[str, Any] = json.loads((out / "seen.json").read_text(encoding="utf-8"))
        return said
    from heartseg.models import architecture

    bundle = tomllib.loads((out / "run" / "bundle" / "model.toml").read_text(encoding="utf-8"))
    network = architecture(bundle["architecture"]).build(1, 4)
    parameters = sum(one.numel() for one in network.parameters())
    return {"images": bundle["training"]["images"], "parameters": parameters}


def _scores(masks: Path, truth: Path) -> dict[tuple[str, str], dict[str, float]]:
    """(metric, structure) -> by patient, the mean over both frames; a patient's mean as `mean`."""
    each: dict[tuple[str, str], dict[str, list[float]]] = {}
    for drawn in sorted(truth.glob("*.nii.gz")):
        patient = drawn.name.partition("_")[0]
        found, wanted = (nifti.read_labels(one, ACDC) for one in (masks / drawn.name, drawn))
        for row, metric in itertools.product(agreement_table(found, wanted), METRICS):
            value = row.values[metric]
            if value is not None:
                for key in (row.structure.key, "mean"):
                    each.setdefault((metric, key), {}).setdefault(patient, []).append(value)
    return {
        key: {patient: statistics.fmean(values) for patient, values in patients.items()}
        for key, patients in each.items()
    }


def _rows(name: str, one: Outcome, options: argparse.Namespace) -> Iterator[Row]:
    for (metric, structure), patients in sorted(one.scores.items()):
        title, unit = METRICS[metric]
        values = list(patients.values())
        low, high = bootstrap_mean(values)
        yield _row(
            name,
            title,
            unit,
            (statistics.fmean(values), low, high),
            options,
            structure=structure,
            runs=len(values),
            statistic="mean (95 % interval)",
            images=one.images,
        )
    cases = 40
    minutes = one.training.wall_s / 60
    for measure, unit, value in (
        ("parameters", "1", float(one.parameters)),
        ("images seen in training", "1", float(one.images)),
        ("training with start and reading", "min", minutes),
        ("processor time of training", "min", one.training.processor_s / 60),
        ("images a second of training", "images/s", one.images / (60 * options.minutes)),
        ("memory of training, largest process", "MB", one.training.megabytes),
        ("prediction of a frame, start shared by 40", "s", one.prediction.wall_s / cases),
        ("processor time of a frame", "s", one.prediction.processor_s / cases),
        ("memory of prediction, largest process", "MB", one.prediction.megabytes),
    ):
        yield _row(name, measure, unit, (value, value, value), options, images=one.images)


def _ratios(outcomes: Mapping[str, Outcome], options: argparse.Namespace) -> Iterator[Row]:
    ours = outcomes[OURS]
    for name, other in outcomes.items():
        if name == OURS:
            continue
        for measure, value in (
            ("ratio of images seen, heartseg's over it", ours.images / max(1, other.images)),
            (
                "ratio of seconds a predicted frame, it over heartseg",
                other.prediction.wall_s / ours.prediction.wall_s,
            ),
            (
                "ratio of memory of prediction, it over heartseg",
                other.prediction.megabytes / ours.prediction.megabytes,
            ),
        ):
            yield _row(name, measure, "1", (value,) * 3, options, images=other.images)


def _row(
    name: str,
    measure: str,
    unit: str,
    numbers: tuple[float, float, float],
    options: argparse.Namespace,
    *,
    structure: str = "-",
    runs: int = 1,
    statistic: str = "median (min, max)",
    images: int,
) -> Row:
    value, low, high = (f"{number:.4g}" for number in numbers)
    return Row(
        date=today(),
        commit=commit(),
        measure=measure,
        structure=structure,
        phase="all" if structure != "-" else "-",
        unit=unit,
        data="ACDC",
        split="test",
        model=name,
        seed="0",
        configuration=f"field.py, {options.minutes:g} min, {options.threads} threads, f32",
        images_seen=str(images),
        hardware=hardware(),
        runs=str(runs),
        statistic=statistic,
        value=value,
        low=low,
        high=high,
    )


if __name__ == "__main__":
    main()
