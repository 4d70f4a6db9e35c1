"""Tables of a benchmark, in Markdown and LaTeX: every number is from runs.csv and cases.csv."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from heartseg.benchmark.pooled_table import pooled_table
from heartseg.benchmark.results import (
    LESS_IS_BETTER,
    Against,
    Mean,
    Method,
    Results,
    against_best,
    best_of,
)
from heartseg.benchmark.table import NOTHING, Cell, Table
from heartseg.core.anatomy import STRUCTURES_BY_KEY
from heartseg.core.finding import Interval
from heartseg.measure.agreement import EMPTY_MASK_RULE
from heartseg.measure.readers import READERS_DICE, READERS_DIFFER
from heartseg.report.atomic import write_atomically
from heartseg.report.words import clean

NAMES: Mapping[str, str] = {
    "dice": "Dice",
    "jaccard": "IoU",
    "precision": "precision",
    "recall": "recall",
    "hausdorff95_mm": "HD95, mm",
    "assd_mm": "ASSD, mm",
    "accuracy": "accuracy",
    "boundary_iou_2mm": "boundary IoU, 2 mm",
    "soft_dice": "soft Dice",
    "two_class_iou": "IoU of two classes",
    "hausdorff95_px": "HD95, pixels",
}
"""Of metrics, as tables head their columns."""


def write_tables(results: Results, folder: Path) -> tuple[Path, ...]:
    """Write `scores.md` and `scores.tex`.

    Raises:
        OutputError: they cannot be written.
    """
    tables = tuple(all_tables(results))
    files = {
        folder / "scores.md": as_markdown(tables),
        folder / "scores.tex": as_latex(tables),
    }
    for path, text in files.items():
        write_atomically(path, text.encode())
    return tuple(files)


def all_tables(results: Results) -> Iterator[Table]:
    """What there is to show."""
    yield scores_table(results)
    if results.scored:
        yield structures_table(results)
        if results.grid.report.columns:
            yield side_by_side(results)
            yield from tables_apart(results)
        if results.grid.report.pooled:
            yield pooled_table(results, NAMES)
    failures = [row for method in results.methods for row in method.failed]
    if failures:
        lines = [(Cell(row["run"]), Cell(row["reason"])) for row in failures]
        yield Table(title="Runs that failed", heads=("run", "reason"), rows=tuple(lines))


def scores_table(results: Results) -> Table:
    """A line a method: how good, how surely, and at what cost."""
    first, *others = results.grid.report.metrics
    against = against_best(results.scored, first)
    best = {name: best_of(results.scored, name) for name in (first, *others)}
    rows = [
        (
            *(Cell(label) for label in method.labels.values()),
            Cell(f"{len(method.rows)} of {method.planned}"),
            Cell(str(_cases(method, first))),
            _mean_cell(method.mean(first), first, method is best[first]),
            Cell(_span(_interval(method.mean(first)), first)),
            Cell(_p(against.get(method.title), method is best[first])),
            *(_mean_cell(method.mean(name), name, method is best[name]) for name in others),
            Cell(_points(method.average("lv_ef_mae"))),
            Cell(_thousands(method.average("parameters"))),
            Cell(_minutes(method.average("training_seconds"))),
        )
        for method in results.methods
    ]
    heads = (
        *results.grid.compared,
        *("runs", "patients", NAMES[first], "95 % interval", "p against the best"),
        *(NAMES[name] for name in others),
        *("LV EF error, points", "parameters", "training, min"),
    )
    human = _human_line(results, len(heads), heads)
    return Table(
        title=f"{results.grid.title}: {results.grid.part}",
        heads=heads,
        rows=(*rows, *human),
        notes=tuple(_notes(results)),
    )


def structures_table(results: Results) -> Table:
    """A line a method: the first metric by structure and by phase."""
    metric = results.metric
    columns: list[tuple[str, dict[str, str]]] = [
        (STRUCTURES_BY_KEY[key].title, {"structure": key}) for key in results.structures
    ]
    columns += [(phase, {"phase": phase}) for phase in results.phases]
    means = [[method.mean(metric, **where) for _, where in columns] for method in results.scored]
    wins = [_winner([line[place] for line in means], metric) for place in range(len(columns))]
    rows = [
        (
            *(Cell(label) for label in method.labels.values()),
            *(
                _mean_cell(mean, metric, wins[place] == number)
                for place, mean in enumerate(means[number])
            ),
        )
        for number, method in enumerate(results.scored)
    ]
    limits = [READERS_DICE.get(where.get("structure", "")) for _, where in columns]
    if metric == "dice" and results.short_axis_mr and any(limits):
        rows.append(_human([_span(limit, metric) for limit in limits], results))
    return Table(
        title=f"{NAMES[metric]} by structure and phase",
        heads=(*results.grid.compared, *(name for name, _ in columns)),
        rows=tuple(rows),
    )


def tables_apart(results: Results) -> Iterator[Table]:
    """`side_by_side` for one value of an axis after the other, as thesis 001 lays out its tables.

    Those of which no run is done are left out.
    """
    for axis in results.grid.report.apart:
        for label in dict.fromkeys(method.labels[axis] for method in results.scored):
            mine = tuple(one for one in results.methods if one.labels[axis] == label)
            table = side_by_side(replace(results, methods=mine), leave_out=axis)
            yield replace(table, title=f"{axis} {label}", notes=(_seen_note(mine),))


def _seen_note(methods: Sequence[Method]) -> str:
    seen = [int(row["images_seen"]) for one in methods for row in one.rows if row["images_seen"]]
    done, planned = sum(len(one.rows) for one in methods), sum(one.planned for one in methods)
    rest = f"; {planned - done} of {planned} runs are not done" if planned > done else ""
    if not seen:
        return f"No run says how many images it saw{rest}."
    span = f"{min(seen):,}" if min(seen) == max(seen) else f"{min(seen):,} to {max(seen):,}"
    return f"Images seen in each run: {span}{rest}."


def side_by_side(results: Results, leave_out: str | None = None) -> Table:
    """The methods with some axes spread over columns: every metric under every value.

    Args:
        results: of the methods.
        leave_out: an axis of which they have one value.
    """
    across = results.grid.report.columns
    down = [name for name in results.grid.compared if name not in (*across, leave_out)]
    metrics = results.grid.report.metrics

    def at(method: Method, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(method.labels[name] for name in names if name in method.labels)

    lines = list(dict.fromkeys(at(method, down) for method in results.methods))
    spread = list(dict.fromkeys(at(method, across) for method in results.methods))
    placed = {(at(method, down), at(method, across)): method for method in results.methods}
    columns = [(metric, values) for metric in metrics for values in spread]
    rows: list[list[Cell]] = [[Cell(label) for label in line] for line in lines]
    for metric, values in columns:
        here = [placed.get((line, values)) for line in lines]
        means = [method.mean(metric) if method else None for method in here]
        best = _winner(means, metric)
        for number, mean in enumerate(means):
            rows[number].append(_mean_cell(mean, metric, number == best))
    return Table(
        title=f"By {', '.join(across)}",
        heads=(*down, *(f"{NAMES[metric]} ({', '.join(values)})" for metric, values in columns)),
        rows=tuple(tuple(row) for row in rows),
    )


def _winner(means: Sequence[Mean | None], metric: str) -> int | None:
    there = [(mean.value, place) for place, mean in enumerate(means) if mean is not None]
    if not there:
        return None
    choose = min if metric in LESS_IS_BETTER else max
    return choose(there, key=lambda pair: pair[0])[1]


def _human_line(results: Results, width: int, heads: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    """What people reach, where it is known: the range over structures, and of the EF."""
    if not results.short_axis_mr:
        return ()
    cells = [NOTHING] * (width - len(results.grid.compared))
    known = [READERS_DICE[key] for key in results.structures if key in READERS_DICE]
    if results.metric == "dice" and known and len(known) == len(results.structures):
        low = sum(limit[0] for limit in known) / len(known)
        high = sum(limit[1] for limit in known) / len(known)
        cells[2] = _span((low, high), "dice")
    low, high = READERS_DIFFER["lv_ef"]
    cells[heads.index("LV EF error, points") - len(results.grid.compared)] = (
        f"{100 * low:.1f} to {100 * high:.1f}"
    )
    return (_human(cells, results),)


def _human(cells: Sequence[str], results: Results) -> tuple[Cell, ...]:
    names = ["human readers", *[""] * (len(results.grid.compared) - 1)]
    if not results.grid.compared:
        names = []
    return tuple(Cell(text) for text in (*names, *cells))


def _notes(results: Results) -> Iterator[str]:
    rows = [row for method in results.methods for row in method.rows]
    first = NAMES[results.metric]
    yield (
        f"{first}: mean over patients, each counted once (structures, phases and repeats are "
        "averaged first), with a bootstrap interval over patients. Bold: the best of a column."
    )
    yield (
        "p: two-sided Wilcoxon signed-rank test against the best method over shared patients, "
        "adjusted for all methods by Holm; - where there are fewer than six patients."
    )
    if results.short_axis_mr:
        yield (
            "Human readers: Dice between two of three experts (Bai 2018, other images); EF, how "
            "far core laboratories differ (Suinesiaputra 2015)."
        )
    yield f"{EMPTY_MASK_RULE} (n none): a mean without n lines that had no value."
    for what, column in (("Hardware", "hardware"), ("Commit", "commit"), ("Data", "data")):
        said = "; ".join(dict.fromkeys(row.get(column, "") for row in rows))
        if said:
            yield f"{what}: {said}."
    missing = len(results.grid.cells) - len(rows)
    if missing:
        yield f"Not finished: {missing} of {len(results.grid.cells)} runs."


def _cases(method: Method, metric: str) -> int:
    mean = method.mean(metric)
    return 0 if mean is None else mean.cases


def _interval(mean: Mean | None) -> Interval | None:
    return None if mean is None else mean.interval


def _mean_cell(mean: Mean | None, metric: str, bold: bool) -> Cell:
    if mean is None:
        return Cell(NOTHING)
    left_out = f" ({mean.missing} none)" if mean.missing else ""
    return Cell(_number(mean.value, metric) + left_out, bold)


def _number(value: float, metric: str) -> str:
    return f"{value:.1f}" if metric in LESS_IS_BETTER else f"{value:.3f}"


def _span(interval: Interval | None, metric: str) -> str:
    if interval is None:
        return NOTHING
    return " to ".join(_number(edge, metric) for edge in interval)


def _p(against: Against | None, best: bool) -> str:
    if best:
        return "best"
    if against is None or against.p is None:
        return NOTHING
    return "< 0.001" if against.p < 0.001 else f"{against.p:.3f}"


def _points(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"


def _thousands(value: float | None) -> str:
    return NOTHING if value is None else f"{round(value):,}"


def _minutes(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds / 60:.1f}"


def as_markdown(tables: Sequence[Table]) -> str:
    """One page."""
    blocks = []
    for table in tables:
        lines = [[_md(head) for head in table.heads], ["---"] * len(table.heads)]
        lines += [[_md_cell(cell) for cell in row] for row in table.rows]
        text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        notes = "".join(f"\n\n{_md(note)}" for note in table.notes)
        blocks.append(f"## {_md(table.title)}\n\n{text}{notes}\n")
    return "\n".join(blocks)


def _md(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _md_cell(cell: Cell) -> str:
    return f"**{_md(cell.text)}**" if cell.bold else _md(cell.text)


_TEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def as_latex(tables: Sequence[Table]) -> str:
    r"""Tables for a paper; they need `\usepackage{booktabs}`."""
    return "\n".join(map(_latex, tables))


def _latex(table: Table) -> str:
    lines = [" & ".join(map(_tex, table.heads)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(_tex_cell, row)) + r" \\" for row in table.rows]
    columns = "l" * len(table.heads)
    head = rf"\begin{{table}}{chr(10)}\caption{{{_tex(table.title)}}}"
    notes = "".join(f"\n\\par\\footnotesize {_tex(note)}" for note in table.notes)
    body = "\n".join([r"\toprule", *lines, r"\bottomrule"])
    tabular = f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}"
    return f"{head}\n{tabular}{notes}\n\\end{{table}}\n"


def _tex(text: str) -> str:
    return "".join(_TEX.get(mark, mark) for mark in clean(text))


def _tex_cell(cell: Cell) -> str:
    return rf"\textbf{{{_tex(cell.text)}}}" if cell.bold else _tex(cell.text)
