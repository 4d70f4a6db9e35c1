"""The task learns, resumes to the bit, and says when it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, ModelError

torch = pytest.importorskip("torch")
from heartseg.losses import soft_dice_loss  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from heartseg.train.loop import LAST, Schedule, fit  # noqa: E402
from heartseg.train.ranks import Ranks  # noqa: E402
from heartseg.train.segment_task import Learning  # noqa: E402
from tests.train import tiny  # noqa: E402


def test_it_learns_discs_within_seconds(tmp_path):
    task = tiny.task(widths=(8, 16), validation=3, batch=8, rate=1e-2)
    before = task.validate()["score"]
    fit(task, Schedule(steps=200, warm_up=10, validate_every=200), tmp_path, resume=False)
    after = task.validate()
    assert before < 0.5
    assert min(after["dice_1"], after["dice_2"]) > 0.9
    assert after["score"] == pytest.approx((after["dice_1"] + after["dice_2"]) / 2)


@pytest.mark.parametrize(
    ("chosen", "more"), [({}, set()), (tiny.HARD["learning"], {"scaler"})], ids=["usual", "hard"]
)
def test_resuming_is_exact_to_the_bit(tmp_path, chosen, more):
    straight, first = tiny.task(**chosen), tiny.task(**chosen)
    rate = Schedule(steps=20, warm_up=3).rate
    for step in range(20):
        straight.step(rate(step))
    for step in range(10):
        first.step(rate(step))
    save_checkpoint(tmp_path / LAST, {"step": 10, "best": 0.0, "task": first.state()})
    second = tiny.task(
        seed=99, **chosen
    )  # other weights and another generator: nothing may remain of them
    second.step(1.0)
    second.restore(load_checkpoint(tmp_path / LAST)["task"])
    assert tiny.difference(second.state(), first.state()) == ""
    for step in range(10, 20):
        second.step(rate(step))
    wanted, found = straight.state(), second.state()
    assert set(wanted) == {"network", "average", "optimiser", "generator", "steps", *more}
    assert tiny.difference(wanted, found) == ""
    assert straight.validate() == second.validate()


def test_dropout_is_drawn_anew_every_step_by_every_process_and_run():
    def drawn(seed, rank):
        task = tiny.task(seed=seed, dropout=0.5)
        task._criterion.ranks = Ranks()
        task._criterion.ranks.rank = rank
        seeds = []
        for _ in range(3):
            task._seed_dropout()
            seeds.append(torch.initial_seed())
            task._update.steps += 1
        return seeds

    first, other, second = drawn(5, 0), drawn(6, 0), drawn(5, 1)
    assert len({*first, *other, *second}) == 9
    assert drawn(5, 0) == first


def test_a_step_follows_cross_entropy_and_soft_dice():
    task, twin = tiny.task(clip=1e9), tiny.task()
    numbers = task.step(1.0)
    planes, truth = twin._batch()  # the same draw
    logits = twin.network.train()(planes)
    entropy = torch.nn.functional.cross_entropy(logits, truth)
    overlap = soft_dice_loss(logits.softmax(1), truth)
    (entropy + overlap).backward()
    assert numbers["cross_entropy"] == pytest.approx(entropy.item())
    assert numbers["soft_dice_loss"] == pytest.approx(overlap.item())
    for mine, theirs in zip(task.network.parameters(), twin.network.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_a_step_changes_everything_that_the_state_holds():
    task = tiny.task()
    before = {name: _copied(value) for name, value in task.state().items()}
    task.step(1.0)
    for name, value in task.state().items():
        assert tiny.difference(before[name], value) != "", name


def _copied(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def test_validation_changes_nothing():
    task = tiny.task()
    task.step(1.0)
    before = _copied(task.state())
    task.validate()
    assert tiny.difference(before, task.state()) == ""


def test_the_average_follows_the_weights_and_their_statistics():
    task = tiny.task(average=0.7)
    for _ in range(30):
        task.step(1.0)
    kept = {name: value.clone() for name, value in task.average.state_dict().items()}
    task.step(1.0)  # long after the start: 0.7 of the old and 0.3 of the new
    for name in ("output.weight", "encoder.0.1.running_mean", "encoder.1.4.running_var"):
        wanted = 0.7 * kept[name] + 0.3 * task.network.state_dict()[name]
        torch.testing.assert_close(task.average.state_dict()[name], wanted)


def test_the_average_follows_fast_at_first():
    task = tiny.task(average=0.999)
    before = task.average.state_dict()["output.weight"].clone()
    task.step(1.0)
    wanted = 0.1 * before + 0.9 * task.network.state_dict()["output.weight"]
    torch.testing.assert_close(task.average.state_dict()["output.weight"], wanted)


def test_the_rate_is_a_share_of_the_learning_rate():
    still, moved = tiny.task(weight_decay=0.0), tiny.task(weight_decay=0.0)
    before = still.network.output.weight.clone()
    still.step(0.0)
    moved.step(0.5)
    assert torch.equal(still.network.output.weight, before)
    step = (moved.network.output.weight - before).abs().max().item()
    assert step == pytest.approx(0.5 * Learning().rate, rel=0.01)  # Adam's first step


def test_scores_are_whole_frames_by_the_average_weights():
    task = tiny.task(validation=1)
    with torch.no_grad():
        for weights in (task.network, task.average):
            weights.output.weight.zero_()
        task.network.output.bias.copy_(torch.tensor([0.0, 0.0, 9.0]))
        task.average.output.bias.copy_(torch.tensor([0.0, 9.0, 0.0]))  # calls everything disc
    classes = tiny.frame(10).classes
    disc, everything = np.count_nonzero(classes == 1), classes.size
    scores = task.validate()
    assert scores["dice_1"] == pytest.approx(2 * disc / (disc + everything))
    assert scores["dice_2"] == 0
    assert scores["score"] == pytest.approx(scores["dice_1"] / 2)


def test_an_absent_structure_that_is_not_found_scores_full():
    task = tiny.task(validation=1)
    task._validation = [replace(tiny.frame(10), classes=np.zeros_like(tiny.frame(10).classes))]
    with torch.no_grad():
        task.average.output.weight.zero_()
        task.average.output.bias.copy_(torch.tensor([9.0, 0.0, 0.0]))
    assert task.validate()["score"] == 1.0


def test_without_frames_to_validate_on_there_is_no_score():
    assert tiny.task(validation=0).validate() == {}


def test_a_diverged_run_stops_before_it_spoils_the_checkpoint(tmp_path):
    task = tiny.task()
    fit(task, Schedule(steps=2, validate_every=2), tmp_path, resume=False)
    with torch.no_grad():
        task.network.output.bias.fill_(float("nan"))
    save_checkpoint(tmp_path / LAST, {"step": 2, "best": 0.0, "task": task.state()})
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(ModelError, match="training step 2"):
        fit(tiny.task(), Schedule(steps=4, validate_every=1), tmp_path, resume=True)
    assert (tmp_path / LAST).read_bytes() == before


def test_the_size_of_the_gradient_is_told_and_cut():
    task = tiny.task(clip=1e-3)
    assert task.step(1.0)["gradient_norm"] > 1e-2
    norms = [weight.grad.norm() ** 2 for weight in task.network.parameters()]
    assert sum(norms).sqrt().item() == pytest.approx(1e-3, rel=0.01)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    fit(tiny.task(), Schedule(steps=1), tmp_path, resume=False)
    with pytest.raises(ModelError, match="another task"):
        fit(tiny.task(widths=(4, 8)), Schedule(steps=2), tmp_path, resume=True)


def test_half_precision_learns_too(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    task = tiny.task(precision="bf16")
    numbers = task.step(1.0)
    assert numbers["cross_entropy"] > 0
    assert all(weight.dtype == torch.float32 for weight in task.network.parameters())
    assert task.validate()["score"] >= 0


@pytest.mark.parametrize(
    ("has", "device", "computed"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "cpu", "f32"),
        ({"avx2": True, "avx512_bf16": True}, "cpu", "bf16"),
        ({"neon": True, "bf16": True}, "cpu", "bf16"),
        ({"avx2": True}, "cuda", "bf16"),
    ],
)
def test_a_processor_without_bf16_computes_in_f32_which_is_faster(
    has, device, computed, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    learning = Learning(precision="bf16")
    assert learning.precision_on(torch.device(device)) == computed
    if device == "cpu":
        inside = learning.autocast(torch.device(device))
        with inside:
            product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert product.dtype == (torch.bfloat16 if computed == "bf16" else torch.float32)


def test_an_old_torch_that_cannot_say_is_taken_at_its_word(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert Learning(precision="bf16").precision_on(torch.device("cpu")) == "bf16"


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"rate": 0.0}, {"average": 1.0}, {"away": 1.5}, {"clip": 0.0}]
)
def test_learning_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="learning"):
        Learning(**wrong)
