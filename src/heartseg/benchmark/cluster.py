"""Runs of a grid on the machines of a Ray cluster: a piece of work a run."""

import json
from collections.abc import Iterator, Sequence

from heartseg.benchmark.cell import Job, do, failed_row
from heartseg.benchmark.ledger import Row
from heartseg.cluster import Answer, joined


def run_on_ray(jobs: Sequence[Job], address: str) -> Iterator[Row]:
    """Do jobs on a cluster; rows come as the runs end.

    A machine or process that dies costs the runs that it was at.

    Args:
        jobs: in the order in which they are begun.
        address: `ray://local` or `ray://HOST:PORT`.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: nobody answers at that address.
    """
    with joined(address) as cluster:
        for answer in cluster.spread(
            _do, jobs, lambda job: (job.to_json(),), device=lambda job: job.device
        ):
            yield _row(answer)


def _do(text: str) -> str:
    """What a machine of the cluster is asked to do."""
    return json.dumps(dict(do(Job.from_json(text))))


def _row(answer: Answer[Job]) -> Row:
    if answer.text is None:
        said = f"its worker or machine died ({answer.death})"
        return failed_row(answer.item, f"{said}; --resume goes on from its last checkpoint")
    row: Row = json.loads(answer.text)
    return row
