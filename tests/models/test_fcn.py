"""FCN: crops that bring scores back onto the pixels, coarse beginnings, weights of VGG-16."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models import build_network  # noqa: E402
from heartseg.models.fcn import bilinear_kernel, from_vgg16  # noqa: E402

NARROW = {"widths": [4, 6, 8, 10, 12], "head": 14}


def test_the_kernel_interpolates_between_neighbours():
    line = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 5, 5)
    up = torch.nn.functional.conv_transpose2d(line, bilinear_kernel(4)[None, None], stride=2)
    inner = up[0, 0, 5, 3:9]
    torch.testing.assert_close(inner, inner[0] + 0.5 * torch.arange(6.0))
    assert inner[0] == pytest.approx(0.75)


@pytest.mark.parametrize("finest", [32, 16, 8])
@pytest.mark.parametrize("size", [(37, 70), (64, 96), (1, 1), (33, 32)])
def test_an_image_of_any_size_is_answered(finest, size):
    network = build_network(f"fcn-{finest}s", 2, 3, **NARROW).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 2, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize(("finest", "coarser"), [(16, 32), (8, 16)])
def test_a_finer_network_begins_as_the_coarser_one(finest, coarser):
    """Scores of the finer pooling start at zero; up-sampling in two steps smooths a little more."""
    torch.manual_seed(4)
    fine = build_network(f"fcn-{finest}s", 1, 2, **NARROW).eval()
    coarse = build_network(f"fcn-{coarser}s", 1, 2, **NARROW).eval()
    shared = {k: v for k, v in fine.state_dict().items() if k in coarse.state_dict()}
    coarse.load_state_dict({**shared, "bilinear": coarse.bilinear})
    planes = torch.rand(1, 1, 160, 130)
    with torch.no_grad():
        one, other = fine(planes)[..., 20:-20, 20:-20], coarse(planes)

    def difference(down: int, right: int) -> float:
        shifted = other.roll((down, right), dims=(2, 3))[..., 20:-20, 20:-20]
        return float((one - shifted).pow(2).mean())

    apart = min(difference(*shift) for shift in ((2, 0), (-2, 0), (0, 2), (0, -2)))
    assert difference(0, 0) < apart
    assert difference(0, 0) < 0.01 * float(other.var())


def test_what_differs_in_the_image_differs_there_in_the_answer():
    """A bright patch moves the scores about it, whichever pooling they come from."""
    torch.manual_seed(2)
    network = build_network("fcn-8s", 1, 1, **NARROW).eval()
    with torch.no_grad():
        for layer in (network.score_pool4, network.score_pool3):
            layer.weight.normal_(std=0.5)
        dark, lit = torch.zeros(2, 1, 1, 320, 320)
        lit[..., 150:162, 190:202] = 1
        changed = (network(lit) - network(dark)).abs()[0, 0]
    rows, columns = torch.meshgrid(torch.arange(320.0), torch.arange(320.0), indexing="ij")
    weight = changed**2 / (changed**2).sum()
    assert float((rows * weight).sum()) == pytest.approx(156, abs=8)
    assert float((columns * weight).sum()) == pytest.approx(196, abs=8)


def test_weights_of_vgg_16_become_kernels():
    widths, head = [2, 3, 4, 5, 6], 7
    torch.manual_seed(0)
    network = build_network("fcn-8s", 3, 2, widths=widths, head=head).eval()
    vgg = {
        name: torch.randn_like(value) * 0.3
        for name, value in network.state_dict().items()
        if name.startswith("features.")
    }
    vgg["classifier.0.weight"], vgg["classifier.0.bias"] = (
        torch.randn(head, 6 * 49),
        torch.rand(head),
    )
    vgg["classifier.3.weight"], vgg["classifier.3.bias"] = torch.randn(head, head), torch.rand(head)
    vgg["classifier.6.weight"], vgg["classifier.6.bias"] = torch.randn(1000, head), torch.rand(1000)
    missing, unexpected = network.load_state_dict(from_vgg16(vgg), strict=False)
    assert not unexpected
    assert {name.partition(".")[0] for name in missing} == {
        *("score", "score_pool4", "score_pool3", "up_score", "up_pool4", "bilinear")
    }
    pooled = torch.randn(1, 6, 7, 7)
    hidden = torch.relu(pooled.flatten(1) @ vgg["classifier.0.weight"].T + vgg["classifier.0.bias"])
    wanted = torch.relu(hidden @ vgg["classifier.3.weight"].T + vgg["classifier.3.bias"])
    with torch.no_grad():
        torch.testing.assert_close(network.classifier(pooled).flatten(1), wanted)
