"""Networks of planes that are shown neighbouring slices: drawn, moved, begun, trained, bundled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Preparation
from heartseg.prepare.neighbours import with_neighbours

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, SpatialChange, change_intensity  # noqa: E402
from heartseg.augment.clahe import equalise  # noqa: E402
from heartseg.models import architecture, build_network  # noqa: E402
from heartseg.segment import load_bundle, write_bundle  # noqa: E402
from heartseg.segment.frames import frames  # noqa: E402
from heartseg.segment.openvino_runtime import OpenVinoRuntime  # noqa: E402
from heartseg.segment.torch_runtime import TorchRuntime, load_network  # noqa: E402
from heartseg.train.artefact import train_model  # noqa: E402
from heartseg.train.checkpoint import save_checkpoint  # noqa: E402
from heartseg.train.data import PreparedFrame, PreparedSet  # noqa: E402
from heartseg.train.examples import Example  # noqa: E402
from heartseg.train.learning import Learning  # noqa: E402
from heartseg.train.run import build_task  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402
from heartseg.train.split import Split  # noqa: E402
from heartseg.train.stacks import batches_for  # noqa: E402
from heartseg.train.start import Start  # noqa: E402

CPU = torch.device("cpu")
STILL: dict[str, Any] = {
    **dict.fromkeys(("rotation_degrees", "stretch", "shift_px", "flip", "elastic_px"), 0.0),
    "scaling": (1.0, 1.0),
}
SMALL: dict[str, Any] = {"name": "unet", "widths": [3, 4]}
VALID: dict[str, Any] = {"name": "unet-2015", "widths": [6, 8], "dropout": 0.0}


def seeded(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def ramp(patient: str, slices: int, first: float) -> PreparedFrame:
    """Grey rises by 1/16 a slice, and all slices of all frames differ; slices 1 and 2 are drawn."""
    grey = first + np.arange(slices, dtype=np.float32)[:, None, None] / 16
    pixels = np.broadcast_to(grey, (slices, 18, 26)).copy()
    classes = np.zeros(pixels.shape, np.uint8)
    classes[1:3, 6:9, 10:15] = 1
    return PreparedFrame(patient=patient, phase=0, pixels=pixels, classes=classes)


RAMPS = (ramp("patient002", 5, 0.0), ramp("patient003", 3, 0.5))
FRAME_OF = {round(16 * float(p)): f for f in RAMPS for p in f.pixels[:, 0, 0]}


def task_of(settings: RunSettings) -> Any:
    return build_task(settings, [ramp("patient002", 2, 0.0)], [], CPU)


def table(seen: Any) -> list[list[int]]:
    """Grey of the middles of crops (n, channels, s, s), in sixteenths."""
    half = seen.shape[-1] // 2
    found: list[list[int]] = (seen[..., half, half] * 16).round().long().tolist()
    return found


@pytest.mark.parametrize("model", [SMALL, VALID])
@pytest.mark.parametrize("reverse", [0.0, 1.0])
def test_a_plane_is_drawn_with_its_own_neighbours_and_moved_with_them(
    model: dict[str, Any], reverse: float
) -> None:
    size = 12 if model is SMALL else 34
    batch = batches_for(architecture(model), RAMPS, CPU, neighbours=1)
    change = SpatialChange(size_px=size, reverse=reverse, **STILL)
    crops, truth = batch.draw(60, 0.0, change, 2, seeded())
    assert crops.shape == (60, 3, size, size)
    seen = set()
    for (before, own, after), labels in zip(table(crops), truth, strict=True):
        frame = FRAME_OF[own]
        greys = [round(16 * float(p)) for p in frame.pixels[:, 0, 0]]
        z = greys.index(own)
        below, above = greys[max(z - 1, 0)], greys[min(z + 1, len(greys) - 1)]
        assert [before, after] == ([above, below] if reverse else [below, above])
        assert bool(labels.any()) == (z in (1, 2))  # the truth is that of the slice itself
        seen.add(own)
    assert len(seen) == 8
    assert batch.as_input(crops).shape == crops.shape


def test_neighbours_change_sides_half_of_the_time_unless_told_otherwise() -> None:
    prepared = PreparedSet(RAMPS, CPU, neighbours=1)
    shown = prepared.draw_shown(torch.full((4000,), 2), SpatialChange().reverse, seeded())
    assert set(map(tuple, shown.tolist())) == {(1, 2, 3), (3, 2, 1)}
    assert (shown[:, 0] == 3).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_planes_alone_are_drawn_to_the_bit_as_before_there_were_neighbours() -> None:
    prepared, generator = PreparedSet(RAMPS, CPU), seeded()
    planes, classes, _ = prepared.draw(20, 0.3, generator, reverse=0.5)
    plain = seeded()
    index = torch.randint(8, (20,), generator=plain)
    prepared.draw_centres(index, 0.3, plain)
    assert torch.equal(planes, prepared.planes[index, None].float())
    assert torch.equal(classes, prepared.classes[index])
    assert torch.equal(generator.get_state(), plain.get_state())


def test_some_planes_are_drawn_at_the_ends_of_the_heart() -> None:
    """Slices 1 and 2 hold something: 0 and 3 lie just beyond; frames 0 to 4 and 5 to 7."""
    assert PreparedSet(RAMPS, CPU).ends.tolist() == [0, 1, 2, 3, 5, 6, 7]
    deep = ramp("patient004", 9, 0.0)
    deep.classes[2:7, 6:9, 10:15] = 1
    deep.classes[1] = 0
    prepared = PreparedSet([deep], CPU, ends=0.75)
    assert prepared.ends.tolist() == [1, 2, 6, 7]
    drawn = prepared.draw_planes(4000, seeded())
    at_ends = torch.isin(drawn, prepared.ends).float().mean().item()
    assert at_ends == pytest.approx(0.75 + 0.25 * 4 / 9, abs=0.03)
    empty = PreparedFrame("patient005", 0, deep.pixels, np.zeros_like(deep.classes))
    assert PreparedSet([empty], CPU, ends=0.75).draw_planes(50, seeded()).unique().numel() == 9


def test_all_channels_move_and_change_alike_but_for_their_noise() -> None:
    frame = RAMPS[0]
    random = np.random.default_rng(4).random(frame.pixels.shape[1:], np.float32)
    same = PreparedFrame("patient009", 0, np.stack([random] * 5), frame.classes)
    batch = batches_for(architecture(SMALL), [same], CPU, neighbours=1)
    crops, _ = batch.draw(8, 0.2, SpatialChange(size_px=16), 2, seeded())
    assert crops.std() > 0.1
    assert torch.equal(crops[:, :1].expand_as(crops), crops)
    quiet = IntensityChange(noise=0.0, clahe=1.0, clahe_tiles=2, blur=1.0)
    changed = change_intensity(crops, quiet, seeded())
    assert torch.equal(changed[:, :1].expand_as(changed), changed)
    assert not torch.allclose(changed, crops, atol=0.01)
    noisy = change_intensity(crops, IntensityChange(), seeded())
    assert not torch.equal(noisy[:, 0], noisy[:, 1])


def test_contrast_is_evened_out_channel_by_channel() -> None:
    planes = (
        torch.rand(2, 3, 16, 24, generator=seeded()) * torch.tensor([0.3, 0.6, 1.0])[:, None, None]
    )
    together = equalise(planes, 2, 2.0)
    for channel in range(3):
        alone = equalise(planes[:, channel : channel + 1], 2, 2.0)
        assert torch.equal(together[:, channel : channel + 1], alone)


@pytest.mark.parametrize("model", [SMALL, VALID])
def test_a_whole_frame_is_validated_as_a_bundle_would_see_it(model: dict[str, Any]) -> None:
    pixels = np.random.default_rng(3).random((4, 24, 36), np.float32)
    torch.manual_seed(3)
    network = architecture(model).build(3, 3).eval()
    with torch.no_grad():
        found = batches_for(architecture(model), RAMPS, CPU, neighbours=1).answered(network, pixels)
        if model is SMALL:
            wanted = network(torch.from_numpy(with_neighbours(pixels, 1)))
        else:
            padded = np.pad(pixels, [(0, 0), (8, 8), (8, 8)], mode="reflect")
            wanted = network(torch.from_numpy(with_neighbours(padded, 1)))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(("before", "channels"), [(1, 3), (1, 5), (3, 5)])
def test_a_network_goes_on_from_one_that_was_shown_fewer_slices(
    before: int, channels: int, tmp_path: Path
) -> None:
    torch.manual_seed(7)
    narrow = build_network("unet", before, 3, widths=(4, 6)).eval()
    state = {"average": narrow.state_dict()}
    save_checkpoint(tmp_path / "old.pt", {"step": 1, "best": 0.0, "task": state})
    wide = build_network("unet", channels, 3, widths=(4, 6)).eval()
    Start(weights_from="old.pt").begin(wide, tmp_path, channels)
    pixels = torch.rand(2, channels, 16, 24, generator=seeded())
    side = (channels - before) // 2
    with torch.no_grad():
        torch.testing.assert_close(wide(pixels), narrow(pixels[:, side : side + before]))
    assert wide.encoder[0][0].weight.requires_grad  # type: ignore[index, union-attr]


def test_a_network_does_not_go_on_from_one_that_was_shown_more(tmp_path: Path) -> None:
    state = {"average": build_network("unet", 3, 3, widths=(4, 6)).state_dict()}
    save_checkpoint(tmp_path / "old.pt", {"step": 1, "best": 0.0, "task": state})
    with pytest.raises(ModelError, match=r"encoder\.0\.0\.weight is \(4, 3, 3, 3\) there"):
        Start(weights_from="old.pt").begin(build_network("unet", 1, 3, widths=(4, 6)), tmp_path, 1)


def test_the_shipped_model_answers_the_same_before_the_first_step() -> None:
    bundle = load_bundle("cine-mr")
    settings = RunSettings(
        name="wide",
        folder="",
        model=bundle.architecture,
        preparation=Preparation(neighbours=bundle.preparation.neighbours + 1),
        start=Start(weights_from="cine-mr"),
        learning=Learning(batch=1),
    )
    task = task_of(settings)
    pixels = torch.rand(1, settings.preparation.channels, 64, 96, generator=seeded())
    with torch.no_grad():
        wanted = load_network(bundle).eval()(pixels[:, 1:-1])
        torch.testing.assert_close(task.average(pixels), wanted)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"preparation": Preparation(neighbours=1), "model": {"name": "unet-3d"}}, "neighbours"),
        ({"learning": Learning(ends=0.5), "model": {"name": "unet-3d"}}, r"learning\.ends"),
        ({"preparation": Preparation(neighbours=1), "split": Split(slices=9)}, r"split\.slices"),
    ],
)
def test_what_cannot_be_together_is_refused(changed: dict[str, Any], said: str) -> None:
    planes: dict[str, Any] = {"model": SMALL, "spatial": SpatialChange(size_px=132)}
    settings = RunSettings(name="odd", folder="", **{**planes, **changed})
    with pytest.raises(ConfigError, match=said):
        task_of(settings)


def stack(patient: str, seed: int) -> Example:
    """Every slice is noise but for the square that the slice above it has as its label.

    What a slice is can be read from its neighbour alone.
    """
    random = np.random.default_rng(seed)
    image = random.random((6, 32, 32)).astype(np.float32) * 0.2
    labels = np.zeros(image.shape, np.uint8)
    for z in range(5):
        top, left = random.integers(4, 20, 2)
        labels[z, top : top + 8, left : left + 8] = 3
        image[z + 1, top : top + 8, left : left + 8] += 0.8
    return Example(image=image, labels=labels, spacing_mm=(10.0, 1.0, 1.0), patient=patient)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A bundle of a small network with one neighbour, of a run of a few steps."""
    changes = [
        *("model.widths=[4, 6]", "spatial.size_px=16", "learning.batch=2", "learning.average=0.5"),
        *("preparation.spacing_mm=1.0", "preparation.stride=2", "preparation.field_px=32"),
        *("preparation.neighbours=1", "schedule.steps=3", "schedule.warm_up=0"),
    ]
    folder = tmp_path_factory.mktemp("neighbours")
    patients = [stack(f"patient{n:03}", n) for n in range(1, 6)]
    return train_model(patients, folder, changes=changes, device="cpu")


def test_a_bundle_says_how_many_slices_it_is_shown_and_both_engines_agree(trained: Any) -> None:
    assert load_bundle(trained.folder).preparation.neighbours == 1
    image = Image(stack("p", 9).image[None], Geometry.from_pixels((6, 32, 32), (10.0, 1.0, 1.0)))
    engines = (OpenVinoRuntime(trained, precision="f32"), TorchRuntime(trained, "cpu"))
    one, other = (next(frames(image, trained, engine)) for engine in engines)
    np.testing.assert_allclose(one, other, atol=1e-4)
    changed = image.voxels.copy()
    changed[0, 3] = changed[0, 3, ::-1].copy()  # the range of grey stays
    after = next(frames(image.like(changed), trained, engines[1]))
    differs = [z for z in range(6) if not np.allclose(after[:, z], other[:, z], atol=1e-6)]
    assert differs == [2, 3, 4]


def test_a_bundle_whose_weights_see_another_number_of_slices_is_refused(
    trained: Any, tmp_path: Path
) -> None:
    alone = replace(trained, preparation=replace(trained.preparation, neighbours=0))
    with pytest.raises(ModelError, match=r"input of shape \(None, 3, None, None\)"):
        write_bundle(tmp_path / "odd", trained.onnx, alone)
