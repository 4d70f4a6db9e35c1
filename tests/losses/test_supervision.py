"""Deep supervision: coarser levels count, and count less."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import cross_entropy, deeply_supervised  # noqa: E402
from tests.losses.test_contract import noise, truth_of  # noqa: E402


def test_one_level_is_the_loss_itself():
    logits, truth = noise((8, 6)), truth_of((8, 6))
    found = deeply_supervised(cross_entropy, [logits], truth)
    torch.testing.assert_close(found, cross_entropy(logits, truth))


def test_each_level_weighs_half_of_the_finer_one():
    costs = {8: 1.0, 4: 10.0, 2: 100.0}

    def by_height(logits: "torch.Tensor", truth: "torch.Tensor") -> "torch.Tensor":
        assert truth.shape == (2, *logits.shape[2:])
        assert truth.dtype == torch.long
        return torch.tensor(costs[logits.shape[2]])

    levels = [noise((8, 6)), noise((4, 3)), noise((2, 2))]
    found = deeply_supervised(by_height, levels, truth_of((8, 6)))
    assert found.item() == pytest.approx((4 * 1 + 2 * 10 + 100) / 7)


def test_the_truth_of_a_coarser_level_is_made_of_labels_that_are_there():
    truth = torch.tensor([[[0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 0, 0], [1, 1, 0, 0]]])
    seen = []
    deeply_supervised(
        lambda _, coarse: (seen.append(coarse), torch.zeros(()))[1],
        [torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 2, 2)],
        truth,
    )
    assert seen[1].tolist() == [[[0, 2], [1, 0]]]


def test_the_coarser_voxel_is_the_one_nearest_its_middle():
    truth = torch.tensor([[[0, 1, 2, 0, 1, 2]]])
    seen = []
    deeply_supervised(
        lambda _, coarse: (seen.append(coarse), torch.zeros(()))[1],
        [torch.zeros(1, 3, 1, 6), torch.zeros(1, 3, 1, 2)],
        truth,
    )
    assert seen[1].tolist() == [[[1, 1]]]  # the middle one of three, not the first
