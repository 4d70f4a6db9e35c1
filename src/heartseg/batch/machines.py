"""Studies on the machines of a Ray cluster, a core each.

All machines share the files: each reads a study where the run was told that it lies, and writes
its results into the run's own output folder. Whether they do is looked at before anything begins,
for a machine that has an empty folder of the same name would lose its results without a word.
"""

import json
import os
import secrets
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from heartseg.batch.found import Finder, tasks
from heartseg.batch.plan import Outcome, Plan, Task
from heartseg.batch.worker import Worker, failed
from heartseg.cluster import Answer, Cluster, joined
from heartseg.core.errors import ConfigError, HeartsegError, OutputError
from heartseg.core.fault import said_of
from heartseg.core.version import __version__

RETRIES = 1
"""A study whose machine goes away is done on another; one that kills two processes is given up."""

SHOWN = 4
"""Machines and folders that an error names."""


@dataclass(frozen=True, slots=True)
class Order:
    """What every machine is told once.

    Attributes:
        plan: with paths from the root.
        folder: that the command was given in, from which paths in its settings start.
        mark: name of a file that lies in `plan.out` while the run lasts.
    """

    plan: Plan
    folder: Path
    mark: str


def on_cluster(plan: Plan) -> Iterator[Outcome]:
    """The studies as they end, in any order.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: nobody answers at `plan.workers`, or a machine has another heartseg or does not
            see the inputs or the output folder as this one does.
    """
    inputs = tuple(path.absolute() for path in plan.inputs)
    plan = replace(plan, inputs=inputs, out=plan.out.absolute())
    with joined(plan.workers or "") as cluster, _marked(plan.out) as mark:
        require_shared_files(cluster, plan, mark)
        order = cluster.shared(Order(plan, Path.cwd(), mark))
        for answer in cluster.spread(
            _do,
            tasks(plan),
            lambda task: (order, task),
            device=lambda _: plan.settings.device,
            retries=RETRIES,
        ):
            yield _outcome(answer)


def require_shared_files(cluster: Cluster, plan: Plan, mark: str) -> None:
    """Refuse a cluster with a machine that sees other files, before anything is done.

    Raises:
        ConfigError: it names the machine and what it does not see.
    """
    paths = [str(path) for path in plan.inputs]
    told = cluster.everywhere(_look, str(plan.out), mark, paths)
    mine = json.loads(_look(str(plan.out), mark, paths))
    wrong = [f"machine {name} {said}" for name, text in told.items() for said in _other(text, mine)]
    if wrong:
        more = "" if len(wrong) <= SHOWN else f"; and {len(wrong) - SHOWN} more"
        raise ConfigError(
            "--workers",
            got="; ".join(wrong[:SHOWN]) + more,
            allowed="machines with the same heartseg and the same files under the same paths",
            do="put inputs and results on a disk that all of them share",
        )


@contextmanager
def _marked(out: Path) -> Iterator[str]:
    """The name of a file that nobody could have put there but this run."""
    mark = f".heartseg-run-{secrets.token_hex(8)}"
    try:
        (out / mark).touch()
    except OSError as fault:
        raise OutputError(out.name, got=fault.strerror or type(fault).__name__) from fault
    try:
        yield mark
    finally:
        (out / mark).unlink(missing_ok=True)


def _look(out: str, mark: str, paths: list[str]) -> str:
    """What a machine has and sees."""
    folder = Path(out)
    return json.dumps(
        {
            "version": __version__,
            "out": _why_not_writable(folder) if (folder / mark).exists() else "another folder",
            "inputs": {path: _seen(Path(path)) for path in paths},
        }
    )


def _other(text: str | None, mine: Mapping[str, object]) -> Iterator[str]:
    """How what a machine told differs from what this one sees."""
    if text is None:
        yield "cannot run heartseg"
        return
    theirs = json.loads(text)
    if theirs["version"] != mine["version"]:
        yield f"has heartseg {theirs['version']}, this one {mine['version']}"
        return
    if theirs["out"]:
        yield f"has no access to the output folder: {theirs['out']}"
    here = mine["inputs"]
    for path, seen in theirs["inputs"].items():
        if isinstance(here, Mapping) and seen != here[path]:
            yield f"does not see input {Path(path).name} as it is: {seen} there"


def _seen(path: Path) -> str:
    """A file by its size, a folder by the names in it."""
    try:
        if not path.is_dir():
            return f"{path.stat().st_size} bytes"
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as fault:
        return fault.strerror or "nothing"
    return f"{len(names)} files of checksum {zlib.crc32(os.fsencode('/'.join(names))):08x}"


def _why_not_writable(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".heartseg-"):
            return ""
    except OSError as fault:
        return fault.strerror or type(fault).__name__


_worker: tuple[str, Worker] | None = None


def _do(order: Order, task: Task) -> str:
    """What a machine of the cluster is asked to do."""
    from heartseg.report.json_file import json_text

    try:
        worker = _begun(order)
    except HeartsegError as fault:
        outcome = failed(task.id, said_of(fault))
    else:
        outcome = worker.written(worker.computed(task))
    report = None if outcome.report is None else json_text(outcome.report)
    told = {"status": outcome.status, "said": outcome.said, "row": dict(outcome.row)}
    return json.dumps({**told, "report": report})


def _begun(order: Order) -> Worker:
    """The worker of this process and run.

    Raises:
        OutputError: the machine joined later than the others were looked at, and has other files.
    """
    global _worker
    if _worker is None or _worker[0] != order.mark:
        if not (order.plan.out / order.mark).exists():
            do = "take it out of the cluster and start again"
            raise OutputError("output folder", got="a machine that does not see it", do=do)
        if order.folder.is_dir():
            os.chdir(order.folder)
        _worker = order.mark, Worker(order.plan, Finder(order.plan), threads=1)
    return _worker[1]


def _outcome(answer: Answer[Task]) -> Outcome:
    from heartseg.report.json_file import read_report

    name = answer.item.id
    if answer.text is None:
        said = f"its process or machine died ({answer.death}), again when it was tried anew"
        return failed(name, f"{said}; try this study alone, without --workers")
    told = json.loads(answer.text)
    report = None if told["report"] is None else read_report(told["report"], name)
    return Outcome(name, told["status"], told["said"], told["row"], report)
