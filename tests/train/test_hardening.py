"""Adversaries make images harder and masks suspect; both stop and go on to the bit."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.core.errors import ConfigError  # noqa: E402
from heartseg.losses import IGNORED  # noqa: E402
from heartseg.models.patch_discriminator import PatchDiscriminator  # noqa: E402
from heartseg.train.adversary import MaskJudge, Perturbed  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from heartseg.train.hardening import Hardening, by_sign, require_fit  # noqa: E402
from heartseg.train.objective import Criterion, Objective  # noqa: E402
from tests.train import tiny  # noqa: E402

SMALL = PatchDiscriminator(width=3, halvings=1)
MASKS = MaskJudge(weight=0.5, warm_up=4, rate=1e-2, discriminator=SMALL)
KINDS = {
    "fgsm": Objective(perturbed=Perturbed()),
    "virtual": Objective(perturbed=Perturbed(kind="virtual", rounds=2)),
    "masks": Objective(masks=MASKS),
    "both, sigmoid": Objective(
        perturbed=Perturbed(kind="virtual"), masks=MASKS, activation="sigmoid"
    ),
}
every_kind = pytest.mark.parametrize("objective", KINDS.values(), ids=KINDS)


@every_kind
def test_resuming_is_exact_to_the_bit(tmp_path, objective):
    straight, first = (tiny.task(objective=objective, dropout=0.5) for _ in range(2))
    for _ in range(4):
        straight.step(1.0)
    for _ in range(2):
        first.step(1.0)
    save_checkpoint(tmp_path / "last.pt", {"step": 2, "best": 0.0, "task": first.state()})
    second = tiny.task(seed=99, objective=objective, dropout=0.5)
    second.step(1.0)
    second.restore(load_checkpoint(tmp_path / "last.pt")["task"])
    for _ in range(2):
        second.step(1.0)
    assert tiny.difference(straight.state(), second.state()) == ""
    assert ("rivals" in straight.state()) == (objective.masks is not None)


@every_kind
def test_the_terms_are_told_and_weighed(objective):
    task = tiny.task(objective=objective)
    for step in range(2):
        total, told = task._judge()
        wanted = told["cross_entropy"] + told["soft_dice_loss"]
        assert told["loss"].item() == pytest.approx(wanted.item())  # of the labels alone
        if objective.perturbed:
            wanted += objective.perturbed.weight * told["perturbed"]
        if objective.masks:
            wanted += 0.5 * step / 4 * told["masks"]
        assert total.item() == pytest.approx(wanted.item(), rel=1e-4)
        assert (task.step(0.0).get("discriminator_loss", 0) > 0) == bool(objective.masks)


def test_every_pixel_goes_where_the_loss_rises():
    pixels = torch.rand(2, 1, 3, 4, requires_grad=True)
    weights = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    changed = by_sign(pixels, (pixels * weights).sum(), 0.1)
    torch.testing.assert_close(changed - pixels.detach(), 0.1 * weights.sign().expand(2, 1, 3, 4))
    assert not changed.requires_grad


def test_changed_images_are_harder_than_noise_of_their_size():
    objective = Objective(perturbed=Perturbed(kind="virtual", size=0.05))
    task = tiny.task(objective=objective)
    crops, _ = task._batch()
    network, hardening = task.network.train(), task._hardening
    logits = network(crops).detach()
    found = hardening._most_harmful(network, crops, logits, torch.Generator().manual_seed(1))
    sizes = (found - crops).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(sizes, torch.full((4,), 0.05))
    noise = torch.randn(crops.shape, generator=torch.Generator().manual_seed(2))
    harmful, harmless = (
        hardening._apart(logits, network(crops + change)).item()
        for change in (found - crops, 0.05 * noise)
    )
    assert harmful > 1.5 * harmless


def test_fgsm_is_judged_by_the_labels_on_changed_images():
    task = tiny.task(objective=Objective(perturbed=Perturbed(size=0.05)))
    told = task.step(1.0)
    assert told["perturbed"] > told["cross_entropy"] + told["soft_dice_loss"]


@pytest.mark.parametrize("kind", ["fgsm", "virtual"])
def test_statistics_are_those_of_real_images(kind):
    hard, plain = tiny.task(objective=Objective(perturbed=Perturbed(kind=kind))), tiny.task()
    hard.step(1.0)
    plain.step(1.0)
    layers = [net.network.encoder[0][1] for net in (hard, plain)]
    assert torch.equal(layers[0].running_mean, layers[1].running_mean)
    assert torch.equal(layers[0].running_var, layers[1].running_var)
    assert layers[0].momentum == layers[1].momentum


def test_a_mask_that_nobody_drew_tells_nothing():
    criterion = Criterion(Objective(masks=MASKS), 3)
    hardening = Hardening(criterion, tiny.CPU)
    logits, truth = torch.randn(1, 3, 8, 8), torch.ones(1, 8, 8, dtype=torch.long)
    truth[:, :4] = IGNORED
    hardening._opinion(hardening._rivals, logits, truth)
    ((drawn, made),) = hardening._pairs
    assert torch.equal(drawn[:, :, :4], made[:, :, :4])
    assert torch.equal(drawn[0, :, 5, 5], torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(made, logits.softmax(1))


def test_the_judge_of_masks_learns_from_every_batch_of_a_step():
    task = tiny.task(objective=Objective(masks=MASKS), accumulate=3, batch=2)
    shown = []
    step = task._hardening._rivals.step
    task._hardening._rivals.step = lambda *given: shown.append(given[1]) or step(*given)
    task.step(1.0)
    task.step(1.0)
    assert [len(pairs["masks"][0]) for pairs in shown] == [6, 6]


def test_what_cannot_work_is_refused():
    require_fit(MASKS, 2, 16, 1)
    for given, match in (((MASKS, 3, 16, 1), "planes"), ((MASKS, 2, 5, 1), "at least 6"),
                         ((None, 2, 16, 2), "one process")):  # fmt: skip
        with pytest.raises(ConfigError, match=match):
            require_fit(*given)
    for wrong in ({"size": 0.0}, {"weight": 0.0}, {"rounds": 0}, {"kind": "fgsm", "rounds": 2}):
        with pytest.raises(ConfigError, match="perturbed"):
            Perturbed(**wrong)
    for wrong in ({"weight": 0.0}, {"warm_up": -1}, {"rate": 0.0}):
        with pytest.raises(ConfigError, match="masks"):
            MaskJudge(**wrong)
