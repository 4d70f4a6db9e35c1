"""What a step does to the weights, against the formulas of the optimisers."""

import pytest

from heartseg.core.errors import ConfigError, ModelError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from heartseg.train.learning import Learning  # noqa: E402
from heartseg.train.loop import Schedule, fit  # noqa: E402
from heartseg.train.update import FIRST_SCALE, Update  # noqa: E402
from tests.train import tiny  # noqa: E402


class Slope(nn.Module):
    """One weight; the loss is a slope times it."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([start]))


def stepped(slopes, rate=1.0, **learning):
    """The weight after each step down these slopes."""
    network = Slope()
    update = Update(network, Learning(**{"rate": 0.1, "clip": None, **learning}))
    given, seen = iter(slopes), []

    def judge():
        loss = (network.weight * next(given)).sum()
        return loss, {"loss": loss}

    for _ in range(len(slopes) // update._learning.accumulate):
        update.step(rate, judge)
        seen.append(network.weight.item())
    return seen


def test_plain_sgd_goes_down_the_slope():
    assert stepped([1.0, 3.0], optimiser="sgd", momentum=0.0, weight_decay=0.0) == pytest.approx(
        [0.9, 0.6]
    )


def test_momentum_goes_on():
    found = stepped([1.0, 0.0, 0.0], optimiser="sgd", momentum=0.5, weight_decay=0.0)
    assert found == pytest.approx([0.9, 0.85, 0.825])


def test_nesterov_looks_ahead():
    found = stepped([1.0, 0.0], optimiser="sgd", momentum=0.5, nesterov=True, weight_decay=0.0)
    assert found == pytest.approx([1 - 0.1 * 1.5, 1 - 0.1 * 1.5 - 0.1 * 0.25])


def test_the_three_optimisers_decay_in_their_own_ways():
    assert stepped([0.0], optimiser="sgd", weight_decay=0.5) == pytest.approx([0.95])
    assert stepped([0.0], optimiser="adamw", weight_decay=0.5) == pytest.approx([0.95])
    # Adam's decay is part of the gradient, whose size it normalises
    assert stepped([0.0], optimiser="adam", weight_decay=0.5) == pytest.approx([0.9])


def test_the_first_average_of_adam_decays_by_the_momentum():
    found = stepped([1.0, 0.0], optimiser="adam", momentum=0.5, weight_decay=0.0)
    first, second = 0.25 / (1 - 0.25), 0.999e-3 / (1 - 0.999**2)
    assert found == pytest.approx([0.9, 0.9 - 0.1 * first / second**0.5], rel=1e-4)


def test_accumulated_batches_count_as_their_mean():
    sgd = {"optimiser": "sgd", "momentum": 0.0, "weight_decay": 0.0}
    assert stepped([1.0, 3.0, 5.0, 7.0], accumulate=2, **sgd) == pytest.approx([0.8, 0.2])


def test_accumulated_batches_are_logged_as_their_mean():
    one, two = tiny.task(), tiny.task(accumulate=2)
    first, second = one.step(0.0)["loss"], one.step(0.0)["loss"]
    assert two.step(0.0)["loss"] == pytest.approx((first + second) / 2)
    assert Learning(batch=4, accumulate=3).images == 12


def test_without_a_clip_the_gradient_stays():
    sgd = {"optimiser": "sgd", "momentum": 0.0, "weight_decay": 0.0}
    assert stepped([20.0], clip=2.0, **sgd) == pytest.approx([0.8])
    assert stepped([20.0], clip=None, **sgd) == pytest.approx([-1.0])


def test_without_an_average_the_weights_are_kept():
    task = tiny.task(average=0.0)
    for _ in range(3):
        task.step(1.0)
    for name, value in task.network.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(task.average.state_dict()[name], value), name


def test_half_precision_scales_the_loss_and_leaves_out_what_does_not_fit():
    network = Slope()
    update = Update(network, Learning(rate=0.1, precision="f16", weight_decay=0.0, clip=None))

    def judge(slope):
        loss = (network.weight * slope).sum()
        return loss, {"loss": loss}

    told = update.step(1.0, lambda: judge(1e35))  # times 65536 it is infinite
    assert network.weight.item() == 1.0
    assert "gradient_norm" not in told
    assert told["loss_scale"] == FIRST_SCALE / 2
    told = update.step(1.0, lambda: judge(2.0))
    assert network.weight.item() == pytest.approx(0.9)
    assert told["gradient_norm"] == pytest.approx(2.0)  # not scaled


def test_a_gradient_that_is_infinite_at_any_scale_stops_the_run(tmp_path):
    task = tiny.task(precision="f16")
    state = task._update._scaler.state_dict()
    task._update._scaler.load_state_dict({**state, "scale": 1.0})
    judge = task._update.step

    def spoilt(rate, _):
        loss = sum(weight.sum() for weight in task.network.parameters()) * 3e38 * 10
        return judge(rate, lambda: (loss, {"loss": torch.tensor(1.0)}))

    task._update.step = spoilt
    with pytest.raises(ModelError, match="gradient_norm.*lower learning.rate"):
        fit(task, Schedule(steps=5), tmp_path, resume=False)


def test_half_precision_resumes_to_the_bit_with_its_scale():
    straight, first = tiny.task(precision="f16"), tiny.task(precision="f16")
    for task, steps in ((straight, 6), (first, 3)):
        task._update._scaler.load_state_dict(
            {**task._update._scaler.state_dict(), "growth_interval": 2}
        )
        for _ in range(steps):
            task.step(1.0)
    second = tiny.task(seed=9, precision="f16")
    second.restore(first.state())
    for _ in range(3):
        second.step(1.0)
    assert straight.state()["scaler"]["scale"] > FIRST_SCALE
    assert tiny.difference(straight.state(), second.state()) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"accumulate": 0},
        {"momentum": 1.0},
        {"nesterov": True},
        {"nesterov": True, "optimiser": "sgd", "momentum": 0.0},
        {"weight_decay": -1.0},
    ],
)
def test_learning_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="learning"):
        Learning(**wrong)
