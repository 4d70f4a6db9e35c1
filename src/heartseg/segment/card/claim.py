"""CLAIM, the checklist for artificial intelligence in medical imaging, in its update of 2024.

Numbers and topics of the 44 items were compared with two item-by-item tables of the published
update (Tejani et al., Radiol Artif Intell 2024;6(4):e240300); the words are ours.
"""

from heartseg.segment.card import answers as a
from heartseg.segment.card.standard import Item, Standard

_PAPER = a.not_applicable("a model's record is no paper")

_TITLE, _INTRODUCTION, _DESIGN, _DATA = "title and abstract", "introduction", "design", "data"
_STANDARD, _PARTS, _TESTING = "reference standard", "partitions", "testing data"
_MODEL, _TRAINING, _EVALUATION = "model", "training", "evaluation"
_RESULTS, _PERFORMANCE, _DISCUSSION, _OTHER = "results", "performance", "discussion", "other"

CLAIM = Standard(
    title="CLAIM 2024",
    source="Tejani and others, Radiology: Artificial Intelligence 2024;6(4):e240300",
    lead=(
        "Filled in from the model's record. What an item asks is told in our words: read the"
        " standard. An answer is no claim that the item is met."
    ),
    items=(
        Item("1", _TITLE, "named as work on AI, with the sort of method", a.kind),
        Item("2", _TITLE, "summary of design, methods, results, conclusions", _PAPER),
        Item("3", _INTRODUCTION, "background; intended use and role of the method", a.use),
        Item("4", _INTRODUCTION, "aims and hypotheses", a.silent),
        Item("5", _DESIGN, "data looked at forwards or backwards in time", a.design),
        Item(
            "6",
            _DESIGN,
            "what the study is for",
            a.always("to make a model and to test it", "card: Intended use"),
        ),
        Item("7", _DATA, "where the data come from", a.sources),
        Item("8", _DATA, "who was taken in and who was left out", a.silent),
        Item("9", _DATA, "what is done to the images first", a.preparation),
        Item("10", _DATA, "parts of the data that were chosen", a.subsets),
        Item("11", _DATA, "how identities were removed", a.silent),
        Item(
            "12",
            _DATA,
            "what was done where data were missing",
            a.always(
                "frames where a structure was not drawn neither train nor test it; nothing is"
                " filled in",
                "heartseg: train/data.py, evaluation.py",
            ),
        ),
        Item("13", _DATA, "how the images were acquired", a.acquisition),
        Item("14", _STANDARD, "how the reference was obtained", a.reference),
        Item("15", _STANDARD, "why this reference", a.silent),
        Item("16", _STANDARD, "who drew it, and how trained", a.silent),
        Item("17", _STANDARD, "how the test set was drawn", a.silent),
        Item("18", _STANDARD, "how far those who drew differ", a.silent),
        Item("19", _PARTS, "how data were assigned to the parts", a.partitions),
        Item(
            "20",
            _PARTS,
            "what the parts do not share",
            a.always("patients: all images of a patient lie in one part", "heartseg: train/split"),
        ),
        Item("21", _TESTING, "size that was intended, and why", a.silent),
        Item("22", _MODEL, "the model in full: input, output, layers", a.model),
        Item("23", _MODEL, "software with versions", a.software),
        Item("24", _MODEL, "first values of the weights", a.beginning),
        Item("25", _TRAINING, "training: augmentation, settings, course", a.training),
        Item("26", _TRAINING, "how the final model was chosen", a.choice),
        Item("27", _TRAINING, "several models together", a.always("one model", "model.toml")),
        Item("28", _EVALUATION, "measures of how good it is", a.measures),
        Item("29", _EVALUATION, "significance and uncertainty", a.uncertainty),
        Item("30", _EVALUATION, "robustness, sensitivity", a.silent),
        Item(
            "31",
            _EVALUATION,
            "means to explain it, and whether they were checked",
            a.always(
                "saliency, Grad-CAM, attention and uncertainty maps, with checks that they depend"
                " on weights and pixels",
                "heartseg explain",
            ),
        ),
        Item("32", _EVALUATION, "test on data of the same source", a.internal),
        Item("33", _EVALUATION, "test on data from elsewhere", a.external),
        Item("34", _EVALUATION, "registration of a trial", a.not_applicable("no trial")),
        Item("35", _RESULTS, "patients taken in and left out, in numbers", a.numbers),
        Item("36", _RESULTS, "who they were, in each part", a.characteristics),
        Item("37", _PERFORMANCE, "results with their uncertainty", a.performance),
        Item(
            "38",
            _PERFORMANCE,
            "diagnostic accuracy and its precision",
            a.not_applicable("it draws and measures, and makes no diagnosis"),
        ),
        Item("39", _PERFORMANCE, "where it fails", a.failures),
        Item("40", _DISCUSSION, "limitations", a.limitations),
        Item("41", _DISCUSSION, "what it means for practice", a.use),
        Item(
            "42",
            _OTHER,
            "where the protocol is",
            a.always("how numbers are made", "benchmarks/protocol.md"),
        ),
        Item("43", _OTHER, "whether software, model and data can be had", a.availability),
        Item("44", _OTHER, "funding", a.silent),
    ),
)
