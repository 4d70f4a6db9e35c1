"""What `evaluate -o` writes: tables for statistics programs, and plots.

| file | a line a |
|---|---|
| cases.csv | prediction, case, phase, structure and level of the stack, with every metric |
| statistics.csv | the same without cases: number, mean, SD, median, 95 % bootstrap interval |
| findings.csv | prediction, case and finding: measured and reference |
| agreement.csv | prediction and finding: Bland-Altman, Pearson, Lin, ICC, with intervals |
| differences.csv | pair of predictions, measure and structure: tests; for several predictions |
| human_limit.csv | prediction and measure, against readers; for short-axis cine MR |
| evaluation.txt | what the screen shows, with the rules |

Plots are SVG: boxes and violins of the metrics by structure, and for each prediction and finding
Bland-Altman and correlation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from heartseg.cli import agreement
from heartseg.evaluation import Comparison, Evaluation, cells_as_csv, row_cells
from heartseg.measure.concordance import ClinicalAgreement
from heartseg.measure.measures import STACK
from heartseg.measure.metrics import HEADLINE, METRICS, empty_mask_rule
from heartseg.measure.summary import ALL, Selection, by_case, summarise
from heartseg.report.agreement_plots import (
    Agreed,
    bland_altman_svg,
    boxes_svg,
    correlation_svg,
    violins_svg,
)
from heartseg.report.atomic import write_atomically

Cells = Mapping[str, object]


def write_results(result: Comparison, out: Path) -> None:
    """Into a folder, or the cases alone into a file that is called .csv.

    Raises:
        OutputError: something could not be written.
    """
    if out.suffix.lower() == ".csv":
        write_atomically(out, cells_as_csv(_case_lines(result)).encode())
        return
    files = {
        **{f"{name}.csv": cells_as_csv(lines) for name, lines in _tables(result).items() if lines},
        "evaluation.txt": f"{agreement.as_text(result)}\n\n{empty_mask_rule()}\n",
        **dict(_plots(result)),
    }
    for name, text in files.items():
        write_atomically(out / name, text.encode())


def _tables(result: Comparison) -> dict[str, list[Cells]]:
    return {
        "cases": _case_lines(result),
        "statistics": list(_statistics(result)),
        "findings": list(_finding_lines(result)),
        "agreement": list(_agreement_lines(result)),
        "differences": [agreement.difference_cells(one) for one in result.differences],
        "human_limit": [agreement.human_cells(one) for one in result.human],
    }


def _case_lines(result: Comparison) -> list[Cells]:
    several = len(result.evaluations) > 1
    return [
        {**({"prediction": name} if several else {}), **row_cells(row)}
        for name, one in result.evaluations.items()
        for row in (*one.rows, *one.levels)
    ]


def _statistics(result: Comparison) -> Iterator[Cells]:
    for name, one in result.evaluations.items():
        for line in summarise((*one.rows, *one.levels), tuple(METRICS)):
            cells = asdict(line)
            low, high = cells.pop("interval") or (None, None)
            unit = METRICS[line.metric].unit
            yield {"prediction": name, **cells, "low": low, "high": high, "unit": unit}


def _finding_lines(result: Comparison) -> Iterator[Cells]:
    for name, one in result.evaluations.items():
        for case, (ours, theirs) in one.numbers.items():
            for key in one.clinical:
                yield {
                    "prediction": name,
                    "case": case,
                    "finding": key,
                    "measured": ours.get(key),
                    "reference": theirs.get(key),
                }


def _agreement_lines(result: Comparison) -> Iterator[Cells]:
    for name, one in result.evaluations.items():
        for key, agreed in one.clinical.items():
            yield {"prediction": name, "finding": key, **dict(_flat("", asdict(agreed)))}


def _flat(prefix: str, values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Intervals in two columns, coefficients in three; empty ones keep theirs."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name in ("concordance", "icc_2_1", "icc_3_1"):
            found = value if isinstance(value, Mapping) else {"value": None, "interval": None}
            yield key, found["value"]
            yield from _ends(key, found["interval"])
        elif name == "limits" or name.endswith("interval"):
            yield from _ends(key.removesuffix("_interval"), value)
        else:
            yield key, value


def _ends(key: str, interval: object) -> Iterator[tuple[str, object]]:
    low, high = interval if isinstance(interval, Sequence) else (None, None)
    yield f"{key}_low", low
    yield f"{key}_high", high


def _plots(result: Comparison) -> Iterator[tuple[str, str]]:
    for metric in HEADLINE:
        known = METRICS[metric]
        label = known.title if known.unit == "1" else f"{known.title} ({known.unit})"
        title, groups = f"{known.title} by structure", _groups(result, metric)
        yield f"{metric}.svg", boxes_svg(title, label, groups)
        yield f"{metric}-violins.svg", violins_svg(title, label, groups)
    for name, one in result.evaluations.items():
        for key, agreed in one.clinical.items():
            shown = _agreed(name, key, one, agreed)
            yield f"bland-altman-{name}-{key}.svg", bland_altman_svg(shown)
            yield f"correlation-{name}-{key}.svg", correlation_svg(shown)


def _groups(result: Comparison, metric: str) -> dict[str, dict[str, list[float]]]:
    """One value a case, its mean over the phases, by structure and prediction."""
    rows = {name: one.rows for name, one in result.evaluations.items()}
    structures = dict.fromkeys(row.structure for own in rows.values() for row in own)
    return {
        structure.title: {
            name: list(by_case(own, metric, Selection("", structure.key, ALL))[0].values())
            for name, own in rows.items()
        }
        for structure in structures
    }


def _agreed(name: str, key: str, one: Evaluation, agreed: ClinicalAgreement) -> Agreed:
    pairs = [(ours.get(key), theirs.get(key)) for ours, theirs in one.numbers.values()]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    around = (agreed.lower_limit_interval, agreed.upper_limit_interval)
    limits = None
    if agreed.limits is not None and around[0] is not None and around[1] is not None:
        limits = (agreed.limits, (around[0], around[1]))
    coefficients = {
        "r": agreed.pearson_r,
        "Lin": None if agreed.concordance is None else agreed.concordance.value,
        "ICC(2,1)": None if agreed.icc_2_1 is None else agreed.icc_2_1.value,
    }
    said = [f"{what} {value:.3f}" for what, value in coefficients.items() if value is not None]
    return Agreed(
        title=f"{STACK[key].name}, {name}",
        unit=STACK[key].kind.unit,
        measured=[a for a, _ in both],
        reference=[b for _, b in both],
        bias=(agreed.bias, agreed.bias_interval),
        limits=limits,
        note=", ".join([f"n = {agreed.cases}", *said]),
    )
