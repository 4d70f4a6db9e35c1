"""TRIPOD+AI, the reporting guideline for prediction models, of 2024.

Numbers and topics of the 52 parts of its 27 items were compared with two item-by-item tables of the
published checklist (Collins et al., BMJ 2024;385:e078378); the words are ours.
"""

from heartseg.segment.card import answers as a
from heartseg.segment.card.standard import Item, Standard

_PAPER = a.not_applicable("a model's record is no paper")
_NO_UPDATE = a.not_applicable("the model was not updated after its test")
_PIXELS = a.not_applicable("the only predictor is the image itself")

_TITLE, _INTRODUCTION, _DATA, _PEOPLE = "title and abstract", "introduction", "data", "participants"
_OUTCOME, _PREDICTORS, _METHODS = "outcome", "predictors", "methods"
_OPEN, _RESULTS, _DISCUSSION = "open science", "results", "discussion"

TRIPOD_AI = Standard(
    title="TRIPOD+AI 2024",
    source="Collins and others, BMJ 2024;385:e078378",
    lead=(
        "Filled in from the model's record. The guideline is for models that predict an outcome of"
        " a patient; here the outcome is the mask that a reader would draw and the volumes and"
        " ejection fraction from it. What an item asks is told in our words: read the standard. An"
        " answer is no claim that the item is met."
    ),
    items=(
        Item("1", _TITLE, "named as making or testing a model, for whom and what", a.kind),
        Item("2", _TITLE, "abstract by its own checklist", _PAPER),
        Item("3a", _INTRODUCTION, "context and reason, models that exist", a.silent),
        Item("3b", _INTRODUCTION, "for whom, where in care, by whom it is used", a.use),
        Item("3c", _INTRODUCTION, "known inequalities between groups of people", a.silent),
        Item(
            "4",
            _INTRODUCTION,
            "aims: making, testing or both",
            a.always("making and testing", "card: Training, Evaluation data"),
        ),
        Item("5a", _DATA, "sources of training and test data, how typical", a.sources),
        Item("5b", _DATA, "when the data were collected", a.silent),
        Item("6a", _PEOPLE, "setting; number and place of centres", a.acquisition),
        Item("6b", _PEOPLE, "who was eligible", a.silent),
        Item("6c", _PEOPLE, "treatments", a.silent),
        Item("7", _DATA, "preparation and checks of quality, alike for all", a.preparation),
        Item("8a", _OUTCOME, "what is predicted, when and how assessed, why", a.reference),
        Item("8b", _OUTCOME, "who assessed it", a.silent),
        Item("8c", _OUTCOME, "blinding of who assessed it", a.silent),
        Item("9a", _PREDICTORS, "how predictors were chosen", _PIXELS),
        Item("9b", _PREDICTORS, "predictors, how and when measured", a.acquisition),
        Item("9c", _PREDICTORS, "who measured predictors that need judgement", _PIXELS),
        Item("10", _METHODS, "sample size and why it is enough", a.silent),
        Item(
            "11",
            _METHODS,
            "missing data",
            a.always(
                "frames where a structure was not drawn neither train nor test it; nothing is"
                " filled in",
                "heartseg: train/data.py, evaluation.py",
            ),
        ),
        Item("12a", _METHODS, "how data were used and divided", a.partitions),
        Item("12b", _METHODS, "how predictors enter the model", a.preparation),
        Item("12c", _METHODS, "the model and how it was built and checked", a.training),
        Item("12d", _METHODS, "differences between centres", a.silent),
        Item("12e", _METHODS, "measures of how good it is", a.measures),
        Item("12f", _METHODS, "updating after the test", _NO_UPDATE),
        Item(
            "12g",
            _METHODS,
            "how the predictions were computed in the test",
            a.always("heartseg segment, as a user would", "benchmarks/protocol.md"),
        ),
        Item("13", _METHODS, "imbalance of classes", a.loss),
        Item("14", _METHODS, "what was done for fairness, and why", a.silent),
        Item("15", _METHODS, "what the model answers; thresholds", a.output),
        Item("16", _METHODS, "how training and test data differ", a.apart),
        Item("17", _METHODS, "ethical approval and consent", a.silent),
        Item("18a", _OPEN, "funding", a.silent),
        Item("18b", _OPEN, "conflicts of interest", a.silent),
        Item(
            "18c",
            _OPEN,
            "protocol",
            a.always("how numbers are made", "benchmarks/protocol.md"),
        ),
        Item("18d", _OPEN, "registration", a.silent),
        Item("18e", _OPEN, "whether the data can be had", a.availability),
        Item("18f", _OPEN, "whether the code can be had", a.availability),
        Item("19", "public", "involvement of patients and public", a.silent),
        Item("20a", _RESULTS, "participants and how many had the outcome", a.numbers),
        Item("20b", _RESULTS, "who they were, by source", a.characteristics),
        Item("20c", _RESULTS, "those of the test beside those of the training", a.characteristics),
        Item("21", _RESULTS, "numbers in each analysis", a.numbers),
        Item("22", _RESULTS, "the full model, for others to use", a.model),
        Item("23a", _RESULTS, "how good it is, with intervals and by group", a.performance),
        Item("23b", _RESULTS, "differences between groups and centres", a.subgroups),
        Item("24", _RESULTS, "results of updating", _NO_UPDATE),
        Item("25", _DISCUSSION, "interpretation, fairness included", a.silent),
        Item("26", _DISCUSSION, "limitations", a.limitations),
        Item(
            "27a",
            _DISCUSSION,
            "what to do with poor or missing input",
            a.always(
                "heartseg refuses what it cannot read, and says review or reject with the reason",
                "report: quality",
            ),
        ),
        Item(
            "27b",
            _DISCUSSION,
            "what users must do, and with what skill",
            a.always("look at each slice, and correct it", "card: Intended use"),
        ),
        Item("27c", _DISCUSSION, "next steps", a.silent),
    ),
)
