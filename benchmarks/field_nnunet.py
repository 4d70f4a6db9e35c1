"""nnU-Net's side of field.py: its trainer until the time is over, and its predictor.

    NNUNET_PYTHON benchmarks/field_nnunet.py train|predict RAW OUT MINUTES

Runs in nnU-Net's own environment, with its folders in nnUNet_raw, nnUNet_preprocessed and
nnUNet_results. Plans, loader, augmentation, loss, optimiser, network and predictor are nnU-Net's
with their defaults; its learning rate falls by the share of the time that is gone, where it has
epochs.
"""

import json
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from batchgenerators.utilities.file_and_folder_operations import load_json
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.paths import nnUNet_preprocessed, nnUNet_results
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

DATASET = "Dataset027_ACDC"
POWER = 0.9
ENDLESS = 10**9
CPU = torch.device("cpu")


class OutOfTimeError(Exception):
    """The minutes are gone."""


class Timed(nnUNetTrainer):
    """nnU-Net's trainer on all cases, one epoch until the time is over."""

    minutes: float
    seen = 0
    begun = 0.0

    def __init__(  # nnU-Net asks this very function for its arguments' names
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: Any,
        dataset_json: dict[str, Any],
        device: torch.device,
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_iterations_per_epoch = ENDLESS

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As nnU-Net's, at the rate of the time."""
        self.begun = self.begun or time.perf_counter()
        share = (time.perf_counter() - self.begun) / (60 * self.minutes)
        if share >= 1:
            raise OutOfTimeError
        for group in self.optimizer.param_groups:
            group["lr"] = self.initial_lr * (1 - share) ** POWER
        numbers: dict[str, Any] = super().train_step(batch)
        self.seen += len(batch["data"])
        return numbers

    def plot_network_architecture(self) -> None:
        """Not wanted here."""


Timed.__name__ = nnUNetTrainer.__name__  # which the predictor looks for among its own


def main() -> None:
    """Learn, or predict what was not learnt from."""
    step, raw, out, minutes = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if step == "train":
        _train(out, minutes)
    else:
        _predict(raw, out)


def _train(out: Path, minutes: float) -> None:
    folder = Path(nnUNet_preprocessed) / DATASET
    plans = load_json(str(folder / "nnUNetPlans.json"))
    plans["continue_training"] = False
    shutil.rmtree(Path(nnUNet_results) / DATASET, ignore_errors=True)
    described = load_json(str(folder / "dataset.json"))
    trainer = Timed(plans, "2d", "all", described, CPU)
    trainer.minutes = minutes
    with suppress(OutOfTimeError):
        trainer.run_training()
    trainer.disable_checkpointing = False
    trainer.save_checkpoint(str(Path(trainer.output_folder) / "checkpoint_final.pth"))
    parameters = sum(one.numel() for one in trainer.network.parameters())
    said = {"images": trainer.seen, "parameters": parameters, "folder": trainer.output_folder_base}
    (out / "seen.json").write_text(json.dumps(said), encoding="utf-8")
    os._exit(0)  # its loaders' helpers never end by themselves


def _predict(raw: Path, out: Path) -> None:
    said = json.loads((out / "seen.json").read_text(encoding="utf-8"))
    predictor = nnUNetPredictor(device=CPU, perform_everything_on_device=False, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(said["folder"], ("all",))
    predictor.predict_from_files(
        str(raw / "imagesTs"),
        str(out / "masks"),
        num_processes_preprocessing=1,
        num_processes_segmentation_export=1,
    )


if __name__ == "__main__":
    main()
