"""The four entries of the ablation differ in what they say they differ in, and in nothing else."""

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.models import ARCHITECTURES, architecture  # noqa: E402
from heartseg.models.answer import RegionsAndEdges, edges_of, regions_of  # noqa: E402
from heartseg.models.edge_attention import EdgeAttention, EdgeSupervised  # noqa: E402
from heartseg.models.survey import weightless  # noqa: E402

BASE, EDGES, FUSION, BOTH = (
    *("edge-attention-base", "edge-attention-edges", "edge-attention-fusion"),
    "edge-attention",
)
SMALL = (4, 5, 6, 7)


def small(name: str, seed: int = 3) -> "torch.nn.Module":
    torch.manual_seed(seed)
    return architecture({"name": name, "widths": SMALL}).build(1, 3)


def count(name: str, *, deployed: bool) -> int:
    described = ARCHITECTURES[name]
    network = weightless(described.deployed if deployed else described)
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(("name", "judged"), [(BASE, 0), (EDGES, 1), (FUSION, 0), (BOTH, 1)])
def test_training_sees_several_depths_of_regions_and_borders_where_they_are_judged(name, judged):
    network, pixels = small(name), torch.rand(2, 1, 16, 24)
    answer = network(pixels)
    assert [tuple(one.shape) for one in regions_of(answer)] == [(2, 3, 16, 24), (2, 3, 8, 12)]
    assert isinstance(answer, RegionsAndEdges) == bool(judged)
    assert isinstance(network.eval()(pixels), torch.Tensor)


def test_one_seed_gives_all_four_the_same_encoder_and_decoder():
    base = small(BASE).state_dict()
    for name in (EDGES, FUSION, BOTH):
        mine = small(name).state_dict()
        assert all(torch.equal(mine[key], value) for key, value in base.items()), name
    both = small(BOTH).state_dict()
    assert all(torch.equal(both[key], value) for key, value in small(FUSION).state_dict().items())


def test_supervision_of_the_edges_costs_nothing_once_trained():
    for supervised, unsupervised in ((EDGES, BASE), (BOTH, FUSION)):
        one, other = (
            weightless(ARCHITECTURES[name].deployed).state_dict()
            for name in (supervised, unsupervised)
        )
        assert {n: w.shape for n, w in one.items()} == {n: w.shape for n, w in other.items()}
        assert count(supervised, deployed=False) > count(unsupervised, deployed=False)
    assert count(FUSION, deployed=True) > count(BASE, deployed=True)


def test_parameters_are_counted_by_hand():
    widths, k = (16, 32, 64, 128, 160), 16

    def double(a: int, b: int) -> int:
        return 9 * a * b + 9 * b * b + 2 * 2 * b  # and scale and shift of two normalisations

    pairs = list(zip((1, *widths), widths, strict=False))
    encoder = sum(double(a, b) for a, b in pairs)
    decoder = sum(4 * b * a + a + double(2 * a, a) for a, b in pairs[1:])
    base = encoder + decoder + 4 * (16 + 1) + 4 * (32 + 1) + 4 * (64 + 1)
    assert count(BASE, deployed=False) == base
    branch = sum(w * k + 2 * k for w in (16, 32, 160)) + double(3 * k, k)
    assert count(EDGES, deployed=False) == base + branch + 4 * (k + 1)
    hidden = {16: 4, 32: 8, 64: 16, 128: 32}
    fusions = sum(k * w + 2 * w + w * h + h + h * w + w + 2 * 49 + 1 for w, h in hidden.items())
    assert count(FUSION, deployed=False) == base + branch + fusions
    assert count(BOTH, deployed=False) == base + branch + fusions + 4 * (k + 1)


@pytest.mark.parametrize("name", [EDGES, BOTH])
def test_borders_teach_the_encoder_that_regions_share(name):
    network = small(name)
    edges = edges_of(network(torch.rand(2, 1, 16, 24)))
    edges.square().mean().backward()
    moved = {n.split(".")[0] for n, w in network.named_parameters() if w.grad is not None}
    assert moved == {"encoder", "edges", "edge_output"}


@pytest.mark.parametrize("name", [FUSION, BOTH])
def test_regions_depend_on_the_edge_features_where_they_are_fused(name):
    network, pixels = small(name).eval(), torch.rand(1, 1, 16, 24)
    with torch.no_grad():
        before = network(pixels)
        network.edges.join[4].bias.add_(1.0)
        assert not torch.allclose(network(pixels), before)


def test_the_answer_of_a_trained_network_is_that_of_the_deployed_one():
    pixels = torch.rand(2, 1, 16, 24)
    for name in (EDGES, BOTH):
        network = small(name)
        network(pixels)
        whole, described = (
            network.eval().state_dict(),
            architecture({"name": name, "widths": SMALL}),
        )
        deployed = described.deployed.build(1, 3).eval()
        left_out = set(whole) - set(deployed.state_dict())
        assert all(one.startswith(network.training_only) for one in left_out)
        deployed.load_state_dict({key: whole[key] for key in deployed.state_dict()})
        with torch.no_grad():
            assert torch.equal(deployed(pixels), network(pixels))


def test_the_branch_of_a_network_that_fuses_nothing_does_not_run_when_it_answers():
    network = small(EDGES).eval()
    network.edges = None
    network(torch.rand(1, 1, 16, 24))


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (EdgeSupervised, {"widths": (4,)}, "two levels"),
        (EdgeSupervised, {"edge_channels": -1}, "0 or more"),
        (EdgeAttention, {"edge_channels": 0}, "both at least 1"),
        (EdgeAttention, {"reduction": 0}, "both at least 1"),
    ],
)
def test_descriptions_that_cannot_be_built_are_refused(kind, wrong, message):
    with pytest.raises(ConfigError, match=message):
        kind(**wrong)
