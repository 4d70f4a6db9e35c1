"""Which definitions do the columns of thesis 001 fit? A computation on its own numbers.

    python benchmarks/thesis_definitions.py TEXT

TEXT is the text of the thesis; its Tables 1 to 9 hold 99 networks on initial and augmented data,
198 triples of "accuracy", "MIoU" and recall. What follows for the hard Dice from either reading
of MIoU is written into docs/explanation/thesis-grid.md, between its two marks.
"""

import argparse
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rows import ROOT

PAGE = ROOT / "docs" / "explanation" / "thesis-grid.md"
BEGIN, END = "<!-- written by benchmarks/thesis_definitions.py -->", "<!-- end of table -->"
SHARES = (0.05, 0.10, 0.15)
"""Of the LV endocardium in a picture: what two classes depend on."""

STEPS = 20_001


class Triples(NamedTuple):
    """Columns of the tables, a number a network and kind of data."""

    accuracy: NDArray[np.float64]
    miou: NDArray[np.float64]
    recall: NDArray[np.float64]


def main() -> None:
    """Read, compute, write."""
    parser = argparse.ArgumentParser(description="compare the thesis's columns with definitions")
    parser.add_argument("text", type=Path)
    found = triples(parser.parse_args().text.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{told(found)}\n\n{END}{after}", encoding="utf-8")


def triples(text: str) -> Triples:
    """The numbers of Tables 1 to 9, each of which has eleven lines of six."""
    tables = [one for one in re.split(r"\nTable ", text) if re.match(r"[1-9]: ", one)]
    lines = [re.findall(r"\b0\.\d{3}\b", line) for one in tables for line in one.splitlines()]
    numbers = np.array([[float(n) for n in line] for line in lines if len(line) == 6])
    if len(numbers) != 99:
        raise SystemExit(f"{len(numbers)} lines of six numbers in Tables 1 to 9, not 99")
    columns = [np.concatenate([numbers[:, k], numbers[:, k + 1]]) for k in (0, 2, 4)]
    return Triples(*columns)


def told(found: Triples) -> str:
    """What the columns can and cannot be, in Markdown."""
    foreground = found.accuracy / (2 - found.accuracy)
    above = int((found.miou > found.accuracy).sum())
    beyond = int((found.miou > (foreground + 1) / 2).sum())
    lines = [
        f"Of {len(found.miou)} pairs the MIoU is above the accuracy in {above}, and above the "
        f"bound of two classes in {beyond}.",
        "",
        "| MIoU is | hard Dice, mean | largest | above the accuracy by, mean | least | most "
        "| recall less precision, mean |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for share in SHARES:
        name = f"of two classes, the LV {share:.0%} of a picture"
        lines.append(_line(name, found, two_classes(found, share)))
    lines.append(_line("of the foreground alone", found, found.miou))
    return "\n".join(lines)


def two_classes(found: Triples, share: float) -> NDArray[np.float64]:
    """The foreground IoU of each triple whose two classes have this mean.

    With true positives r s and false negatives (1 - r) s for a recall r and a share s, false
    positives follow from the foreground IoU J: r s / J - s. The mean grows with J; the J whose
    mean is nearest is taken.
    """
    tried = np.linspace(0.3, 1.0, STEPS)
    answers = []
    for miou, recall in zip(found.miou, found.recall, strict=True):
        excess = recall * share / tried - share
        rest = (1 - share - excess) / (1 - recall * share)
        off = np.abs((tried + rest) / 2 - miou)
        answers.append(tried[np.argmin(np.where(excess >= 0, off, np.inf))])
    return np.array(answers)


def _line(name: str, found: Triples, jaccard: NDArray[np.float64]) -> str:
    dice = 2 * jaccard / (1 + jaccard)
    gap = dice - found.accuracy
    precision = 1 / (1 / jaccard - 1 / found.recall + 1)
    numbers = (dice.mean(), dice.max(), gap.mean(), gap.min(), gap.max())
    numbers = (*numbers, (found.recall - precision).mean())
    return f"| {name} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |"


if __name__ == "__main__":
    main()
