"""Looking through a window gives what one look at the whole, mirrored image gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.segment import Bundle, Description, frames, load_bundle, write_bundle
from heartseg.segment.openvino_runtime import OpenVinoRuntime
from heartseg.segment.window import Window, slices_through, through

VALID = Window(
    margin_px=(92, 92), smallest_px=(188, 188), stride_px=(16, 16), largest_px=(252, 236)
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).random(shape, dtype=np.float32)


def box_mean(pixels: np.ndarray) -> np.ndarray:
    """A valid 5 x 3 mean and its opposite: (n, 1, y, x) -> (n, 2, y - 4, x - 2)."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (5, 3), axis=(2, 3))
    mean = windows.mean((-2, -1)).astype(np.float32)
    return np.concatenate([mean, 1 - mean], axis=1)


BOX = Window(margin_px=(2, 1), smallest_px=(5, 4), stride_px=(1, 2), largest_px=(11, 8))


@pytest.mark.parametrize("size", [(1, 1), (7, 6), (8, 7), (30, 41), (29, 40), (3, 50)])
def test_any_size_is_answered_as_in_one_look(size: tuple[int, int]) -> None:
    pixels = noise(2, 1, *size)
    whole = box_mean(np.pad(pixels, [(0, 0), (0, 0), (2, 2), (1, 1)], mode="reflect"))
    np.testing.assert_allclose(through(pixels, BOX, box_mean), whole, atol=1e-6)


def test_no_input_is_larger_than_allowed_or_illegal() -> None:
    seen: list[tuple[int, ...]] = []

    def look(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels.shape[2:])
        return box_mean(pixels)

    through(noise(1, 1, 30, 41), BOX, look)
    through(noise(1, 1, 4, 3), BOX, look)
    assert all(BOX.takes(size) for size in seen)
    assert seen[-1] == (8, 6)  # as little as covers 4 x 3 with its margins: 8 x 5 is not legal
    assert max(size[0] for size in seen) == 11


def test_a_padded_network_s_border_is_cut_off() -> None:
    window = Window(margin_px=(2, 2), smallest_px=(6, 6), stride_px=(2, 2), largest_px=(12, 12))

    def padded(pixels: np.ndarray) -> np.ndarray:
        return box_mean(np.pad(pixels, [(0, 0), (0, 0), (2, 2), (1, 1)]))  # zeros spoil the rim

    pixels = noise(1, 1, 21, 18)
    whole = box_mean(np.pad(pixels, [(0, 0), (0, 0), (2, 2), (1, 1)], mode="reflect"))
    np.testing.assert_allclose(through(pixels, window, padded), whole, atol=1e-6)


def test_volumes_are_looked_at_the_same_way() -> None:
    window = Window(
        margin_px=(1, 2, 0), smallest_px=(3, 5, 4), stride_px=(1, 2, 4), largest_px=(5, 9, 8)
    )

    def look(pixels: np.ndarray) -> np.ndarray:
        return pixels[:, :, 1:-1, 2:-2] + pixels[:, :, 2:, 4:] - pixels[:, :, :-2, :-4]

    pixels = noise(1, 1, 7, 12, 10)
    whole = look(np.pad(pixels, [(0, 0), (0, 0), (1, 1), (2, 2), (0, 0)], mode="reflect"))
    np.testing.assert_allclose(through(pixels, window, look), whole, atol=1e-6)


def test_slices_are_planes_or_one_volume_by_the_axes_of_the_window() -> None:
    """What a network says of slice z may hang on its neighbours only if it sees volumes."""
    slices = noise(5, 1, 6, 8)
    seen: list[tuple[int, ...]] = []

    def look(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels.shape)
        upper = pixels[:, :, :1] * 0 + pixels.mean(2, keepdims=True)
        return np.concatenate([pixels, upper + pixels * 0], axis=1)

    plane = Window(margin_px=(0, 0), smallest_px=(2, 2), stride_px=(2, 2), largest_px=(64, 64))
    volume = Window(
        margin_px=(0, 0, 0), smallest_px=(4, 2, 2), stride_px=(4, 2, 2), largest_px=(64, 64, 64)
    )
    one, other = (slices_through(window, look)(slices) for window in (plane, volume))
    assert seen == [(5, 1, 6, 8), (1, 1, 8, 6, 8)]
    assert one.shape == other.shape == (5, 2, 6, 8)
    for found in (one, other):
        np.testing.assert_array_equal(found[:, :1], slices)
    rows = np.broadcast_to(slices.mean(2, keepdims=True), slices.shape)
    np.testing.assert_allclose(one[:, 1:], rows, atol=1e-6)
    through_plane = np.pad(slices, [(0, 3), (0, 0), (0, 0), (0, 0)], mode="reflect").mean(0)
    np.testing.assert_allclose(other[:, 1], np.broadcast_to(through_plane, (5, 6, 8)), atol=1e-6)


def test_tiles_of_one_size_leave_no_gap_whatever_their_stride() -> None:
    one_size = Window(margin_px=(2, 2), smallest_px=(9, 9), stride_px=(7, 7), largest_px=(9, 9))
    assert one_size.only_px == (9, 9)
    assert VALID.only_px is None

    def look(pixels: np.ndarray) -> np.ndarray:
        return pixels[..., 2:-2, 2:-2]

    pixels = noise(1, 1, 23, 14)
    np.testing.assert_array_equal(through(pixels, one_size, look), pixels)


@pytest.fixture(scope="module")
def valid_network() -> Any:
    """The U-Net of 2015, narrow."""
    torch = pytest.importorskip("torch")
    from heartseg.models import build_network

    torch.manual_seed(1)
    return build_network("unet-2015", 1, 2, widths=[4, 4, 6, 8, 10]).eval()


@pytest.mark.parametrize("size", [(100, 131), (64, 48), (20, 9)])
def test_the_tiles_of_ronneberger_join_to_one_pass(
    valid_network: Any, size: tuple[int, int]
) -> None:
    """Four poolings: only tiles that begin 16 pixels apart pair the same pixels."""
    import torch

    def look(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            answer: np.ndarray = valid_network(torch.from_numpy(pixels)).numpy()
        return answer

    pixels = noise(2, 1, *size)
    rows, columns = (-(-(n - 4) // 16) * 16 + 4 for n in size)  # what one legal pass answers
    pads = [(92, 92 + rows - size[0]), (92, 92 + columns - size[1])]
    whole = look(np.pad(pixels, [(0, 0), (0, 0), *pads], mode="reflect"))
    joined = through(pixels, VALID, look)
    np.testing.assert_allclose(joined, whole[..., : size[0], : size[1]], atol=1e-5)
    assert np.ptp(joined) > 0.05  # or there would be nothing to see


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_px": (92,)},
        {"margin_px": (94, 94)},
        {"largest_px": (260, 236)},
        {"largest_px": (172, 236)},
        {"stride_px": (0, 16)},
    ],
)
def test_a_window_that_cannot_be_is_refused(wrong: dict[str, tuple[int, ...]]) -> None:
    settings = {
        "margin_px": (92, 92),
        "smallest_px": (188, 188),
        "stride_px": (16, 16),
        "largest_px": (252, 236),
    }
    with pytest.raises(ConfigError, match="window"):
        Window(**{**settings, **wrong})


@pytest.fixture(scope="module")
def valid_bundle(valid_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """That network as a bundle, read again."""
    from heartseg.models import architecture
    from heartseg.train.export import export_onnx
    from heartseg.train.shown import window_of

    table = {"name": "unet-2015", "widths": [4, 4, 6, 8, 10]}
    description = Description(
        name="valid",
        version="0",
        licence="CC0",
        modality=Modality.MR,
        view=View.SAX,
        structures=tuple(Structure)[:2],
        architecture=table,
        preparation=Preparation(spacing_mm=2.0, stride=8, field_px=256),
        window=replace(window_of(architecture(table)), largest_px=(236, 220)),
    )
    folder = tmp_path_factory.mktemp("bundles") / "valid"
    write_bundle(folder, export_onnx(valid_network, 1, (188, 204)), description)
    return load_bundle(folder)


def test_a_bundle_keeps_its_window(valid_bundle: Bundle) -> None:
    assert valid_bundle.window == Window(
        margin_px=(92, 92), smallest_px=(188, 188), stride_px=(16, 16), largest_px=(236, 220)
    )
    engine = OpenVinoRuntime(valid_bundle, precision="f32")
    with pytest.raises(
        ModelError, match=r"planes of 190x188; allowed: \(188, 188\) and \(16, 16\)"
    ):
        engine.infer(np.zeros((1, 1, 190, 188), np.float32))


@pytest.mark.parametrize("turns", [1, 4])
def test_a_study_is_segmented_on_its_own_grid(valid_bundle: Bundle, turns: int) -> None:
    """Two frames of (3, 90, 71) pixels, 9 x 1.6 x 1.4 mm: larger than any one answer."""
    geometry = Geometry((3, 90, 71), np.diag([9.0, 1.6, 1.4, 1.0])[[2, 1, 0, 3]])
    source = Image(noise(2, 3, 90, 71), geometry)
    engine = OpenVinoRuntime(valid_bundle, precision="f32")
    found = list(frames(source, valid_bundle, engine, turns=turns))
    assert [one.shape for one in found] == [(2, 3, 90, 71)] * 2
    for one in found:
        np.testing.assert_allclose(one.sum(0), 1, atol=1e-5)
    from heartseg.segment.torch_runtime import TorchRuntime

    torch_engine = TorchRuntime(valid_bundle, "cpu")
    again = list(frames(source, valid_bundle, torch_engine, turns=turns))
    np.testing.assert_allclose(found, again, atol=1e-5)


def test_a_window_that_the_network_does_not_keep_is_an_error_of_the_model(
    valid_bundle: Bundle,
) -> None:
    narrow = Window(
        margin_px=(80, 92), smallest_px=(188, 188), stride_px=(16, 16), largest_px=(236, 220)
    )
    engine = OpenVinoRuntime(valid_bundle, precision="f32")
    with pytest.raises(ModelError, match="window"):
        through(noise(1, 1, 50, 50), narrow, engine.infer)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (None, "free, 1, free, free"),
        (
            Window(
                margin_px=(0,) * 3, smallest_px=(4,) * 3, stride_px=(4,) * 3, largest_px=(8,) * 3
            ),
            "free, 1, free, free, free",
        ),
        (
            Window(margin_px=(0, 0), smallest_px=(4, 4), stride_px=(1, 1), largest_px=(4, 4)),
            "(free, 1, 4, 4)",
        ),
    ],
)
def test_a_network_must_take_what_its_window_shows(
    valid_bundle: Bundle, tmp_path: Path, window: Window | None, said: str
) -> None:
    onnx = _reshaped(valid_bundle.onnx, [188, 188])
    with pytest.raises(ModelError, match="input of shape") as told:
        write_bundle(tmp_path / "b", onnx, replace(valid_bundle, window=window))
    assert said in str(told.value)


def _reshaped(onnx_bytes: bytes, size: list[int]) -> bytes:
    import onnx

    model = onnx.load_from_string(onnx_bytes)
    for axis, length in enumerate(size, start=2):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = length
    return bytes(model.SerializeToString())


def test_a_window_that_would_fill_the_memory_for_a_few_voxels_is_refused(
    valid_bundle: Bundle, tmp_path: Path
) -> None:
    for smallest, stride in ((400, 1), (1, 1999)):
        greedy = Window(
            margin_px=(0,) * 3,
            smallest_px=(smallest,) * 3,
            stride_px=(stride,) * 3,
            largest_px=(2000,) * 3,
        )
        with pytest.raises(ModelError, match="where a few would do"):
            write_bundle(
                tmp_path / "greedy", valid_bundle.onnx, replace(valid_bundle, window=greedy)
            )


def test_a_huge_window_is_refused(valid_bundle: Bundle, tmp_path: Path) -> None:
    huge = replace(valid_bundle.window, largest_px=(188 + 16 * 1000, 188))
    with pytest.raises(ModelError, match="at most 2048"):
        write_bundle(tmp_path / "huge", valid_bundle.onnx, replace(valid_bundle, window=huge))
