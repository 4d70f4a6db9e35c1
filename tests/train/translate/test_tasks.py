"""Both tasks learn, resume to the bit, and do what their formulas say."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.core.errors import ConfigError, ModelError  # noqa: E402
from heartseg.losses.adversarial import taken_for_real  # noqa: E402
from heartseg.losses.gradients import gradient_consistency  # noqa: E402
from heartseg.models.patch_projection import PatchProjection  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from heartseg.train.loop import LAST, Schedule, fit  # noqa: E402
from heartseg.train.translate.contrast_task import PLACES  # noqa: E402
from heartseg.train.translate.cycle_task import BACK, THERE, CycleTranslate  # noqa: E402
from heartseg.train.translate.run import require_fit  # noqa: E402
from tests.train import tiny  # noqa: E402
from tests.train.translate import small  # noqa: E402

METHODS = {"cyclegan": small.CYCLE, "fastcut": (*small.FASTCUT, *small.JOINT)}
either_method = pytest.mark.parametrize("changes", METHODS.values(), ids=METHODS)


@either_method
def test_resuming_is_exact_to_the_bit(tmp_path, changes):
    straight, first = small.task(*changes), small.task(*changes)
    rate = Schedule(steps=4, warm_up=0, shape="linear").rate
    for step in range(4):
        straight.step(rate(step))
    for step in range(2):
        first.step(rate(step))
    save_checkpoint(tmp_path / LAST, {"step": 2, "best": 0.0, "task": first.state()})
    second = small.task("seed=99", *changes)  # nothing of it may remain
    second.step(1.0)
    second.restore(load_checkpoint(tmp_path / LAST)["task"])
    assert tiny.difference(second.state(), first.state()) == ""
    for step in range(2, 4):
        second.step(rate(step))
    assert tiny.difference(straight.state(), second.state()) == ""
    assert straight.validate() == second.validate()


def test_chance_of_layers_is_drawn_by_the_step():
    """A witness may have dropout, which draws from torch's own generator."""
    task, seeds = small.task(), []
    for _ in range(2):
        task.step(1.0)
        seeds.append(torch.initial_seed())
    other = small.task("seed=99")
    other.restore(task.state())
    for one in (task, other):
        one.step(1.0)
        seeds.append(torch.initial_seed())
    assert len(set(seeds)) == 3
    assert seeds[2] == seeds[3]


@either_method
def test_looking_and_validating_change_nothing(changes):
    task = small.task(*changes)
    task.step(1.0)
    before = copied(task.state())
    numbers = task.validate()
    task.look()
    assert tiny.difference(before, task.state()) == ""
    assert "score" not in numbers  # none of the numbers may choose weights
    assert "shown_dice" in numbers
    assert numbers["shown_histogram"] > 0


def copied(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


@either_method
def test_a_step_moves_everybody(changes):
    task = small.task(*changes)
    task.step(1.0)
    before = copied(task.state())
    told = task.step(1.0)
    state = task.state()
    for who in ("makers", "rivals", "witness", "generator"):
        assert tiny.difference(before[who], state[who]) != "", who
    assert {"adversarial", "edges", "anatomy", "loss", "rate", "gradient_norm"} <= set(told)
    assert {"discriminator_loss", "discriminator_gradient_norm", "witness_loss"} <= set(told)
    frozen = [p for p in task.parties.rivals.networks.parameters() if not p.requires_grad]
    assert not frozen


def test_the_loss_of_a_cycle_is_the_papers():
    task = small.task("cyclegan.edges=2", "cyclegan.cycle=7", "cyclegan.identity=3")
    twin = small.task()  # the same seed: the same weights, the same draw
    told = task.step(1.0)
    a, _, b = twin.parties.draw()
    there, back = (twin.parties.networks[name] for name in (THERE, BACK))
    rivals, l1 = twin.parties.rivals.networks, torch.nn.functional.l1_loss
    adversarial = sum(
        taken_for_real(rivals[kind](made))
        for kind, made in (("target", there(a)), ("source", back(b)))
    )
    cycle = l1(back(there(a)), a) + l1(there(back(b)), b)
    identity = l1(there(b), b) + l1(back(a), a)
    edges = gradient_consistency(a, there(a)) + gradient_consistency(b, back(b))
    for name, term in (("cycle", cycle), ("identity", identity), ("edges", edges)):
        assert told[name] == pytest.approx(term.item(), rel=1e-4), name
    total = adversarial + 7 * cycle + 3 * identity + 2 * edges
    assert told["loss"] == pytest.approx(total.item(), rel=1e-4)


def test_terms_of_no_weight_are_not_computed():
    told = small.task("cyclegan.identity=0").step(1.0)
    assert {"identity", "edges", "anatomy"}.isdisjoint(told)


class Same(torch.nn.Module):
    """A generator that keeps the image, and sees no more than its pixels."""

    def forward(self, pixels):
        return pixels.clone()

    def encoded(self, pixels):
        return [pixels]


def test_a_patch_is_known_by_its_place_whether_mirrored_or_not():
    task = small.task(*small.FASTCUT)
    task.parties.networks[THERE] = Same()
    task.parties.networks[PLACES] = PatchProjection((1,), 5)
    crops, seen = task.parties.draw(), {}
    for mirrored in (False, True):
        pairs = {}
        task.parties.generator.manual_seed(3)
        seen[mirrored] = task._judge(crops, mirrored, pairs)[1]["contrast"].item()
        wanted = crops.source.flip(-1) if mirrored else crops.source
        assert torch.equal(pairs["target"][1], wanted)
    assert seen[True] == pytest.approx(seen[False])


def test_a_mirrored_step_judges_by_mirrored_labels():
    task = small.task("fastcut.patches=9", *small.JOINT)
    asked = []
    task.parties.witness.disagreement = lambda pairs: asked.append(pairs) or torch.zeros(())
    crops = task.parties.draw()
    for mirrored in (False, True):
        task._judge(crops, mirrored, {})
    (((kind, _, straight),), ((_, _, turned),)) = asked
    assert kind == "target"
    assert torch.equal(straight, crops.truth)
    assert torch.equal(turned, crops.truth.flip(-1))


def test_discriminators_learn_to_tell_apart():
    task = small.task("learning.discriminator_rate=0.02", "learning.rate=1e-9", *small.FASTCUT)
    told = [task.step(1.0)["discriminator_loss"] for _ in range(15)]
    assert told[-1] < 0.6 * told[0]


def test_generators_learn_the_way_back():
    task = small.task("generator.residual=true", "learning.rate=0.002", "learning.batch=4")
    before = task.validate()["shown_cycle"]
    for _ in range(15):
        task.step(1.0)
    assert task.validate()["shown_cycle"] < 0.4 * before


def test_the_loop_keeps_the_last_and_no_best(tmp_path):
    fit(small.task(), Schedule(steps=2, validate_every=1, log_every=1), tmp_path, resume=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "log.jsonl"]
    with pytest.raises(ModelError, match="another task"):
        fit(small.task(*small.FASTCUT), Schedule(steps=3), tmp_path, resume=True)


def test_sizes_that_do_not_go_are_refused():
    for change, match in (
        ("spatial.size_px=17", "multiples of 2"),
        ("spatial.size_px=4", "at least 6"),
        ("source.preparation.stride=9", "source.preparation.stride"),
    ):
        with pytest.raises(ConfigError, match=match):
            require_fit(small.settings(change))
    require_fit(small.settings())


def test_a_u_net_and_several_channels_go_too():
    table = {"generator": {"name": "unet", "widths": [3, 4]}}
    both = [f"{side}.preparation.neighbours=1" for side in ("source", "target")]
    task = small.task(*both, **table)
    assert isinstance(task, CycleTranslate)
    task.step(1.0)
    assert task.look()["source"].after.shape[1:] == (3, 16, 16)
