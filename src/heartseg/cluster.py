"""Work on many machines, by Ray; the one place that knows it.

`ray://local` starts Ray on this machine for as long as the work lasts, bound to loopback.
`ray://HOST:PORT` joins a cluster that is there, with the address that `ray start --head` printed,
from one of its machines; where that cluster listens is up to whoever started it. All machines have
the same heartseg, and see the same files under the same paths.

What is to be done travels as it does between processes of one machine, the answer as text. Ray's
usage statistics are off: nothing calls home.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from heartseg.core.errors import ConfigError, MissingExtraError

SCHEME = "ray://"
LOCAL = "local"
LOOPBACK = "127.0.0.1"

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_USAGE_STATS_PROMPT_ENABLED": "0"}
"""Ray's own switches of what it would tell its makers."""

ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray's switch for "this machine only, on loopback"; without it, Ray turns 127.0.0.1 into the
address that other machines see, even where 127.0.0.1 was asked for."""

HANDED_OUT = 2
"""Pieces of work a core that are begun or wait: machines that join find some, and a thousand
answers do not wait in the memory."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Item]):
    """What became of a piece of work.

    Attributes:
        item: that was to be done.
        text: what the work gave; None where the worker or its machine died.
        death: of what kind, in Ray's word.
    """

    item: Item
    text: str | None
    death: str = ""


class Cluster:
    """A cluster that was joined, see `joined`."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def shared(self, value: object) -> Any:
        """A value that travels to each machine once; pass what is returned to `work`."""
        return self._ray.put(value)

    def spread(
        self,
        work: Callable[..., str],
        items: Iterable[Item],
        arguments: Callable[[Item], tuple[Any, ...]],
        *,
        device: Callable[[Item], str],
        retries: int = 0,
    ) -> Iterator[Answer[Item]]:
        """Do all items, a core each, in their order; answers come as they end.

        Args:
            work: a function of a module, called on the machines.
            items: looked at only as fast as they can be begun.
            arguments: of `work`, for an item.
            device: for an item: "cpu", "cuda", or "auto" for a graphics card where there is one.
            retries: how often an item is begun again whose worker or machine died.
        """
        task = self._ray.remote(num_cpus=1, max_retries=retries)(work)
        todo = iter(items)
        begun: dict[Any, Item] = {}
        while True:
            for item in islice(todo, max(0, self._wanted() - len(begun))):
                asked = task.options(num_gpus=self._cards(device(item)))
                begun[asked.remote(*arguments(item))] = item
            if not begun:
                return
            (ready, *_), _ = self._ray.wait(list(begun), num_returns=1)
            yield self._answer(ready, begun.pop(ready))

    def everywhere(self, work: Callable[..., str], *arguments: object) -> Mapping[str, str | None]:
        """Do the same once on each machine that does work; the answers by machine."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task = self._ray.remote(num_cpus=0, max_retries=0)(work)
        begun = {}
        for node in self._ray.nodes():
            if node["Alive"] and node["Resources"].get("CPU"):
                there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                asked = task.options(scheduling_strategy=there).remote(*arguments)
                begun[asked] = f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
        return {name: self._answer(asked, name).text for asked, name in begun.items()}

    def _answer(self, ready: Any, item: Item) -> Answer[Item]:
        try:
            return Answer(item, self._ray.get(ready))
        except self._ray.exceptions.RayError as fault:
            return Answer(item, None, type(fault).__name__)

    def _wanted(self) -> int:
        """Machines may join at any time."""
        return HANDED_OUT * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _cards(self, device: str) -> int:
        """Ray hides a card that is not asked for."""
        there = 1 if self._ray.cluster_resources().get("GPU") else 0
        return {"cuda": 1, "cpu": 0}.get(device, there)


@contextmanager
def joined(address: str) -> Iterator[Cluster]:
    """The cluster at an address, left again at the end with whatever was begun there.

    Args:
        address: `ray://local` or `ray://HOST:PORT`.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: no such address, or nobody answers there.
    """
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
        yield Cluster(ray)
    finally:
        ray.shutdown()


def is_cluster(workers: str) -> bool:
    """True for an address of this kind, before anything is imported."""
    return workers.startswith(SCHEME)


def require_address(address: str) -> None:
    """Refuse what is no address of a cluster, before anything is imported.

    Raises:
        ConfigError: it is none.
    """
    _settings(address)


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
    if address == SCHEME + LOCAL:
        return {
            "address": LOCAL,
            "_node_ip_address": LOOPBACK,
            "dashboard_host": LOOPBACK,
            "include_dashboard": False,
        }
    host, colon, port = place.rpartition(":")
    if not (is_cluster(address) and host and colon and port.isdecimal()):
        raise ConfigError("--workers", got=address, allowed="ray://local or ray://HOST:PORT")
    return {"address": place}
