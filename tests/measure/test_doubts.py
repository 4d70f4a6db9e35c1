from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.finding import Quality
from heartseg.core.image import Image
from heartseg.core.study import Phases
from heartseg.measure.confidence import Sureness
from heartseg.measure.doubts import NO_HEART, Witness, doubted
from heartseg.measure.likeness import GROUPS, Familiar, Looks, familiar_of, looks_of
from tests.measure.hearts import LV, MYO, RV, best_seconds, round_heart, segmentation

BOTH = Phases(ed=0, es=1, how="given")
PASSED = Quality(verdict="pass")
LABELS = np.stack([round_heart(), round_heart(15, 12)])
DRAWN = segmentation(LABELS)
GREY = np.select([LABELS == LV, LABELS == MYO, LABELS == RV], [900, 200, 800], 400)
IMAGE = Image(GREY.astype(np.int16), DRAWN.geometry)


def sureness(sure: float) -> Sureness:
    """Of a model that gave each voxel of a mask this probability, and the rest none."""
    counts = np.stack(
        [[np.count_nonzero(frame == one, axis=(1, 2)) for one in (LV, MYO, RV)] for frame in LABELS]
    )
    return Sureness(np.stack([counts, sure * counts, sure * counts], axis=-1), (LV, MYO, RV))


@pytest.fixture(scope="module")
def familiar() -> Familiar:
    """Of twenty patients who look like this one."""
    seen = looks_of(IMAGE.voxels, DRAWN, BOTH)
    assert seen is not None
    rng = np.random.default_rng(5)

    def another() -> Looks:
        return Looks(**{
            name: {key: value + rng.normal(0, 0.1) for key, value in getattr(seen, name).items()}
            for name in GROUPS
        })  # fmt: skip

    return familiar_of([another() for _ in range(20)])


def judged(witness: Witness, quality: Quality = PASSED, image: Image | None = IMAGE) -> Quality:
    return doubted(quality, witness, image, DRAWN, BOTH)


def test_a_sure_model_on_a_familiar_study_leaves_the_verdict(familiar):
    assert judged(Witness(sureness(1.0), familiar)) == PASSED
    assert judged(Witness(sureness(1.0))) == PASSED


def test_doubts_send_to_review_after_the_reasons_of_the_contours(familiar):
    before = Quality(verdict="review", reasons=("LV in 2 slices only",))

    found = judged(Witness(sureness(0.5), familiar), before)
    assert found.verdict == "review"
    assert found.reasons[:2] == (*before.reasons, "the model is unsure of the LV cavity at "
                                 "end-diastole")  # fmt: skip
    assert judged(Witness(sureness(0.5))).verdict == "review"


def test_a_strange_study_is_sent_to_review_however_sure_the_model_is(familiar):
    black = replace(IMAGE, voxels=1000 - IMAGE.voxels)

    found = judged(Witness(sureness(1.0), familiar), image=black)
    assert found.verdict == "review"
    assert any("contrast of blood to muscle" in reason for reason in found.reasons)
    assert judged(Witness(None, familiar), image=black).verdict == "review"


def test_what_was_rejected_stays_so(familiar):
    rejected = Quality(verdict="reject", reasons=("no LV cavity at end-systole",))

    assert judged(Witness(sureness(0.5), familiar), rejected) == rejected
    assert doubted(rejected, Witness(sureness(0.5)), IMAGE, DRAWN, None) == rejected


def test_it_takes_a_moment(familiar):
    """A tenth of a second for ten slices and two frames, at most."""
    labels = np.pad(LABELS, ((0, 0), (0, 1), (60, 60), (60, 60)))
    drawn = segmentation(labels)
    image = Image(np.random.default_rng(0).normal(size=labels.shape).astype(np.float32),
                  drawn.geometry)  # fmt: skip
    witness = Witness(sureness(1.0), familiar)
    witness = Witness(replace(witness.sureness, sums=np.pad(
        witness.sureness.sums, ((0, 0), (0, 0), (0, 1), (0, 0)))), familiar)  # fmt: skip

    assert best_seconds(lambda: doubted(PASSED, witness, image, drawn, BOTH), 3) < 0.15


@pytest.mark.parametrize(
    ("verdict", "wanted"), [("pass", "review"), ("review", "review"), ("reject", "reject")]
)
@pytest.mark.parametrize("phases", [BOTH, None])
def test_a_verdict_does_not_pass_where_no_heart_was_found(verdict, wanted, phases) -> None:
    quality = Quality(verdict=verdict, reasons=("why",))
    looked = Witness(None, heart_found=False)
    found = doubted(quality, looked, IMAGE, DRAWN, phases)
    assert (found.verdict, found.reasons) == (wanted, (NO_HEART, "why"))
