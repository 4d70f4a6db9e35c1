"""Networks of volumes and with a margin: what they are shown, what they learn, how they resume."""

from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, SpatialChange, StackChange  # noqa: E402
from heartseg.models import architecture  # noqa: E402
from heartseg.models.unet import UNet  # noqa: E402
from heartseg.segment.window import Window  # noqa: E402
from heartseg.train.batches import Planes  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from heartseg.train.data import PreparedFrame  # noqa: E402
from heartseg.train.loop import LAST, Schedule, fit  # noqa: E402
from heartseg.train.objective import Criterion, Objective  # noqa: E402
from heartseg.train.segment_task import Learning, Segment  # noqa: E402
from heartseg.train.shown import require_crops, window_of  # noqa: E402
from heartseg.train.stacks import batches_for  # noqa: E402
from tests.train import tiny  # noqa: E402

CPU = torch.device("cpu")
THICK = {"name": "unet-3d-anisotropic", "widths": [4, 6, 8], "spacing_mm": [4.0, 1.5, 1.5]}
VALID = {"name": "unet-2015", "widths": [6, 8], "dropout": 0.0}
VOLUME = {"name": "unet-3d", "widths": [4, 6]}
CASES = {  # crop of the plane, and of the stack: what each network can take
    "thick": (THICK, 24, StackChange(slices=4, shift=1)),
    "valid": (VALID, 34, None),
    "volume": (VOLUME, 34, StackChange(slices=20, shift=0)),
}
STILL = {
    **dict.fromkeys(("rotation_degrees", "stretch", "shift_px", "flip", "elastic_px"), 0.0),
    "scaling": (1.0, 1.0),
}


def stack(number: int, slices: int = 5, rows: int = 32, columns: int = 40) -> PreparedFrame:
    """A tube that leans to the right and narrows along z, its wall on its left side thinner."""
    random = np.random.default_rng(number)
    z, y, x = np.mgrid[:slices, :rows, :columns]
    at = (rows / 2 - 3 + random.integers(0, 4), columns / 2 - 2 + random.integers(0, 4) + z)
    distance = np.hypot(y - at[0], x - at[1])
    wall = np.where(x < at[1], 8 - 0.5 * z, 9.5 - 0.5 * z)
    classes = np.select([distance < 5 - 0.5 * z, distance < wall], [1, 2], 0).astype(np.uint8)
    pixels = np.choose(classes, [0.2, 0.9, 0.5]) + 0.05 * random.standard_normal(classes.shape)
    return PreparedFrame(
        patient=f"patient{number:03}",
        phase=0,
        pixels=pixels.astype(np.float16).astype(np.float32).clip(0, 1),
        classes=classes,
    )


def batches(case: str, frames: Any = None, change: StackChange | None = None) -> Any:
    table, _, default = CASES[case]
    made = frames or [stack(2), stack(3, slices=3), stack(4, slices=6)]
    return batches_for(architecture(table), made, CPU, change or default)


def task(case: str, seed: int = 5, **learning: Any) -> Segment:
    table, size, _ = CASES[case]
    torch.manual_seed(seed)
    return Segment(
        architecture(table).build(1, 3),
        batches(case),
        [stack(10), stack(11, slices=3)],
        criterion=Criterion(Objective(), 3),
        learning=Learning(**{"batch": 2, "average": 0.9, **learning}),
        spatial=SpatialChange(size_px=size, shift_px=4.0, elastic_px=0.5),
        intensity=IntensityChange(gamma=0.1, contrast=0.1, brightness=0.05, bias_field=0.1),
        seed=seed,
    )


def exact(batch: Any, size: int, count: int = 1) -> Any:
    """Crops without any strength, about the heart."""
    return batch.draw(count, 0.0, SpatialChange(size_px=size, **STILL), 3, tiny_seed())


def tiny_seed() -> Any:
    return torch.Generator().manual_seed(0)


def centred(array: np.ndarray, classes: np.ndarray, size: int, *, mirror: bool) -> np.ndarray:
    """The crop of whole pixels about the heart, by numpy; the frame's heart lies on a pixel."""
    far = 40
    middle = np.argwhere(classes > 0)[:, 1:].mean(0)
    start = (middle - (size - 1) / 2 + far).round().astype(int)
    pads = [(0, 0), (far, far), (far, far)]
    padded = np.pad(array, pads, mode="reflect") if mirror else np.pad(array, pads)
    return padded[:, start[0] : start[0] + size, start[1] : start[1] + size]


def marked(slices: int = 5) -> PreparedFrame:
    """Noise without symmetry; the heart's centre lies half-way between pixels, near a corner."""
    random = np.random.default_rng(8)
    classes = np.zeros((slices, 21, 30), np.uint8)
    classes[:, 4:8, 20:26] = 1
    classes[:2, 4:8, 20:26] = 2
    pixels = random.random(classes.shape).astype(np.float16).astype(np.float32)
    return PreparedFrame(patient="patient002", phase=0, pixels=pixels, classes=classes)


def test_volumes_are_cut_whole_and_black_beyond_the_plane():
    frame = marked()
    change = StackChange(slices=5, shift=0, flip=0.0)
    crops, truth = exact(batches("thick", [frame], change), 24)
    assert crops.shape == truth.shape == (1, 5, 24, 24)
    wanted = centred(frame.pixels, frame.classes, 24, mirror=False)
    np.testing.assert_allclose(crops[0].numpy(), wanted, atol=1e-4)
    labels = centred(frame.classes, frame.classes, 24, mirror=False)
    assert np.array_equal(truth[0].numpy(), labels)
    assert (wanted == 0).sum() > 500


def test_a_margin_is_mirrored_and_its_labels_are_cut_off():
    frame = marked()
    crops, truth = exact(batches("valid", [frame]), 34, count=40)
    assert crops.shape == (40, 1, 34, 34)
    assert truth.shape == (40, 18, 18)
    wanted = centred(frame.pixels, frame.classes, 34, mirror=True)
    labels = centred(frame.classes, frame.classes, 34, mirror=True)[:, 8:-8, 8:-8]
    seen = set()
    for crop, classes in zip(crops[:, 0].numpy(), truth.numpy(), strict=True):
        z = int(np.abs(wanted - crop).max((1, 2)).argmin())
        seen.add(z)
        np.testing.assert_allclose(crop, wanted[z], atol=1e-4)
        assert np.array_equal(classes, labels[z])
    assert seen == {0, 1, 2, 3, 4}


def test_a_margin_of_volumes_is_mirrored_along_all_axes():
    frame = marked(slices=4)
    change = StackChange(slices=20, shift=0, flip=0.0)
    crops, truth = exact(batches("volume", [frame], change), 34)
    assert truth.shape == (1, 4, 18, 18)
    plane = centred(frame.pixels, frame.classes, 34, mirror=True)
    wanted = np.pad(plane, [(8, 8), (0, 0), (0, 0)], mode="reflect")
    np.testing.assert_allclose(crops[0].numpy(), wanted, atol=1e-4)
    labels = centred(frame.classes, frame.classes, 34, mirror=True)[:, 8:-8, 8:-8]
    assert np.array_equal(truth[0].numpy(), labels)


def test_padded_networks_of_planes_see_planes_as_ever():
    assert isinstance(batches_for(architecture({"widths": [4, 6]}), [stack(2)], CPU), Planes)


def test_stacks_are_fed_with_z_before_y():
    batch = batches("thick", [marked()], StackChange(slices=4, shift=0))
    crops, _ = exact(batch, 24, count=2)
    pixels = batch.as_input(crops)
    assert pixels.shape == (2, 1, 4, 24, 24)
    assert torch.equal(pixels[:, 0], crops)


@pytest.mark.parametrize("case", ["thick", "valid", "volume"])
def test_a_whole_frame_is_seen_as_in_one_look(case):
    """Three slices of 24 x 36: the stride takes four, the margin is mirrored about them."""
    torch.manual_seed(3)
    table = CASES[case][0]
    network = architecture(table).build(1, 3).eval()
    frame = stack(6, slices=3, rows=24, columns=36)
    margin = (0, 0, 0) if case == "thick" else (8, 8, 8) if case == "volume" else (0, 8, 8)
    behind = (1, 0, 0) if case == "thick" else (1, 0, 0) if case == "volume" else (0, 0, 0)
    pads = [(m, m + b) for m, b in zip(margin, behind, strict=True)]
    mirrored = torch.from_numpy(np.pad(frame.pixels, pads, mode="reflect"))
    with torch.no_grad():
        found = batches(case).answered(network, frame.pixels).argmax(1)
        if case == "valid":
            wanted = network(mirrored[:, None]).argmax(1)
        else:
            wanted = network(mirrored[None, None]).argmax(1)[0, :3]
    assert found.shape == (3, 24, 36)
    assert torch.equal(found, wanted)
    assert len(found.unique()) > 1


def test_the_levels_of_a_supervised_network_of_volumes_are_judged(monkeypatch):
    poolings = [[1, 2, 2], [2, 2, 2], [1, 2, 2]]
    residual = {"widths": [4, 4, 6, 6], "blocks": [1] * 4, "poolings": poolings}
    monkeypatch.setitem(CASES, "supervised", ({"name": "residual-unet-2d", **residual}, 16, None))
    learner = task("supervised")
    heads = list(learner.network.supervision.parameters())
    before = [weight.clone() for weight in heads]
    learner.step(1.0)
    assert heads
    assert not any(torch.equal(a, b) for a, b in zip(before, heads, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_resuming_is_exact_to_the_bit(case, tmp_path):
    straight, first = task(case), task(case)
    rate = Schedule(steps=4, warm_up=1).rate
    for step in range(4):
        straight.step(rate(step))
    for step in range(2):
        first.step(rate(step))
    save_checkpoint(tmp_path / LAST, {"step": 2, "best": 0.0, "task": first.state()})
    second = task(case, seed=99)
    second.step(1.0)
    second.restore(load_checkpoint(tmp_path / LAST)["task"])
    for step in range(2, 4):
        second.step(rate(step))
    assert tiny.difference(straight.state(), second.state()) == ""
    assert straight.validate() == second.validate()


@pytest.mark.parametrize("case", CASES)
def test_tubes_are_learnt(case, tmp_path):
    learner, losses = task(case, rate=2e-2), []
    before = learner.validate()["score"]

    def watch(step, numbers):
        if "cross_entropy" in numbers:
            losses.append(numbers["cross_entropy"] + numbers["soft_dice_loss"])

    schedule = Schedule(steps=60, warm_up=3, validate_every=60, log_every=1)
    fit(learner, schedule, tmp_path, resume=False, watch=watch)
    after = learner.validate()
    assert np.mean(losses[-10:]) < 0.65 * np.mean(losses[:3])
    assert after["score"] > before + 0.4


@pytest.mark.parametrize(
    ("table", "size", "change", "message"),
    [
        (THICK, 22, None, "spatial.size_px: got 22.*stride, 4"),
        (THICK, 24, StackChange(slices=5), "stack.slices: got 5.*stride, 2"),
        (VALID, 36, None, None),
        (VALID, 35, None, "spatial.size_px: got 35; allowed: multiples of the network's stride"),
        (VALID, 12, None, "spatial.size_px: got 12; allowed: at least 18"),
        ({"name": "unet-2015"}, 190, None, "allowed: 188, 204, 220 and so on"),
        (VOLUME, 34, None, "stack.slices: got 8; allowed: at least 18"),
        ({"widths": [4, 6]}, 24, StackChange(), "stack.*network of planes.*leave"),
    ],
)
def test_crops_that_a_network_cannot_take_are_said(table, size, change, message):
    if message is None:
        require_crops(architecture(table), size, change)
        return
    with pytest.raises(ConfigError, match=message):
        require_crops(architecture(table), size, change)


def test_windows_follow_from_the_networks():
    assert window_of(architecture({"widths": [4, 6]})) is None
    assert window_of(architecture({"name": "unet-3d"})) == Window(
        margin_px=(44,) * 3,
        smallest_px=(92,) * 3,
        stride_px=(8,) * 3,
        largest_px=(116, 132, 132),
    )
    deeper = window_of(architecture({"name": "unet-3d", "widths": [4] * 5}))
    assert deeper.takes(deeper.largest_px)  # the paper's tile is below its smallest
    assert window_of(architecture(THICK)) == Window(
        margin_px=(0,) * 3,
        smallest_px=(2, 4, 4),
        stride_px=(2, 4, 4),
        largest_px=(96, 2048, 2048),
    )


def test_a_network_of_one_size_is_shown_tiles_of_it(monkeypatch):
    monkeypatch.setattr(UNet, "free_export", False)
    monkeypatch.setattr(UNet, "native_size", (96, 96))
    one = window_of(architecture({"name": "unet"}))
    assert one.only_px == (96,) * 2
    assert one.margin_px == (12,) * 2
