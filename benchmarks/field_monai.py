"""MONAI's side of field.py: SegResNet with MONAI's own reading, augmentation, loss and inferer.

    python benchmarks/field_monai.py train|predict RAW OUT MINUTES

By the pattern of MONAI's tutorials, for slices: resampled to 1.5 mm, brightness between two
percentiles, a random 160 x 160 crop, turned and mirrored; Dice and cross-entropy in one loss, AdamW
at 1e-3 that falls to nothing over the time. RAW is a data set in nnU-Net's layout; masks go to
OUT/masks, and OUT/seen.json says what was seen.
"""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from monai import transforms as mt
from monai.data import CacheDataset, DataLoader, set_track_meta
from monai.inferers import SliceInferer
from monai.losses import DiceCELoss
from monai.networks.nets import SegResNet
from monai.utils import set_determinism

SPACING_MM, SIDE, BATCH, CLASSES = 1.5, 160, 16, 4
SLICES = 4
"""Crops of a volume, each of another slice: four volumes make a batch."""


def main() -> None:
    """Learn, or predict what was not learnt from."""
    step, raw, out, minutes = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    set_determinism(0)
    network = SegResNet(
        spatial_dims=2,
        init_filters=32,
        in_channels=1,
        out_channels=CLASSES,
        blocks_down=(1, 2, 2, 4),
        blocks_up=(1, 1, 1),
    )
    if step == "train":
        _train(network, raw, out, minutes)
    else:
        network.load_state_dict(torch.load(out / "weights.pt", weights_only=True))
        _predict(network.eval(), raw, out)


def _prepared(keys: tuple[str, ...]) -> list[Any]:
    modes = ("bilinear", "nearest")[: len(keys)]
    return [
        mt.LoadImaged(keys),
        mt.EnsureChannelFirstd(keys),
        mt.Spacingd(keys, pixdim=(SPACING_MM, SPACING_MM, -1), mode=modes),
        mt.ScaleIntensityRangePercentilesd("image", 1, 99, 0, 1, clip=True),
    ]


def _augmented(keys: tuple[str, ...]) -> list[Any]:
    modes = ("bilinear", "nearest")
    return [
        mt.SpatialPadd(keys, (SIDE, SIDE, -1)),
        mt.RandSpatialCropSamplesd(keys, (SIDE, SIDE, 1), SLICES, random_size=False),
        mt.SqueezeDimd(keys, -1),
        mt.RandRotate90d(keys, prob=0.75, max_k=3),
        mt.RandFlipd(keys, prob=0.5, spatial_axis=0),
        mt.RandAffined(keys, prob=0.5, rotate_range=0.5, scale_range=0.2, mode=modes),
        mt.RandGaussianNoised("image", prob=0.2, std=0.05),
        mt.RandAdjustContrastd("image", prob=0.2, gamma=(0.7, 1.5)),
    ]


def _train(network: Any, raw: Path, out: Path, minutes: float) -> None:
    keys = ("image", "label")
    cases = [
        {"image": str(path), "label": str(raw / "labelsTr" / path.name.replace("_0000", ""))}
        for path in sorted((raw / "imagesTr").glob("*.nii.gz"))
    ]
    steps = mt.Compose([*_prepared(keys), *_augmented(keys)])
    cached = CacheDataset(cases, steps, num_workers=0, progress=False)
    loader = DataLoader(cached, batch_size=BATCH // SLICES, shuffle=True, num_workers=0)
    criterion = DiceCELoss(to_onehot_y=True, softmax=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-5)
    seen, begun = 0, time.perf_counter()
    while (share := (time.perf_counter() - begun) / (60 * minutes)) < 1:
        for batch in loader:
            share = (time.perf_counter() - begun) / (60 * minutes)
            if share >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * share))
            pixels, truth = (batch[key].as_tensor() for key in keys)
            optimiser.zero_grad()
            criterion(network(pixels), truth).backward()
            optimiser.step()
            seen += len(pixels)
    torch.save(network.state_dict(), out / "weights.pt")
    said = {"images": seen, "parameters": sum(one.numel() for one in network.parameters())}
    (out / "seen.json").write_text(json.dumps(said), encoding="utf-8")


def _predict(network: Any, raw: Path, out: Path) -> None:
    prepare = mt.Compose([*_prepared(("image",)), mt.DivisiblePadd("image", (8, 8, 1))])
    finish = mt.Compose(
        [
            mt.Invertd("found", prepare, orig_keys="image", nearest_interp=False, to_tensor=True),
            mt.AsDiscreted("found", argmax=True),
        ]
    )
    writer = mt.SaveImage(
        out / "masks", output_postfix="", separate_folder=False, print_log=False, dtype="uint8"
    )
    set_track_meta(True)
    for path in sorted((raw / "imagesTs").glob("*.nii.gz")):
        loaded = prepare({"image": str(path)})
        pixels = loaded["image"][None]
        infer = SliceInferer(roi_size=pixels.shape[2:4], spatial_dim=2, sw_batch_size=8)
        with torch.no_grad():
            shares = infer(pixels, network).softmax(1)
        found = finish({**loaded, "found": shares[0]})["found"]
        name = path.name.replace("_0000.nii.gz", "")
        writer(found, filename=out / "masks" / name)


if __name__ == "__main__":
    main()
