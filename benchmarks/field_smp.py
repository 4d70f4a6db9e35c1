"""segmentation-models-pytorch's side of field.py: its U-Net with a ResNet-34, in a plain script.

    python benchmarks/field_smp.py train|predict RAW OUT MINUTES

What its users write: slices of 1.5 mm, the middle 160 x 160 pixels, quarter turns and mirrored,
SMP's Dice loss and cross-entropy, Adam at 1e-3 that falls to nothing over the time. RAW is a data
set in nnU-Net's layout; masks go to OUT/masks, and OUT/seen.json says what was seen.
"""

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import segmentation_models_pytorch as smp
import torch
from scipy.ndimage import zoom

SPACING_MM, SIDE, BATCH, CLASSES = 1.5, 160, 16, 4


def main() -> None:
    """Learn, or predict what was not learnt from."""
    step, raw, out, minutes = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    network = smp.Unet("resnet34", encoder_weights=None, in_channels=1, classes=CLASSES)
    if step == "train":
        _train(network, raw, out, minutes)
    else:
        network.load_state_dict(torch.load(out / "weights.pt", weights_only=True))
        _predict(network.eval(), raw, out)


def _train(network: Any, raw: Path, out: Path, minutes: float) -> None:
    pairs = list(_slices(raw))
    overlap = smp.losses.DiceLoss("multiclass")
    entropy = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    random, seen, begun = np.random.default_rng(0), 0, time.perf_counter()
    while (share := (time.perf_counter() - begun) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * share))
        chosen = [_turned(*pairs[i], random) for i in random.integers(len(pairs), size=BATCH)]
        pixels = torch.from_numpy(np.stack([one for one, _ in chosen]))[:, None]
        truth = torch.from_numpy(np.stack([one for _, one in chosen]))
        logits = network(pixels)
        optimiser.zero_grad()
        (overlap(logits, truth) + entropy(logits, truth)).backward()
        optimiser.step()
        seen += BATCH
    torch.save(network.state_dict(), out / "weights.pt")
    said = {"images": seen, "parameters": sum(one.numel() for one in network.parameters())}
    (out / "seen.json").write_text(json.dumps(said), encoding="utf-8")


def _predict(network: Any, raw: Path, out: Path) -> None:
    for path in sorted((raw / "imagesTs").glob("*.nii.gz")):
        image = nib.load(path)
        found = np.zeros(image.shape, np.uint8)
        for z, plane in enumerate(_planes(image)):
            height, width = plane.shape
            below, right = -height % 32, -width % 32
            padded = np.pad(plane, ((0, below), (0, right)))
            with torch.no_grad():
                shares = network(torch.from_numpy(padded)[None, None]).softmax(1)[0].numpy()
            shares = shares[:, :height, :width]
            factors = (1, image.shape[0] / height, image.shape[1] / width)
            found[..., z] = zoom(shares, factors, order=1, grid_mode=True, mode="nearest").argmax(0)
        name = path.name.replace("_0000", "")
        nib.save(nib.Nifti1Image(found, image.affine, image.header), out / "masks" / name)


def _slices(raw: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for path in sorted((raw / "imagesTr").glob("*.nii.gz")):
        image = nib.load(path)
        labels = np.asarray(nib.load(raw / "labelsTr" / path.name.replace("_0000", "")).dataobj)
        for z, plane in enumerate(_planes(image)):
            factors = [a / b for a, b in zip(plane.shape, labels.shape[:2], strict=True)]
            truth = zoom(labels[..., z], factors, order=0, grid_mode=True, mode="nearest")
            yield _middle(plane), _middle(truth.astype(np.int64))


def _planes(image: Any) -> Iterator[np.ndarray]:
    """Slices at the common spacing, brightness between two percentiles of the volume."""
    voxels = np.asarray(image.dataobj, np.float32)
    low, high = np.float32(np.percentile(voxels, (1, 99)))
    scaled = np.clip((voxels - low) / max(high - low, 1e-6), 0, 1)
    factors = [size / SPACING_MM for size in image.header.get_zooms()[:2]]
    for z in range(voxels.shape[2]):
        yield zoom(scaled[..., z], factors, order=1, grid_mode=True, mode="nearest")


def _middle(plane: np.ndarray) -> np.ndarray:
    missing = [max(0, SIDE - length) for length in plane.shape]
    padded = np.pad(plane, [(gap // 2, gap - gap // 2) for gap in missing])
    y, x = ((length - SIDE) // 2 for length in padded.shape)
    return padded[y : y + SIDE, x : x + SIDE]


def _turned(
    plane: np.ndarray, truth: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    turns, mirrored = int(random.integers(4)), bool(random.integers(2))
    pair = [np.rot90(one, turns) for one in (plane, truth)]
    a, b = [one[:, ::-1] if mirrored else one for one in pair]
    return np.ascontiguousarray(a), np.ascontiguousarray(b)


if __name__ == "__main__":
    main()
