"""One run of a grid: train it or go on with it, score it, write it down. What a worker does.

A run's folder holds settings.toml, run.json and log.jsonl of the training, trained.pt, split.csv,
and for what was scored a folder with cases.csv, slices.csv, findings.csv, confusion.csv,
sight.npz and, last, result.json: the row for runs.csv. A run with a result.json is done.
"""

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heartseg.augment import StackChange
from heartseg.benchmark.hardware import hardware
from heartseg.benchmark.ledger import AXIS, METRICS, Row, write_lines, write_table
from heartseg.benchmark.score import CaseRow, Scores, SliceRow, patients_of, score
from heartseg.config import from_table, to_table, to_toml
from heartseg.core.fault import said_of
from heartseg.core.provenance import now
from heartseg.evaluation import CLINICAL
from heartseg.measure.statistics import bootstrap_mean
from heartseg.models import architecture
from heartseg.report.atomic import write_atomically
from heartseg.train.device import choose_device
from heartseg.train.loop import LOG
from heartseg.train.record import read_record
from heartseg.train.run import train
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained, card_name, keep_weights

RESULT = "result.json"
SIGHT = "sight.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run to do, in plain values: it travels to other processes and machines as JSON.

    Attributes:
        run: id.
        labels: by axis.
        settings: of the training, as `to_table` gives them.
        root: folder that the settings' paths start from.
        folder: of this run.
        score_on: parts of the split.
        device: "auto", "cpu" or "cuda".
    """

    run: str
    labels: Mapping[str, str]
    settings: Mapping[str, Any]
    root: str
    folder: str
    score_on: tuple[str, ...]
    device: str = "auto"

    @property
    def part(self) -> str:
        """What is scored, as a word."""
        return "+".join(self.score_on)

    @property
    def scored(self) -> Path:
        """Folder of the scores."""
        return Path(self.folder) / self.part

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """What `to_json` gave."""
        table = json.loads(text)
        return cls(**{**table, "score_on": tuple(table["score_on"])})


def do(job: Job) -> Row:
    """Train, score and write down; a fault becomes a row with its reason.

    A run that was stopped goes on from its last checkpoint, to the same weights to the bit; one
    that is trained is only scored; one that is scored is only read.
    """
    try:
        finished = job.scored / RESULT
        if finished.exists():
            row: Row = json.loads(finished.read_text(encoding="utf-8"))
            return row
        return _done(job)
    # One run of hundreds must not stop the others, whatever its network does.
    except Exception as fault:  # noqa: BLE001
        return failed_row(job, failure_reason(fault))


def failed_row(job: Job, reason: str) -> Row:
    """The row of a run that could not be done."""
    return {**_about(job), "status": "failed", "reason": reason, "hardware": hardware()}


def failure_reason(fault: Exception) -> str:
    """Torch says in a RuntimeError what did not fit; it quotes shapes and sizes, no files."""
    if isinstance(fault, RuntimeError):
        return f"{type(fault).__name__}: {(str(fault).splitlines() or [''])[0][:300]}"
    return said_of(fault)


def _about(job: Job) -> dict[str, str]:
    return {
        "run": job.run,
        "date": now(),
        "data": Path(str(job.settings["folder"])).name,
        "split": job.part,
        "seed": str(job.settings.get("seed", "")),
        "configuration": "; ".join(f"{axis}={label}" for axis, label in job.labels.items()),
        **{f"{AXIS}{axis}": label for axis, label in job.labels.items()},
    }


def _done(job: Job) -> Row:
    settings = from_table(RunSettings, job.settings, where=job.run)
    folder, root = Path(job.folder), Path(job.root)
    patients = patients_of(settings, root, job.score_on)  # heard of before hours of training
    device = choose_device(job.device)
    if not (folder / TRAINED).exists():
        write_atomically(folder / "settings.toml", to_toml(to_table(settings)).encode())
        begun = time.monotonic()
        checkpoint = train(settings, root, folder, device=device, resume=True)
        _keep_time(folder, time.monotonic() - begun)
        keep_weights(checkpoint)
    begun = time.monotonic()
    record = read_record(folder)
    trained_on = record["data"]["training"]["patients"]
    network = Trained(settings, folder / TRAINED, device)
    scores = score(network.look, settings, patients, trained_on)
    seconds = time.monotonic() - begun
    _write_split(folder / "split.csv", record, job.part, [one.id for one in patients])
    _write_scores(job.scored, settings, scores)
    row = {
        **_about(job),
        "status": "done",
        "commit": record.get("commit") or "unknown",
        "patients_trained": str(len(trained_on)),
        "images_seen": str(network.steps * _planes_a_step(settings)),
        "steps": str(network.steps),
        "parameters": str(network.parameters),
        "hardware": hardware(card_name(device)),
        "training_seconds": f"{_kept_time(folder):.1f}",
        "scoring_seconds": f"{seconds:.1f}",
        **_means(scores),
    }
    write_atomically(job.scored / RESULT, json.dumps(row, indent=1).encode())
    return row


def _planes_a_step(settings: RunSettings) -> int:
    """Of a stack its slices, whether they are annotated or not."""
    if architecture(settings.model).dimensions == 2:
        return settings.learning.images
    return settings.learning.images * (settings.stack or StackChange()).slices


CLOCK = "seconds.json"


def _keep_time(folder: Path, seconds: float) -> None:
    """Of a run that was stopped, the log counted the goes before as far as they were kept."""
    counted = [seconds]
    with suppress(FileNotFoundError):
        for line in (folder / LOG).read_text(encoding="utf-8").splitlines():
            counted.append(float(json.loads(line).get("seconds", 0.0)))
    write_atomically(folder / CLOCK, json.dumps({"training": max(counted)}).encode())


def _kept_time(folder: Path) -> float:
    return float(json.loads((folder / CLOCK).read_text(encoding="utf-8"))["training"])


def _means(scores: Scores) -> dict[str, str]:
    """Over patients, each of whom counts once: the mean of its structures and phases."""
    cells: dict[str, str] = {"cases": str(len(scores.findings))}
    for metric in METRICS:
        values = case_means([asdict(row) for row in scores.cases], metric)
        if values:
            cells[metric] = _number(float(np.mean(list(values.values()))))
        if len(values) > 1:
            low, high = bootstrap_mean(np.array(list(values.values())))
            cells |= {f"{metric}_low": _number(low), f"{metric}_high": _number(high)}
    for key in CLINICAL:
        both = [(a.get(key), b.get(key)) for a, b in scores.findings.values()]
        gaps = [abs(a - b) for a, b in both if a is not None and b is not None]
        if gaps:
            cells[f"{key}_mae"] = _number(float(np.mean(gaps)))
    return cells


def case_means(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, float]:
    """By patient the mean of a metric over the rows that have it."""
    by_case: dict[str, list[float]] = {}
    for row in rows:
        if row.get(metric) not in (None, ""):
            by_case.setdefault(str(row["case"]), []).append(float(row[metric]))
    return {case: float(np.mean(values)) for case, values in by_case.items()}


def _number(value: float) -> str:
    return f"{value:.6g}"


def _write_split(path: Path, record: Mapping[str, Any], part: str, scored: Sequence[str]) -> None:
    """Which patients trained, chose the checkpoint, and are scored: a line each."""
    kept: dict[tuple[str, str], None] = {}
    if path.exists():  # of an earlier scoring on another part
        with path.open(encoding="utf-8", newline="") as file:
            kept = {(line["patient"], line["part"]): None for line in csv.DictReader(file)}
    data = record["data"]
    lines = {
        **kept,
        **dict.fromkeys((patient, "train") for patient in data["training"]["patients"]),
        **dict.fromkeys((patient, "choose") for patient in data["validation"]["patients"]),
        **dict.fromkeys((patient, f"score {part}") for patient in scored),
    }
    write_table(path, ("patient", "part"), lines)


def _write_scores(folder: Path, settings: RunSettings, scores: Scores) -> None:
    write_lines(folder / "cases.csv", CaseRow, scores.cases)
    write_lines(folder / "slices.csv", SliceRow, scores.slices)
    write_table(folder / "findings.csv", _FINDINGS, _finding_lines(scores))
    keys = [structure.key for structure in settings.classes()]
    counted = zip(keys, scores.confusion.tolist(), strict=True)
    write_table(folder / "confusion.csv", ("truth", *keys), ([key, *row] for key, row in counted))
    out = io.BytesIO()
    sight = scores.sight
    np.savez_compressed(
        out,
        pixels=sight.pixels,
        truth=sight.truth,
        found=sight.found,
        spacing=np.array(sight.spacing),
        case=np.array(sight.case),
    )
    write_atomically(folder / SIGHT, out.getvalue())


_FINDINGS = ("case", "key", "measured", "reference")


def _finding_lines(scores: Scores) -> Iterator[list[Any]]:
    for case, (ours, theirs) in scores.findings.items():
        for key in CLINICAL:
            if ours.get(key) is not None or theirs.get(key) is not None:
                yield [case, key, ours.get(key), theirs.get(key)]
