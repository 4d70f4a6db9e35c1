"""Tables 1 to 10 of thesis 001 from the rows of its grid, and its six conclusions."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from paper_rows import NOT_RUN, Cell, Found, short, shown
from sheets import markdown_table

from heartseg.measure.statistics import bootstrap_mean

DECODERS: Mapping[str, str] = {
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "manet": "MANet",
    "linknet": "LinkNet",
    "fpn": "FPN",
    "pspnet": "PSPNet",
    "pan": "PAN",
    "deeplabv3": "DeepLabv3",
    "deeplabv3plus": "DeepLabv3+",
}
"""By key, in the order of Tables 1 to 9."""

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
EFFICIENT = tuple(f"efficientnet-b{n}" for n in (0, 1, 3, 5, 7))
ENCODERS = ("plain", *RESNETS, "mobilenetv2", *EFFICIENT)
KINDS = ("initial", "augmented")
METRICS: Mapping[str, str] = {
    "soft Dice": "1",
    "Dice": "1",
    "IoU": "1",
    "IoU of two classes": "1",
    "accuracy": "1",
    "recall": "1",
    "HD95, pixels": "px",
}
"""Columns with their units; what the thesis calls accuracy is soft Dice, Eq. 2.3 is accuracy."""

FEWEST_PAIRS = 6
RULE = f"""Two kinds of networks are compared by hard Dice over all pairs of runs that differ in
nothing else. A claim *holds* when the 95 % bootstrap interval of the mean difference over the pairs
lies above 0, it *does not* when the interval lies below 0, and it *cannot be said yet* when there
are fewer than {FEWEST_PAIRS} pairs or the interval holds 0. Of several claims, one that does not
hold decides; all have to hold. Pairs share their test patients, so intervals are too narrow: what
is close is not settled."""

HOLDS, NOT, UNKNOWN = "holds", "does not", "cannot be said yet"
Verdict = tuple[str, str]
"""The word, and what it is from."""


def thesis_tables(found: Found) -> Iterator[str]:
    """Tables 1 to 10 in Markdown."""
    for number, (decoder, name) in enumerate(DECODERS.items(), start=1):
        rows = (_line(found, decoder, encoder, encoder) for encoder in ENCODERS)
        yield f"### Table {number}: {name}\n\n{markdown_table(_heads('encoder'), rows)}"
    seen = {short(cell.labels)["encoder"] for cell in found.cells} - {"plain"}
    for encoder in dict.fromkeys(("efficientnet-b3", "resnet34", *sorted(seen))):
        rows = (_line(found, decoder, encoder, name) for decoder, name in DECODERS.items())
        yield f"### Table 10: {encoder}\n\n{markdown_table(_heads('architecture'), rows)}"


def _heads(first: str) -> list[str]:
    return [first, *(f"{name} ({kind})" for name in METRICS for kind in KINDS), "images seen"]


def _line(found: Found, decoder: str, encoder: str, name: str) -> list[str]:
    runs = [{"decoder": decoder, "encoder": encoder, "data": kind} for kind in KINDS]
    cells = [found.at(labels) for labels in runs]
    numbers = [
        shown(cell.value(metric), unit) if cell else NOT_RUN
        for metric, unit in METRICS.items()
        for cell in cells
    ]
    told = []
    for labels, cell in zip(runs, cells, strict=True):
        take = found.take(f"{decoder}-{encoder}", labels)
        told.append(cell.images if cell else f"{NOT_RUN} ({take})")
    return [name, *numbers, "; ".join(dict.fromkeys(told))]


def conclusions(found: Found) -> list[list[str]]:
    """A line a conclusion of the thesis: what it says, the verdict, and from what."""
    encoders, plus = [one for one in ENCODERS if one != "plain"], "deeplabv3plus"
    claims: list[tuple[str, list[Verdict]]] = [
        ("A backbone is better than none", [_backbones(found, encoders)]),
        ("Augmented data are better", [better(found, "data", "augmented", "initial")]),
        (
            "DeepLabv3+ is the best architecture",
            [better(found, "decoder", plus, one) for one in DECODERS if one != plus],
        ),
        (
            "U-Net++ is better than U-Net, DeepLabv3+ than DeepLabv3",
            [
                better(found, "decoder", "unetplusplus", "unet"),
                better(found, "decoder", plus, "deeplabv3"),
            ],
        ),
        (
            "Of the ResNets, ResNet-34 is best; -50 and -101 take longer",
            _series(found, "resnet34", RESNETS, ("resnet50", "resnet101")),
        ),
        (
            "Of the EfficientNets, b3 is best; b5 and b7 take longer",
            _series(found, "efficientnet-b3", EFFICIENT, EFFICIENT[3:]),
        ),
    ]
    return [[said, *_together(verdicts)] for said, verdicts in claims]


def better(found: Found, axis: str, one: str, other: str, measure: str = "Dice") -> Verdict:
    """Whether a label of an axis is above another in a measure, all else equal."""
    return judged(f"{one} less {other}", _differences(found, axis, one, other, measure))


def judged(said: str, differences: Sequence[float]) -> Verdict:
    """The rule of the page on differences of pairs."""
    if len(differences) < FEWEST_PAIRS:
        return UNKNOWN, f"{said}: {len(differences)} pairs"
    values = np.array(differences)
    low, high = bootstrap_mean(values)
    word = HOLDS if low > 0 else NOT if high < 0 else UNKNOWN
    numbers = f"{values.mean():+.3f} ({low:+.3f} to {high:+.3f})"
    return word, f"{said}: {numbers}, {len(values)} pairs"


def _backbones(found: Found, encoders: Sequence[str]) -> Verdict:
    """Each plain network once, against the mean of its backbones: it is not many pairs."""
    pairs: dict[tuple[str, str], list[float]] = {}
    plain: dict[tuple[str, str], float] = {}
    for cell in found.cells:
        labels, value = short(cell.labels), cell.value("Dice")
        key = (labels["decoder"], labels["data"])
        if value is not None and labels["encoder"] == "plain":
            plain[key] = value
        elif value is not None and labels["encoder"] in encoders:
            pairs.setdefault(key, []).append(value)
    both = [float(np.mean(pairs[key])) - plain[key] for key in plain if key in pairs]
    return judged("mean of the backbones less none", both)


def _series(found: Found, best: str, series: Sequence[str], slower: Sequence[str]) -> list[Verdict]:
    rivals = [better(found, "encoder", best, one) for one in series if one != best]
    times = [better(found, "encoder", one, best, "training time") for one in slower]
    return [*rivals, *((word, f"minutes of {said}") for word, said in times)]


def _differences(found: Found, axis: str, one: str, other: str, measure: str) -> list[float]:
    sides: dict[str, dict[frozenset[tuple[str, str]], float]] = {one: {}, other: {}}
    for cell in found.cells:
        value = cell.value(measure)
        if value is not None and short(cell.labels)[axis] in sides:
            sides[short(cell.labels)[axis]][_rest(cell, axis)] = value
    return [value - sides[other][key] for key, value in sides[one].items() if key in sides[other]]


def _rest(cell: Cell, axis: str) -> frozenset[tuple[str, str]]:
    """What a cell shares with those that differ from it on this axis alone."""
    return frozenset(pair for pair in short(cell.labels).items() if pair[0] != axis)


def _together(verdicts: Sequence[Verdict]) -> tuple[str, str]:
    words = {word for word, _ in verdicts}
    word = NOT if NOT in words else UNKNOWN if UNKNOWN in words else HOLDS
    return word, "; ".join(said for _, said in verdicts)
