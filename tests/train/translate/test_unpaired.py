"""Batches of two data sets: patients first, never one patient twice in a pair."""

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from heartseg.augment import SpatialChange  # noqa: E402
from heartseg.core.errors import StudyError  # noqa: E402
from heartseg.losses import IGNORED  # noqa: E402
from heartseg.train.data import PreparedFrame  # noqa: E402
from heartseg.train.translate.unpaired import Unpaired, fixed_crops  # noqa: E402
from tests.train.translate import small  # noqa: E402

STILL = SpatialChange(
    size_px=8, rotation_degrees=0, scaling=(1, 1), stretch=0, shift_px=0, flip=0, elastic_px=0
)


def flat(patient: str, value: float, planes: int = 1, phase: int = 0) -> PreparedFrame:
    """Grey planes that tell whose they are."""
    pixels = np.full((planes, 12, 16), value, np.float32)
    return PreparedFrame(patient, phase, pixels, np.full(pixels.shape, IGNORED, np.uint8))


def unpaired(source, target) -> Unpaired:
    return Unpaired(source, target, small.CPU, classes=3)


def test_patients_are_drawn_alike_whatever_their_slices():
    source = [flat("a", 0.1, 1), flat("b", 0.2, 9), flat("b", 0.3, 9, 1)]
    whose, ours, _ = unpaired(source, [flat("c", 0.5)]).draw_pairs(
        4000, torch.Generator().manual_seed(1)
    )
    counts = Counter(whose.tolist())
    assert counts[0] == pytest.approx(2000, abs=150)
    assert set(ours[whose == 0].tolist()) == {0}
    assert set(ours[whose == 1].tolist()) == set(range(1, 19))


def test_a_pair_is_never_one_patients():
    source = [flat(name, 0.1) for name in ("a", "b", "c")]
    target = [flat(name, 0.5) for name in ("b", "c", "d")]
    whose, _, theirs = unpaired(source, target).draw_pairs(3000, torch.Generator().manual_seed(2))
    pairs = Counter(zip(whose.tolist(), theirs.tolist(), strict=True))
    assert set(pairs) == {(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 0), (2, 2)}
    assert pairs[0, 0] == pytest.approx(3000 / 9, abs=70)
    assert pairs[1, 1] == pytest.approx(3000 / 6, abs=80)


def test_one_patient_on_both_sides_and_nobody_else_is_refused():
    with pytest.raises(StudyError, match="in the source too"):
        unpaired([flat("a", 0.1), flat("b", 0.1)], [flat("a", 0.5)])


def test_crops_hold_floats_truth_and_nothing_known_of_the_target():
    source = small.bright(1)
    data = Unpaired([source], [small.dark(2)], small.CPU, classes=3)
    crops = data.draw(5, 0.0, STILL, torch.Generator().manual_seed(3))
    assert crops.source.shape == crops.target.shape == (5, 1, 8, 8)
    assert crops.truth.shape == (5, 8, 8)
    assert set(crops.truth.unique().tolist()) <= {0, 1, 2}
    assert len(crops.source.unique()) > 100  # no 8 bits
    assert (crops.truth == 1).any()  # about the heart: `away` is 0
    assert data.labelled
    assert not unpaired([flat("a", 0.1)], [flat("b", 0.5)]).labelled


def test_what_nobody_labelled_counts_nowhere():
    data = unpaired([flat("a", 0.1)], [flat("b", 0.5)])
    crops = data.draw(2, 1.0, STILL, torch.Generator().manual_seed(3))
    assert (crops.truth == IGNORED).all()


def test_the_same_generator_draws_the_same():
    data = Unpaired([small.bright(1)], [small.dark(2)], small.CPU, classes=3)
    change = small.settings().spatial
    one, other = (data.draw(3, 0.5, change, torch.Generator().manual_seed(7)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_fixed_crops_are_the_middle_of_planes_evenly_through_all():
    source = [flat(f"p{n}", n / 100) for n in range(41)]
    crops = fixed_crops(source, [small.dark(2)], small.settings().spatial, small.CPU, classes=3)
    seen = (crops.source[:, 0, 8, 8] * 100).round().tolist()
    assert (seen[0], seen[-1], len(seen)) == (0, 40, 16)
    pixels = torch.from_numpy(small.dark(2).pixels[:, 8:24, 12:28])
    torch.testing.assert_close(crops.target[:, 0], pixels, atol=1e-3, rtol=0)


def test_neighbours_become_channels():
    frame = small.bright(1)
    data = Unpaired([frame], [small.dark(2)], small.CPU, classes=3, neighbours=1)
    crops = data.draw(2, 1.0, STILL, torch.Generator().manual_seed(0))
    assert crops.source.shape == crops.target.shape == (2, 3, 8, 8)
