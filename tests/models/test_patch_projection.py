"""Vectors of places: where they were asked for, of length 1."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models.patch_projection import PatchProjection, drawn_places  # noqa: E402


def features():
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(2, w, *size, generator=generator) for w, size in ((3, (6, 8)), (5, (3, 4)))]


def test_vectors_are_those_of_their_places():
    shown, network = features(), PatchProjection((3, 5), size=4)
    places = [torch.tensor([9, 0]), torch.tensor([11])]
    first, second = network(shown, places)
    assert first.shape == (2, 2, 4)
    assert second.shape == (2, 1, 4)
    torch.testing.assert_close(first.norm(dim=-1), torch.ones(2, 2))
    by_hand = network.levels[0](shown[0][1, :, 1, 1])  # the tenth pixel, row by row
    torch.testing.assert_close(first[1, 0], by_hand / by_hand.norm())


def test_places_are_drawn_once_each_and_no_more_than_there_are():
    generator = torch.Generator().manual_seed(1)
    many, few = drawn_places(features(), 20, generator)
    assert (len(many), len(few)) == (20, 12)
    assert len(set(many.tolist())) == 20
    assert sorted(few.tolist()) == list(range(12))
