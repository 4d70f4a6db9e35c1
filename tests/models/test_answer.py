"""Regions and edges are told apart, whatever a network answers with."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models.answer import RegionsAndEdges, edges_of, regions_of  # noqa: E402

FINE, COARSE, EDGES = torch.zeros(1, 3, 4, 6), torch.zeros(1, 3, 2, 3), torch.ones(1, 3, 4, 6)


@pytest.mark.parametrize(
    ("answer", "regions", "edges"),
    [
        (FINE, (FINE,), None),
        ((FINE, COARSE), (FINE, COARSE), None),
        (RegionsAndEdges((FINE, COARSE), EDGES), (FINE, COARSE), EDGES),
    ],
)
def test_every_kind_of_answer_has_regions_and_perhaps_edges(answer, regions, edges):
    assert [id(one) for one in regions_of(answer)] == [id(one) for one in regions]
    assert edges_of(answer) is edges


def test_several_processes_keep_its_kind():
    """Lightning Fabric rebuilds what a network answers, tensor by tensor."""
    fabric = pytest.importorskip("lightning_fabric.utilities.apply_func")
    answer = RegionsAndEdges((FINE, COARSE), EDGES)
    halved = fabric.apply_to_collection(answer, torch.Tensor, lambda one: one / 2)
    assert edges_of(halved).tolist() == (EDGES / 2).tolist()
    assert len(regions_of(halved)) == 2
