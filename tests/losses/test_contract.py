"""What every loss of the table keeps: iterates it, so that a new one is tested on arrival."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED, LOSSES  # noqa: E402

every_loss = pytest.mark.parametrize("name", LOSSES)
SPACES = [(9, 7), (4, 9, 7)]
every_space = pytest.mark.parametrize("space", SPACES, ids=["2-D", "3-D"])


def truth_of(space: tuple[int, ...]) -> "torch.Tensor":
    """Two images with a ring around a disc, none in the middle of its image."""
    axes = torch.meshgrid(*(torch.arange(n) for n in space), indexing="ij")
    labels = []
    for shift in (0, 1):
        far = sum((axis - n / 2 + shift) ** 2 for axis, n in zip(axes, space, strict=True)) ** 0.5
        labels.append((far < 3.2).long() + (far < 1.6).long())
    return torch.stack(labels)


def logits_for(truth: "torch.Tensor", sure: float, classes: int = 3) -> "torch.Tensor":
    return torch.nn.functional.one_hot(truth, classes).movedim(-1, 1).float() * sure


def noise(space: tuple[int, ...], seed: int = 4, classes: int = 3) -> "torch.Tensor":
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, classes, *space, generator=generator)


@every_loss
@every_space
def test_a_better_answer_costs_less(name, space):
    truth = truth_of(space)
    answers = [-3.0, 0.0, 1.0, 3.0, 30.0]
    costs = [LOSSES[name](logits_for(truth, sure), truth).item() for sure in answers]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.35 * costs[1]


@every_loss
@every_space
def test_the_gradient_leads_down(name, space):
    truth = truth_of(space)
    logits = noise(space).requires_grad_()
    before = LOSSES[name](logits, truth)
    assert before.shape == ()
    before.backward()
    assert logits.grad.isfinite().all()
    after = LOSSES[name]((logits - 0.5 * logits.grad / logits.grad.abs().max()).detach(), truth)
    assert after < before


@every_loss
def test_the_same_twice_costs_the_same(name):
    truth = truth_of((9, 7))
    assert torch.equal(LOSSES[name](noise((9, 7)), truth), LOSSES[name](noise((9, 7)), truth))


@every_loss
def test_planes_in_another_order_cost_the_same(name):
    truth, logits = truth_of((9, 7)), noise((9, 7))
    turned = LOSSES[name](logits.flip(0), truth.flip(0))
    torch.testing.assert_close(turned, LOSSES[name](logits, truth))


@every_loss
def test_what_nobody_annotated_moves_no_weight(name):
    truth, logits = truth_of((9, 7)), noise((9, 7)).requires_grad_()
    truth[:, 2:5, 3:] = IGNORED
    LOSSES[name](logits, truth.to(torch.uint8)).backward()
    assert not logits.grad[:, :, 2:5, 3:].any()
    assert logits.grad[:, :, :2].any()


@every_loss
@pytest.mark.parametrize("there", [0, IGNORED])
def test_images_without_a_structure_or_an_annotation_break_nothing(name, there):
    truth = torch.full((2, 9, 7), there)
    logits = noise((9, 7)).requires_grad_()
    loss = LOSSES[name](logits, truth)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@every_loss
def test_extreme_logits_are_no_trouble(name):
    truth = truth_of((9, 7))
    for sure in (-200.0, 200.0):
        logits = logits_for(truth, sure).requires_grad_()
        loss = LOSSES[name](logits, truth)
        loss.backward()
        assert loss.isfinite()
        assert logits.grad.isfinite().all()


@every_loss
def test_each_says_what_it_is(name):
    assert LOSSES[name].__doc__
