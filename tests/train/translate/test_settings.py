"""What a RUN.toml of a translation may say, and what it must not."""

import pytest

pytest.importorskip("torch")
from heartseg.core.errors import ConfigError
from heartseg.train.translate.methods import CycleGAN, FastCUT
from heartseg.train.translate.settings import TranslateLearning
from tests.train.translate import small


def test_half_a_table_keeps_the_other_half_of_the_defaults() -> None:
    found = small.settings("schedule.steps=100", "spatial.size_px=32")
    assert (found.schedule.shape, found.schedule.warm_up) == ("linear", 0)
    assert (found.spatial.rotation_degrees, found.spatial.elastic_px) == (10.0, 0.0)
    rates = [found.schedule.rate(step) for step in (0, 49, 50, 75, 99)]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.02])


def test_the_method_is_the_table_that_is_there() -> None:
    assert small.settings().method == CycleGAN()
    assert small.settings("cyclegan.cycle=3").method == CycleGAN(cycle=3.0)
    assert small.settings("fastcut.flip=false").method == FastCUT(flip=False)
    with pytest.raises(ConfigError, match="one of them"):
        small.settings("fastcut.flip=false", "cyclegan.cycle=3")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("schedule.patience=3", "no number says"),
        ("schedule.shape=plateau", "no number says"),
        ("source.preparation.neighbours=1", "same on both sides"),
        ("structures=['lung']", "lung"),
        ("ignored=['lung']", "lung"),
        ("source.train_on=['validate']", "without overlap"),
        ("target.frames=0", "frames"),
        ("cyclegan.adversarial=0", "above 0"),
        ("cyclegan.cycle=-1", "from 0"),
        ("cyclegan.history=-1", "history"),
        ("fastcut.patches=1", "2 patches"),
        ("anatomy.weight=2", "one of frozen and joint"),
        ("learning.discriminator_rate=0", "discriminator_rate"),
        ("learning.rate=0", "rate"),
        ("schedule.flat=1", "flat"),
        ("task=segment", "translate"),
        ("cylcegan.cycle=1", "did you mean 'cyclegan'"),
    ],
)
def test_what_means_nothing_is_refused(change: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        small.settings(change)


def test_a_joint_witness_knows_both_kinds() -> None:
    with pytest.raises(ConfigError, match="learns both"):
        small.settings("anatomy.joint.name=unet", "anatomy.sees=['target']")
    with pytest.raises(ConfigError, match="both"):
        small.settings("anatomy.joint.name=unet", "anatomy.frozen=cine-mr")
    with pytest.raises(ConfigError, match="sees"):
        small.settings("anatomy.frozen=cine-mr", "anatomy.sees=[]")


def test_rivals_learn_at_their_own_rate_and_keep_no_average() -> None:
    learning = TranslateLearning(rate=1e-3, discriminator_rate=4e-3, momentum=0.3, average=0.7)
    ours, theirs = learning.of_generators(), learning.of_discriminators()
    assert (ours.rate, theirs.rate) == (1e-3, 4e-3)
    assert (ours.average, theirs.average) == (0.7, 0.0)
    assert ours.momentum == theirs.momentum == 0.3
    assert ours.weight_decay == theirs.weight_decay == 0.0
