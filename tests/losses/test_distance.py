"""Losses of distance on lines of voxels whose distances can be counted, and against MONAI."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED, boundary_loss, hausdorff_loss, signed_distances  # noqa: E402
from tests.losses.test_contract import noise, truth_of  # noqa: E402


def test_distances_are_negative_inside_and_positive_outside():
    truth = torch.tensor([[[0, 0, 1, 1, 1, 0]]])
    found = signed_distances(truth, 2)[0, 1, 0]
    assert found.tolist() == [2, 1, -1, -2, -1, 1]
    assert signed_distances(truth, 2)[0, 0, 0].tolist() == [-2, -1, 1, 2, 1, -1]


def test_distances_are_in_the_unit_of_the_spacing():
    truth = torch.tensor([[[0, 0, 1, 1, 1, 0]]])
    assert signed_distances(truth, 2, (9.0, 1.5))[0, 1, 0].tolist() == [3, 1.5, -1.5, -3, -1.5, 1.5]


def test_a_class_without_a_border_has_no_distance():
    assert not signed_distances(torch.zeros(1, 3, 4, dtype=torch.long), 2).any()


def test_an_ignored_voxel_has_no_distance():
    truth = torch.tensor([[[0, 0, 1, 1, IGNORED, 0]]])
    found = signed_distances(truth.to(torch.uint8), 2)[0, 1, 0]
    assert found.tolist() == [2, 1, -1, -1, 0, 2]


def test_the_boundary_loss_is_the_mean_of_probability_times_distance():
    distances = signed_distances(torch.tensor([[[0, 0, 1, 1, 1, 0]]]), 2)
    inside = torch.tensor([0.5, 0, 1, 0, 0, 0.25])
    probabilities = torch.stack([1 - inside, inside])[None, :, None]
    found = boundary_loss(probabilities, distances)
    assert found.item() == pytest.approx((0.5 * 2 - 1 * 1 + 0.25 * 1) / 6)


def test_the_hausdorff_loss_is_what_paper_says():
    truth = torch.tensor([[[0, 1, 1, 0, 0]]])
    inside = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.6])
    probabilities = torch.stack([1 - inside, inside])[None, :, None]
    # The last voxel: 2 from the border of the truth, 1 from that of what was found.
    assert hausdorff_loss(probabilities, truth).item() == pytest.approx(0.36 * (4 + 1) / 5)
    assert hausdorff_loss(probabilities, truth, alpha=1.0).item() == pytest.approx(0.36 * 3 / 5)


@pytest.mark.parametrize("space", [(9, 7), (4, 9, 7)])
def test_the_same_hausdorff_loss_as_monai(space):
    losses = pytest.importorskip("monai.losses")
    probabilities, truth = noise(space).mul(3).softmax(1), truth_of(space)
    theirs = losses.HausdorffDTLoss(include_background=False, to_onehot_y=True)(
        probabilities, truth[:, None]
    )
    torch.testing.assert_close(hausdorff_loss(probabilities, truth), theirs, rtol=1e-4, atol=1e-5)
