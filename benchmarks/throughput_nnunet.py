"""nnU-Net's side of throughput.py: its own trainer, or its loader alone, in turns.

    NNUNET_PYTHON benchmarks/throughput_nnunet.py PLANS STEP SIDE BATCH [--compact]

Runs in nnU-Net's own environment, with its folders in nnUNet_raw, nnUNet_preprocessed and
nnUNet_results. Loader, augmentation, loss, optimiser and the loop are nnU-Net's, untouched; only
the plan's patch and batch are set, and `train_step` keeps its turns. With --compact the network is
heartseg's `unet` in nnU-Net's trainer, without deep supervision, for that network has none.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from batchgenerators.utilities.file_and_folder_operations import load_json
from nnunetv2.paths import nnUNet_preprocessed
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from turns import Pace

ENDLESS = 10**9
DATASET = "Dataset027_ACDC"


class Paced(nnUNetTrainer):
    """nnU-Net's trainer, one epoch without end, a step at a time."""

    pace: Pace

    def __init__(  # nnU-Net asks this very function for its arguments' names
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device,
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_iterations_per_epoch = ENDLESS
        self.disable_checkpointing = True

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As nnU-Net's."""
        numbers: dict[str, Any] = super().train_step(batch)
        self.pace.batch()
        return {"loss": numbers["loss"]}

    def plot_network_architecture(self) -> None:
        """Not wanted here."""


class Compact(Paced):
    """With heartseg's default network."""

    @staticmethod
    def build_network_architecture(
        plans_manager: Any,
        configuration_manager: Any,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> torch.nn.Module:
        """2.8 million parameters."""
        from heartseg.models.unet import UNet

        return UNet().build(num_input_channels, num_output_channels)

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """There is none."""


def main() -> None:
    """Set up as `nnUNetv2_train` does, then work in turns until nobody asks any more."""
    parser = argparse.ArgumentParser(description="nnU-Net's side of throughput.py")
    parser.add_argument("plans")
    parser.add_argument("step", choices=("train", "load"))
    parser.add_argument("side", type=int)
    parser.add_argument("batch", type=int)
    parser.add_argument("--compact", action="store_true")
    options = parser.parse_args()
    pace = Pace()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    trainer = _trainer(options)
    trainer.enable_deep_supervision = not options.compact
    trainer.initialize()
    print(f"{sum(one.numel() for one in trainer.network.parameters())} parameters")
    trainer.pace = pace
    if options.step == "train":
        trainer.run_training()
    loader, _ = trainer.get_dataloaders()
    while True:
        next(loader)
        trainer.pace.batch()


def _trainer(options: argparse.Namespace) -> Paced:
    folder = Path(nnUNet_preprocessed) / DATASET
    plans = load_json(str(folder / f"{options.plans}.json"))
    plans["continue_training"] = False
    plans["configurations"]["2d"] |= {
        "patch_size": [options.side, options.side],
        "batch_size": options.batch,
    }
    kind = Compact if options.compact else Paced
    described = load_json(str(folder / "dataset.json"))
    return kind(plans, "2d", 0, described, torch.device("cpu"))


if __name__ == "__main__":
    main()
