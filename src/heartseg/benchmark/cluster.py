"""Workers on many machines, by Ray: a task a run.

`ray://local` starts Ray on this machine for the length of the benchmark, bound to loopback.
`ray://HOST:PORT` joins a cluster that is there, with the address that `ray start --head` printed,
from one of its machines; where that cluster listens is up to whoever started it. All machines see
the data and the benchmark's folder under the same paths.

Ray's usage statistics are off: nothing calls home.
"""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from heartseg.benchmark.cell import Job, failed_row
from heartseg.benchmark.ledger import Row
from heartseg.core.errors import ConfigError, MissingExtraError

SCHEME = "ray://"
LOCAL = "local"
LOOPBACK = "127.0.0.1"

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_USAGE_STATS_PROMPT_ENABLED": "0"}
"""Ray's own switches of what it would tell its makers."""

ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray's switch for "this machine only, on loopback"; without it, Ray turns 127.0.0.1 into the
address that other machines see, even where 127.0.0.1 was asked for."""


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
    with _joined(address) as ray:
        cards = {"cuda": 1, "cpu": 0}
        there = 1 if ray.cluster_resources().get("GPU") else 0  # Ray hides what is not asked for
        task = ray.remote(num_cpus=1, max_retries=0)(_do)
        begun = {
            task.options(num_gpus=cards.get(job.device, there)).remote(job.to_json()): job
            for job in jobs
        }
        while begun:
            (ready, *_), _ = ray.wait(list(begun), num_returns=1)
            yield _row(ray, ready, begun.pop(ready))


def _do(text: str) -> str:
    """What a machine of the cluster is asked to do."""
    from heartseg.benchmark.cell import Job, do

    return json.dumps(dict(do(Job.from_json(text))))


def _row(ray: Any, ready: Any, job: Job) -> Row:
    try:
        row: Row = json.loads(ray.get(ready))
    except ray.exceptions.RayError as fault:
        kind = type(fault).__name__
        said = f"its worker or machine died ({kind}); --resume goes on from its last checkpoint"
        return failed_row(job, said)
    return row


@contextmanager
def _joined(address: str) -> Iterator[Any]:
    settings = _settings(address)
    alone = _host(address) in (LOCAL, LOOPBACK, "localhost")
    os.environ.update({**QUIET, **(ALONE if alone else {})})  # Ray reads them when it is imported
    try:
        import ray
    except ModuleNotFoundError as fault:
        raise MissingExtraError("ray", "scale") from fault
    try:
        ray.init(**settings, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as fault:
        said = (str(fault).splitlines() or [""])[0][:200]
        do = "give the address that ray start --head printed, on a machine of that cluster"
        raise ConfigError("--workers", got=f"{address}: {said}", do=do) from fault
    try:
        _require_loopback(ray, alone)
        yield ray
    finally:
        ray.shutdown()


def _require_loopback(ray: Any, alone: bool) -> None:
    """The switch had no effect where the calling program had imported Ray before."""
    here = ray.util.get_node_ip_address()
    if alone and here != LOOPBACK:
        do = f"set {next(iter(ALONE))}=0 before your program imports ray"
        raise ConfigError("--workers", got=f"Ray at {here}", allowed=LOOPBACK, do=do)


def _host(address: str) -> str:
    return address.removeprefix(SCHEME).partition(":")[0]


def _settings(address: str) -> dict[str, Any]:
    """How to start or join."""
    place = address.removeprefix(SCHEME)
    if place == LOCAL:
        return {
            "address": LOCAL,
            "_node_ip_address": LOOPBACK,
            "dashboard_host": LOOPBACK,
            "include_dashboard": False,
        }
    host, colon, port = place.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ConfigError("--workers", got=address, allowed="ray://local or ray://HOST:PORT")
    return {"address": place}


def is_cluster(workers: str) -> bool:
    """True for an address of this kind, before anything is imported."""
    return workers.startswith(SCHEME)
