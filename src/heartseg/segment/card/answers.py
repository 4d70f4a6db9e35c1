"""What a bundle's record answers to the questions of reporting checklists.

Each function is one topic; both checklists share them. An answer says where it is found, or that
nothing is recorded, or why the question does not arise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heartseg.config import to_table
from heartseg.measure.breakdown import BIAS, ERROR, MEAN
from heartseg.measure.summary import ALL
from heartseg.segment.appraisal import Appraisal
from heartseg.segment.card.facts import NOT_RECORDED, NOT_STATED, Facts, in_words
from heartseg.segment.card.results import shown, weakest
from heartseg.segment.card.sections import image_kind, limits_of, scanners


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, and where it is found: a section of the card, a file, or "" for nowhere."""

    said: str
    where: str = ""


Answering = Callable[[Facts], Answer]

SILENT = Answer(NOT_RECORDED)


def silent(_: Facts) -> Answer:
    """The record does not hold it."""
    return SILENT


def not_applicable(reason: str) -> Answering:
    """The question does not arise."""
    answer = Answer(f"not applicable: {reason}")
    return lambda _: answer


def always(said: str, where: str) -> Answering:
    """What is so for every model of heartseg."""
    answer = Answer(said, where)
    return lambda _: answer


def found(said: str, section: str) -> Answer:
    """An answer from the card; nothing recorded where it is empty."""
    return SILENT if said in ("", NOT_RECORDED) else Answer(said, f"card: {section}")


def kind(facts: Facts) -> Answer:
    """What sort of method."""
    network = facts.description.architecture.get("name", NOT_RECORDED)
    said = f"Deep learning: network '{network}' that draws {facts.finds} in {image_kind(facts)}."
    return found(said, "Model details")


def use(facts: Facts) -> Answer:
    """Intended use, users, and what is out of scope."""
    said = (
        f"To draw {facts.finds} in {image_kind(facts)} for research, and to measure from the masks;"
        " for researchers, engineers, and clinicians within a study who check each slice. Not for"
        " decisions on a patient."
    )
    return found(said, "Intended use")


def design(facts: Facts) -> Answer:
    """Whether data were collected for it."""
    told = "backwards: published data, collected before" if facts.data_sets() else ""
    return found(told, "Training data")


def sources(facts: Facts) -> Answer:
    """Which data trained and tested."""
    cards = [f"{card.title} ({card.paper})" for card in facts.data_sets().values()]
    trained = "; ".join([facts.said("data"), *cards])
    tested = "; ".join(f"{one.data}, {one.split}" for one in facts.appraisals) or NOT_RECORDED
    return found(f"Trained: {trained}. Tested: {tested}.", "Training data, Evaluation data")


def preparation(facts: Facts) -> Answer:
    """What is done to an image first."""
    return found(in_words(to_table(facts.description.preparation)), "Preparation")


def subsets(facts: Facts) -> Answer:
    """Which patients and slices were taken of what there was."""
    limits = {key: facts.training("split", key) for key in ("patients", "slices")}
    fewer = ", ".join(f"{value} {key}" for key, value in limits.items() if value)
    if not isinstance(facts.training("split"), dict):
        return SILENT
    return found(f"limited to {fewer}" if fewer else "none: all of the parts", "Training data")


def acquisition(facts: Facts) -> Answer:
    """Scanners and protocol."""
    told = scanners(facts)
    return SILENT if told == NOT_STATED else found(told, "Factors")


def reference(facts: Facts) -> Answer:
    """What the reference standard is."""
    cards = facts.data_sets()
    if not cards:
        return SILENT
    told = "; ".join(f"the published masks of {name}: {c.labels}" for name, c in cards.items())
    return found(told, "Training data")


def partitions(facts: Facts) -> Answer:
    """How patients were assigned."""
    split = facts.said("split")
    parts = {
        "trained": facts.said("patients"),
        "validated": facts.said("validation_patients"),
        "kept to test": facts.said("test_patients"),
    }
    if set(parts.values()) == {NOT_RECORDED} and split == NOT_RECORDED:
        return SILENT
    return found(f"Patients {in_words(parts)}. Rule: {split}.", "Training data")


def model(facts: Facts) -> Answer:
    """Network, input, output."""
    network = in_words(facts.description.architecture)
    said = (
        f"{network}; {facts.parameters:,} parameters; one channel of prepared pixels in,"
        f" {facts.description.activation} over {len(facts.description.structures)} channels out."
    )
    return found(said, "Model details")


def software(facts: Facts) -> Answer:
    """Libraries with versions."""
    torch, commit = facts.said("torch"), facts.said("commit")
    if (torch, commit) == (NOT_RECORDED, NOT_RECORDED):
        return SILENT
    return found(f"torch {torch}; heartseg at commit {commit}.", "Training")


def beginning(facts: Facts) -> Answer:
    """First weights."""
    origin = facts.training("encoder_from") or facts.training("weights_from")
    said = f"weights of {origin}" if origin else f"random, seed {facts.said('seed')}"
    return found(said, "Training")


def training(facts: Facts) -> Answer:
    """How it was trained."""
    learning = facts.said("learning")
    if learning == NOT_RECORDED:
        return SILENT
    said = (
        f"{facts.said('steps')} steps, {facts.said('images')} images, {facts.said('hours')} hours"
        f" on {facts.said('hardware')}; learning: {learning}; schedule: {facts.said('schedule')};"
        f" loss: {facts.said('loss')}; augmentation: {facts.said('spatial')};"
        f" {facts.said('intensity')}."
    )
    return found(said, "Training")


def choice(facts: Facts) -> Answer:
    """How the weights were chosen among those of the run."""
    if "validation_dice" in facts.description.scores:
        return found("the weights with the best validation Dice of the run", "Training")
    if facts.training("steps") is None:
        return SILENT
    averaged = facts.training("learning", "average") not in (None, 0, 0.0)
    kept = "the moving average of the weights" if averaged else "the weights"
    return found(f"none was made: {kept} at the last step", "Training")


def measures(facts: Facts) -> Answer:
    """Which metrics."""
    used = dict.fromkeys(s.measure for one in facts.appraisals for s in one.scores)
    return found(", ".join(used), "Metrics")


def uncertainty(facts: Facts) -> Answer:
    """How sure the numbers are."""
    if not facts.appraisals:
        return SILENT
    return found(
        "95 % bootstrap intervals of means over patients; Bland-Altman limits of agreement;"
        " one training run, so nothing on how runs differ",
        "Metrics",
    )


def internal(facts: Facts) -> Answer:
    """The test on kept patients."""
    return _tests([facts.tested] if facts.tested else [])


def external(facts: Facts) -> Answer:
    """The test on patients from elsewhere."""
    return _tests(facts.elsewhere)


def _tests(chosen: Sequence[Appraisal]) -> Answer:
    told = [f"{one.data}, {one.cases} patients: {_headline(one)}" for one in chosen]
    return found("; ".join(told), "Evaluation data, Results")


def _headline(one: Appraisal) -> str:
    dice = one.score("dice", MEAN, structure=ALL, phase=ALL)
    ef, bias = one.score("lv_ef", ERROR), one.score("lv_ef", BIAS)
    said = [f"mean Dice {shown(dice)}"] if dice else []
    said += [f"LV EF error {shown(ef)} points"] if ef else []
    said += [f"bias {shown(bias)}"] if bias else []
    return ", ".join(said)


def performance(facts: Facts) -> Answer:
    """The headline numbers of every test."""
    return _tests(facts.appraisals)


def numbers(facts: Facts) -> Answer:
    """How many patients in each part."""
    tested = [f"{one.data} {one.split}: {one.cases} patients" for one in facts.appraisals]
    if facts.training("patients") is None and not tested:
        return SILENT
    said = f"trained: {facts.said('patients')} patients, {facts.said('planes')} planes"
    return found("; ".join([said, *tested]), "Training data, Evaluation data")


def characteristics(facts: Facts) -> Answer:
    """Who they were."""
    trained, tests = facts.said("groups"), [one for one in facts.appraisals if one.groups]
    tested = [f"{one.data} {one.split}: {in_words(one.groups)}" for one in tests]
    if trained == NOT_RECORDED and not tested:
        return SILENT
    said = "; ".join([f"groups, trained: {trained}", *tested])
    return found(f"{said}. Sex, age, origin: {NOT_RECORDED}.", "Training data, Evaluation data")


def subgroups(facts: Facts) -> Answer:
    """Whether groups fare alike."""
    told = [point for one in facts.appraisals if one.groups for point in weakest(one)]
    return found(" ".join(told), "Results")


def failures(facts: Facts) -> Answer:
    """The worst cases."""
    told = [
        f"{f.case} {f.phase} slice {f.slice} ({f.structure}: {f.how}, {f.wrong_ml:.1f} mL)"
        for one in facts.appraisals
        for f in one.failures[:3]
    ]
    return found("; ".join(told), "Known failure cases")


def limitations(facts: Facts) -> Answer:
    """What the numbers do not hold for."""
    return found(" ".join(limits_of(facts)), "Caveats and recommendations")


def availability(facts: Facts) -> Answer:
    """Of software, weights and data."""
    told = [f"{name}: {card.obtain}" for name, card in facts.data_sets().items()]
    weights = f"weights: {facts.description.licence}"
    return found("; ".join(["code: Apache-2.0", weights, *told]), "Licence and citation")


def output(facts: Facts) -> Answer:
    """What it answers, and how a class is taken."""
    said = (
        f"probabilities by {facts.description.activation} of {facts.finds} and background for each"
        " pixel; the likeliest is taken, then refined by the rules of anatomy"
    )
    return found(said, "Model details")


def apart(facts: Facts) -> Answer:
    """Whether training and test data differ."""
    tested, names = facts.tested, facts.training("data_sets") or {}
    if tested is None or not names:
        return SILENT
    same = "the same data set" if tested.data_set in names else "another data set"
    others = ", ".join(one.data for one in facts.elsewhere) or "none"
    return found(f"internal test: {same}; elsewhere: {others}", "Evaluation data, Caveats")


def loss(facts: Facts) -> Answer:
    """How the loss weighs classes."""
    return found(facts.said("loss"), "Training")
