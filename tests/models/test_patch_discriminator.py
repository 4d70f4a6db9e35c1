"""The patch is as large as it says, seen by the gradient."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.core.errors import ConfigError  # noqa: E402
from heartseg.models.patch_discriminator import PatchDiscriminator  # noqa: E402


@pytest.mark.parametrize(("halvings", "field"), [(1, 16), (2, 34), (3, 70)])
def test_the_field_is_the_papers(halvings, field):
    assert PatchDiscriminator(halvings=halvings).field_px == field


@pytest.mark.parametrize("halvings", [1, 2])
def test_a_number_of_the_answer_sees_its_patch_and_no_more(halvings):
    described = PatchDiscriminator(width=2, halvings=halvings)
    network = described.build(1)
    for layer in network:  # normalising sees the whole image, which is not what is asked
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda x: x
    image = torch.rand(1, 1, 64, 64, requires_grad=True)
    answer = network(image)
    answer[0, 0, answer.shape[2] // 2, answer.shape[3] // 2].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero()
    assert rows.max() - rows.min() + 1 == described.field_px


@pytest.mark.parametrize("halvings", [1, 2])
def test_the_smallest_image_is_judged(halvings):
    described = PatchDiscriminator(width=2, halvings=halvings)
    side = described.smallest_px
    answer = described.build(3).train()(torch.rand(1, 3, side, side))
    assert answer.shape == (1, 1, 1, 1)
    answer.sum().backward()


def test_its_size_is_the_papers():
    """64, 128, 256, 512 channels; no biases where a normalisation would take them away again."""
    weights = sum(w.numel() for w in PatchDiscriminator().build(3).parameters())
    assert weights == 64 * (3 * 16 + 1) + 16 * (64 * 128 + 128 * 256 + 256 * 512) + 512 * 16 + 1


@pytest.mark.parametrize("wrong", [{"width": 0}, {"halvings": 0}, {"halvings": 6}])
def test_what_cannot_be_built_is_refused(wrong):
    with pytest.raises(ConfigError, match="discriminator"):
        PatchDiscriminator(**wrong)
