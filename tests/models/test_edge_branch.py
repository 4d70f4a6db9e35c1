"""The edge branch sees the first and the last of the encoder, and nothing between."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models.edge_branch import EdgeBranch  # noqa: E402

WIDTHS = (4, 6, 8, 10)


def features(seed: int = 1) -> list["torch.Tensor"]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.rand(2, width, 16 // 2**level, 24 // 2**level, generator=generator)
        for level, width in enumerate(WIDTHS)
    ]


@pytest.mark.parametrize(("level", "seen"), [(0, True), (1, True), (2, False), (3, True)])
def test_shallow_and_deepest_features_count_and_those_between_do_not(level, seen):
    torch.manual_seed(2)
    branch = EdgeBranch(WIDTHS, 5).eval()
    usual, other = features(), features()
    other[level] = other[level] + 1
    edges = branch(usual)
    assert edges.shape == (2, 5, 16, 24)
    assert torch.equal(edges, branch(other)) != seen


def test_a_deep_feature_comes_to_the_place_that_it_is_of():
    torch.manual_seed(2)
    branch = EdgeBranch(WIDTHS, 5).eval()
    usual, other = features(), features()
    other[3][..., 1, 0] += 5  # of 8 x 8 pixels: rows 8 to 15, columns 0 to 7
    moved = (branch(usual) - branch(other)).abs().sum((0, 1))
    assert moved[8:, :8].min() > 0
    assert moved[:2].max() == 0
    assert moved[:, 16:].max() == 0


def test_two_levels_are_enough():
    assert EdgeBranch((4, 6), 3).levels == (0, 1)
