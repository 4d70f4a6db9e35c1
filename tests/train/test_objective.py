"""Losses by name add up as they say, and what is ignored counts nowhere."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.config import from_table, to_table
from heartseg.core.errors import ConfigError, StudyError

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED, LOSSES, soft_dice_loss  # noqa: E402
from heartseg.losses.channels import CHANNEL_LOSSES  # noqa: E402
from heartseg.train.data import PreparedSet  # noqa: E402
from heartseg.train.loop import Schedule, fit  # noqa: E402
from heartseg.train.objective import Criterion, Objective  # noqa: E402
from tests.train import tiny  # noqa: E402

TRUTH = torch.tensor([[[0, 1, 1, 2], [0, 2, 2, 2], [1, 0, 0, 2]]])


def logits(channels=3, seed=3):
    return torch.randn(1, channels, 3, 4, generator=torch.Generator().manual_seed(seed))


def test_the_default_is_cross_entropy_and_soft_dice_to_the_bit():
    total, parts = Criterion(Objective(), 3).judge(logits(), TRUTH)
    entropy = torch.nn.functional.cross_entropy(logits(), TRUTH)
    overlap = soft_dice_loss(logits().softmax(1), TRUTH)
    assert torch.equal(total, entropy + overlap)
    assert torch.equal(parts["cross_entropy"], entropy)
    assert torch.equal(parts["soft_dice_loss"], overlap)
    assert torch.equal(parts["loss"], total)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_of_the_table_can_be_chosen(name):
    total, _ = Criterion(Objective(terms=((name, 1.0),)), 3).judge(logits(), TRUTH)
    torch.testing.assert_close(total, LOSSES[name](logits(), TRUTH))


@pytest.mark.parametrize("name", CHANNEL_LOSSES)
def test_every_loss_of_channels_can_be_chosen(name):
    chosen = Objective(terms=((name, 1.0),), activation="sigmoid")
    total, _ = Criterion(chosen, 3).judge(logits(2), TRUTH)
    torch.testing.assert_close(total, CHANNEL_LOSSES[name](logits(2), TRUTH))


def test_terms_are_weighed():
    terms = (("focal", 0.25), ("tversky", 3.0))
    total, parts = Criterion(Objective(terms=terms), 3).judge(logits(), TRUTH)
    torch.testing.assert_close(total, 0.25 * parts["focal"] + 3.0 * parts["tversky"])
    assert parts["focal"] != parts["tversky"]


def test_coarser_levels_are_judged_too():
    fine, coarse = logits(), logits()[..., :2]
    total, _ = Criterion(Objective(terms=(("focal", 1.0),)), 3).judge((fine, coarse), TRUTH)
    halved = TRUTH[..., 1::2]
    wanted = (LOSSES["focal"](fine, TRUTH) + 0.5 * LOSSES["focal"](coarse, halved)) / 1.5
    torch.testing.assert_close(total, wanted)


def test_balanced_weights_are_the_inverse_of_the_shares():
    objective = Objective(class_weights="balanced")
    labels = [np.array([[0, 0, 0, 0, 1]], np.uint8), np.array([[0, 0, 2, 2, IGNORED]], np.uint8)]
    weights = objective.weights(labels, 3)  # of 9 voxels 6, 1, 2
    assert weights.tolist() == pytest.approx([9 / 18, 9 / 3, 9 / 6])
    with pytest.raises(StudyError, match="no training voxel of class 3"):
        objective.weights(labels, 4)


def test_class_weights_reach_the_cross_entropy():
    weights = Objective(class_weights=(1.0, 5.0, 2.0)).weights([], 3)
    _, parts = Criterion(Objective(class_weights="balanced"), 3, weights).judge(logits(), TRUTH)
    wanted = torch.nn.functional.cross_entropy(logits(), TRUTH, torch.tensor([1.0, 5.0, 2.0]))
    torch.testing.assert_close(parts["cross_entropy"], wanted)
    assert Objective().weights([], 3) is None


@pytest.mark.parametrize("wrong", [(1.0, 2.0), (1.0, -1.0, 2.0), (0.0, 0.0, 0.0)])
def test_class_weights_of_other_classes_are_refused(wrong):
    with pytest.raises(ConfigError, match="loss.class_weights.*3 numbers"):
        Objective(class_weights=wrong).weights([], 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"terms": ()}, "loss.terms: got none"),
        ({"terms": (("entropy", 1.0),)}, "got entropy; allowed: each once, of cross-entropy"),
        ({"terms": (("dice", 1.0), ("dice", 1.0))}, "each once"),
        ({"terms": (("dice", 0.0),)}, "weights above 0"),
        ({"terms": (("generalised-dice", 1.0),), "activation": "sigmoid"}, "loss.terms"),
        ({"terms": (("dice", 1.0),), "class_weights": "balanced"}, "no cross-entropy to weigh"),
        ({"ignored": ("scarf",)}, "'scarf'"),
    ],
)
def test_objectives_that_mean_nothing_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Objective(**wrong)


def test_it_is_written_as_toml_has_it():
    table = {"terms": [["dice", 1], ["cross-entropy", 0.5]], "class_weights": [1, 2.5, 3]}
    objective = from_table(Objective, table)
    assert objective.terms == (("dice", 1.0), ("cross-entropy", 0.5))
    assert objective.class_weights == (1.0, 2.5, 3.0)
    assert from_table(Objective, to_table(objective)) == objective
    assert from_table(Objective, {"class_weights": "balanced"}).class_weights == "balanced"


def test_a_voxel_is_what_its_likeliest_channel_says_above_one_half():
    channels = torch.tensor([[[[-1.0, 0.5, 2.0]], [[-0.1, -3.0, 3.0]]]])
    sigmoid = Objective(activation="sigmoid")
    assert sigmoid.classes_of(channels).tolist() == [[[0, 1, 2]]]
    assert (channels.sigmoid() > 0.5).any(1).tolist() == [[[False, True, True]]]
    assert Objective().classes_of(channels).tolist() == [[[1, 0, 1]]]


def test_the_ignored_is_carried_as_a_class_and_comes_back():
    frame = tiny.frame(10)
    spoilt = replace(frame, classes=np.where(frame.classes == 2, IGNORED, frame.classes))
    carried = PreparedSet([spoilt], tiny.CPU, ignored_as=2)
    assert torch.equal(carried.classes, PreparedSet([frame], tiny.CPU).classes)
    assert set(PreparedSet([spoilt], tiny.CPU).classes.unique().tolist()) == {0, 1, IGNORED}
    criterion = Criterion(Objective(ignored=("scar",)), 3)
    assert criterion.carried == 4
    assert criterion.truth_of(torch.tensor([0, 2, 3])).tolist() == [0, 2, IGNORED]
    assert Criterion(Objective(), 3).carried == 3


def test_an_ignored_structure_counts_neither_in_training_nor_in_scores():
    objective = Objective(ignored=("scar",))
    task = tiny.task(objective=objective)
    frame = tiny.frame(10)
    spoilt = frame.classes.copy()
    spoilt[:, :, :24] = IGNORED
    task._data._prepared.classes[:, :, 15:] = 3  # as what it is carried
    _, truth = task._batch()
    assert set(truth.unique().tolist()) <= {0, 1, 2, IGNORED}
    assert (truth == IGNORED).any()
    assert task.step(1.0)["loss"] > 0
    with torch.no_grad():
        task.average.output.weight.zero_()
        task.average.output.bias.copy_(torch.tensor([0.0, 9.0, 0.0]))  # calls everything disc
    task._validation = [replace(frame, classes=spoilt)]
    disc = np.count_nonzero(spoilt == 1)
    assert 0 < disc < np.count_nonzero(frame.classes == 1)
    looked_at = np.count_nonzero(spoilt != IGNORED)
    assert task.validate()["dice_1"] == pytest.approx(2 * disc / (disc + looked_at))


def test_sigmoid_channels_learn_discs(tmp_path):
    objective = Objective(terms=(("cross-entropy", 0.5), ("dice", 0.5)), activation="sigmoid")
    task = tiny.task(widths=(8, 16), objective=objective, batch=8, rate=1e-2)
    assert task.network.output.out_channels == 2
    schedule = Schedule(steps=90, warm_up=10, validate_every=90)
    fit(task, schedule, tmp_path, resume=False)
    assert task.validate()["score"] > 0.85


def test_the_validation_loss_is_the_objective_on_whole_frames():
    task = tiny.task(validation=2)
    scores = task.validate()
    losses = []
    for frame in task._validation:
        with torch.no_grad():
            answer = task.average(torch.from_numpy(frame.pixels)[:, None])
        truth = torch.from_numpy(frame.classes).long()
        losses.append(Criterion(Objective(), 3).judge(answer, truth)[0].item())
    assert scores["validation_loss"] == pytest.approx(np.mean(losses))
    assert losses[0] != losses[1]
