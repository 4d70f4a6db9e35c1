"""Several processes that train one network: what each does, and what they tell each other.

Every process draws and augments the same whole batch from the same random numbers and shows its
own share of it to the network. The loss is then taken over the answers to the whole batch, so that
two processes see what one would: a soft Dice of half a batch is not half of a soft Dice. Gradients
are summed by torch's DistributedDataParallel, which Lightning Fabric starts and connects.

Batch normalisation sees its own share only, and the statistics kept are those of the first
process: with it, several processes are not one process to the last digits.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError, MissingExtraError


class Ranks:
    """One process, alone: shares are the whole, and there is nobody to tell.

    Attributes:
        rank: number of this process.
        count: of all processes.
        device: where this process computes, where that is decided here.
    """

    rank, count = 0, 1
    device: torch.device = torch.device("cpu")

    @property
    def leads(self) -> bool:
        """True for the process that writes."""
        return self.rank == 0

    def connected(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are those of all."""
        return network

    def share(self, batch: Tensor) -> Tensor:
        """(n, ...) -> the part of it that this process looks at."""
        return batch[self.rank :: self.count] if self.count > 1 else batch

    def whole(self, answers: Sequence[Tensor]) -> list[Tensor]:
        """The answers to the whole batch, of each level; only the own ones have a gradient."""
        return list(answers)

    def total(self, numbers: Tensor) -> Tensor:
        """The sum over all processes."""
        return numbers

    def agreed(self, number: int) -> int:
        """The leading process's number."""
        return number

    def wait(self) -> None:
        """Until all are here."""


class Several(Ranks):
    """Processes connected by a launched Fabric."""

    def __init__(self, fabric: Any) -> None:
        self._fabric = fabric
        self.rank, self.count = int(fabric.global_rank), int(fabric.world_size)
        self.device: torch.device = fabric.device

    def connected(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are those of all."""
        connected: nn.Module = self._fabric.setup_module(network, move_to_device=False)
        return connected

    def whole(self, answers: Sequence[Tensor]) -> list[Tensor]:
        """The answers to the whole batch, of each level; only the own ones have a gradient."""
        return [self._joined(one) for one in answers]

    def total(self, numbers: Tensor) -> Tensor:
        """The sum over all processes."""
        summed: Tensor = self._fabric.all_reduce(numbers, reduce_op="sum")
        return summed

    def agreed(self, number: int) -> int:
        """The leading process's number."""
        return int(self._fabric.broadcast(number, src=0))

    def wait(self) -> None:
        """Until all are here."""
        self._fabric.barrier()

    def _joined(self, mine: Tensor) -> Tensor:
        parts = list(self._fabric.all_gather(mine.detach().contiguous()))
        parts[self.rank] = mine
        return torch.stack(parts, dim=1).flatten(0, 1)  # shares were taken in turn


def leading() -> bool:
    """True in the process that speaks: the only one, or the first."""
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not together or torch.distributed.get_rank() == 0


def several(device: str, processes: int, nodes: int) -> Several:
    """Start the other processes, which run the same command, and connect with them.

    On several nodes the command is started on each, with the environment variables that
    torchrun sets, or by Slurm.

    Raises:
        ConfigError: less than one process.
        MissingExtraError: Lightning Fabric is not installed.
    """
    if min(processes, nodes) < 1:
        got = f"{processes} processes on {nodes} nodes"
        raise ConfigError("processes", got=got, allowed="at least 1")
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError as fault:
        raise MissingExtraError("training in several processes", "train") from fault
    fabric = Fabric(accelerator=device, devices=processes, num_nodes=nodes, strategy="ddp")
    fabric.launch()
    return Several(fabric)
