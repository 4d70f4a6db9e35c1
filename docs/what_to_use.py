"""The page "What to use, and why": one line a question, from the rows of experiments alone.

A setting is recommended in the place of the usual one only where its mean lies above the whole
interval of the usual one's; a difference within it is no reason to change anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paper_rows import NOT_RUN, RESULTS, Cell, found, short
from sheets import markdown_table
from traditional_lines import CLASSICAL, Measured

DICE = "Dice"
SETS = {"acdc": "ACDC", "camus": "CAMUS", "emidec": "EMIDEC"}
HEADS = ("question", "use", "because", "rows")


@dataclass(frozen=True)
class Answer:
    """A line of the page.

    Attributes:
        question: of a newcomer.
        use: in a few words; "not run" where there are no rows.
        because: the numbers.
        rows: the file below results, without .csv.
    """

    question: str
    use: str
    because: str
    rows: str

    @property
    def line(self) -> tuple[str, ...]:
        """Of the table."""
        return self.question, self.use, self.because, f"`{self.rows}`"


def page(results: Path = RESULTS) -> str:
    """The text of the page."""
    lines = [one.line for part in PARTS for one in part(results)]
    return f"{LEAD}\n\n{markdown_table(HEADS, lines)}"


LEAD = """What experiments of this project say to somebody who begins. Each answer is made of the
rows of `benchmarks/results` that there are, by one rule: something takes the place of what is
usual only where its mean Dice lies above the whole 95 % interval of the usual one's. Budgets were
small ([how rows are made](../../benchmarks/protocol.md)): an answer is where to begin, not where
to end. Of settings and warm starts [a page](settings-tried.md) has the tables and curves."""


BEGINNINGS: Mapping[str, tuple[str, str]] = {
    "ACDC": ("Short-axis MR", "`heartseg segment`"),
    "CAMUS": ("Echo", "`heartseg train runs/camus/small.toml`"),
}
"""What is segmented, and how one comes by the network of the table."""

LEARNS = (f"{CLASSICAL}atlas",)
"""Traditional methods that need labels."""


def _segmenting(results: Path) -> Iterator[Answer]:
    rows = "classical/methods"
    for data, (title, network) in BEGINNINGS.items():
        measured = Measured(data, results)
        scores = {model: _lv(measured, model) for model in measured.models}
        methods = {model: one for model, one in scores.items() if model.startswith(CLASSICAL)}
        unlearnt = {model: one for model, one in methods.items() if model not in LEARNS}
        nets = {model: one for model, one in scores.items() if model not in methods}
        if not unlearnt or not nets:
            yield Answer(title, NOT_RUN, "-", rows)
            continue
        because = f"LV Dice {_said(nets)}; the best traditional method, {_said(methods)}"
        yield Answer(title, network, because, rows)
        because = f"LV Dice {_said(unlearnt)}"
        yield Answer(f"{title}, no labels to learn from", f"`{_best(unlearnt)}`", because, rows)


def _said(scores: Mapping[str, float]) -> str:
    best = _best(scores)
    return f"{scores[best]:.3f} (`{best.removeprefix(CLASSICAL).split()[0]}`)"


def _best(scores: Mapping[str, float]) -> str:
    return max(scores, key=lambda name: scores[name])


def _lv(measured: Measured, model: str) -> float:
    row = measured.row(model, DICE, "lv", "all")
    return float(row["value"]) if row else -1.0


def _networks(results: Path) -> Iterator[Answer]:
    grid, rows = found("study003/grid", "study003", results), "study003/grid"
    for slices, said in (("20", "20 slices"), ("200", "200 slices"), ("1120", "1,120 slices")):
        there = {
            (short(one.labels)["name"], short(one.labels)["data"]): value
            for one in grid.cells
            if short(one.labels)["slices"] == slices and (value := one.value(DICE)) is not None
        }
        question = f"A network of paper 003 for {said}"
        if not there:
            yield Answer(question, NOT_RUN, "-", rows)
            continue
        (name, data), best = max(there.items(), key=lambda item: item[1])
        (_, other), least = min(there.items(), key=lambda item: item[1])
        because = f"Dice {best:.3f}; the worst of {len(there)} has {least:.3f} ({other})"
        yield Answer(question, f"`{name}`, {data}", because, rows)


def _settings(results: Path) -> Iterator[Answer]:
    for name, axis, usual, question in SETTINGS:
        rows = f"settings/{name}"
        cells = {
            short(one.labels)[axis]: one
            for one in found(rows, f"settings-{name}", results).cells
            if one.value(DICE) is not None
        }
        yield _changed(question, cells, usual, rows)


SETTINGS: Sequence[tuple[str, str, str, str]] = (
    ("rate-acdc", "setting", "base", "Learning rate and patch, ACDC"),
    ("rate-camus", "setting", "base", "Learning rate and patch, CAMUS"),
    ("batch-acdc", "batch", "8", "Batch, at equal images, ACDC"),
    ("batch-camus", "batch", "8", "Batch, at equal images, CAMUS"),
    ("loss-acdc", "setting", "base", "Loss and first weights, ACDC"),
    ("loss-camus", "setting", "base", "Loss and first weights, CAMUS"),
    ("dropout", "dropout", "0.0", "Dropout, ACDC"),
    ("augmentation-acdc", "changed", "none", "Augmentation, ACDC"),
    ("augmentation-camus", "changed", "none", "Augmentation, CAMUS"),
)
"""Name of the grid, its axis, the usual value of that, and the question."""


def _changed(question: str, cells: Mapping[str, Cell], usual: str, rows: str) -> Answer:
    """The best value where it lies above the interval of the usual one; else the usual one."""
    if usual not in cells or len(cells) < 2:
        return Answer(question, NOT_RUN, "-", rows)
    scores = {name: cell.value(DICE) or 0.0 for name, cell in cells.items()}
    best = _best(scores)
    row = cells[usual].rows[DICE, "mean"]
    own = f"`{usual}` has {scores[usual]:.3f} ({float(row['low']):.3f} to {float(row['high']):.3f})"
    if best != usual and scores[best] > float(row["high"]):
        return Answer(question, f"`{best}`", f"Dice {scores[best]:.3f}; {own}", rows)
    worst = min(scores, key=lambda name: scores[name])
    because = f"{own}; best `{best}` {scores[best]:.3f}, worst `{worst}` {scores[worst]:.3f}"
    return Answer(question, f"`{usual}`", because, rows)


def _transfer(results: Path) -> Iterator[Answer]:
    for data, title in SETS.items():
        rows = f"transfer/{data}"
        cells = found(rows, f"transfer-{data}", results).cells
        for patients in ("2", "20"):
            there = {
                f"{labels['source']}, {labels['learns']}": one
                for one in cells
                if (labels := short(one.labels))["patients"] == patients
                and one.value(DICE) is not None
            }
            yield _changed(f"{patients} patients of {title}: begin with", there, "none, full", rows)


PARTS: Sequence[Callable[[Path], Iterator[Answer]]] = (_segmenting, _networks, _settings, _transfer)
