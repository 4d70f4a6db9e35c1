"""What `evaluate` prints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from heartseg.cli.listing import table, to_json
from heartseg.evaluation import Comparison, Evaluation, row_cells
from heartseg.measure.agreement import EMPTY_MASK_RULE
from heartseg.measure.concordance import ClinicalAgreement, Coefficient
from heartseg.measure.methods import SIGNIFICANT, Difference, HumanLimit
from heartseg.report.words import clean

COMPARED = (
    "Compared: one value a case, the mean over its phases, over the cases that both predictions"
    " have a value for; of findings the absolute error. Two-sided Wilcoxon signed-rank tests,"
    " corrected together by Holm; the interval is a 95 % bootstrap interval of the mean difference"
    f" over cases. better: at {SIGNIFICANT:g} after correction."
)
"""Said with every comparison of predictions."""

HUMAN = (
    "Human limit: what two of several expert readers reach on cine MR of other patients, from the"
    " pair that agrees worst to the one that agrees best. not worse: the whole 95 % interval of the"
    " mean is on the good side of the best pair; worse: none of it is; open: it spans it."
)
"""Said with every comparison with readers."""

AGREED = (
    "Findings: measured - reference. Limits: Bland-Altman, bias +- 1.96 SD. concordance: Lin's."
    " icc_2_1: absolute agreement, icc_3_1: consistency, of single measurements."
)

_SHOWN = ("cases", "missing", "bias", "bias_interval", "limits", "mean_absolute_error",
          "pearson_r", "concordance", "icc_2_1", "icc_3_1")  # fmt: skip


def as_json(result: Comparison) -> str:
    """For machines: of one prediction its results, of several those of each by name."""
    said = {name: _evaluation(one) for name, one in result.evaluations.items()}
    human = [human_cells(one) for one in result.human]
    if len(said) == 1:
        return to_json({**next(iter(said.values())), "human_limit": human})
    differences = [asdict(one) for one in result.differences]
    return to_json({"predictions": said, "differences": differences, "human_limit": human})


def _evaluation(one: Evaluation) -> dict[str, Any]:
    rows = [{**row_cells(row), "reasons": row.reasons} for row in (*one.rows, *one.levels)]
    return {
        "rows": [row for row in rows if not row["level"]],
        "levels": [row for row in rows if row["level"]],
        "summary": [asdict(line) for line in one.summary],
        "clinical": {key: asdict(value) for key, value in one.clinical.items()},
        "problems": one.problems,
        "empty_mask_rule": EMPTY_MASK_RULE,
    }


def as_text(result: Comparison) -> str:
    """For people: masks, numbers, the rules, what differs, what could not be compared."""
    several = len(result.evaluations) > 1
    blocks: list[str] = []
    for name, one in result.evaluations.items():
        blocks += [f"== {name} ==" * several, *_blocks(one)]
    if result.differences:
        blocks += [COMPARED, table([_shown_all(difference_cells(d)) for d in result.differences])]
    if result.human:
        blocks += [HUMAN, table([_shown_all(human_cells(limit)) for limit in result.human])]
    blocks.append(EMPTY_MASK_RULE)
    for name, one in result.evaluations.items():
        whose = f"{name}: " * several
        blocks += [
            clean(f"{whose}{case}: not compared: {why}") for case, why in one.problems.items()
        ]
    return "\n\n".join(block for block in blocks if block)


def _blocks(one: Evaluation) -> Iterable[str]:
    yield table([_shown_all(asdict(line)) for line in one.summary])
    if one.clinical:
        yield table([_clinical_line(key, agreed) for key, agreed in one.clinical.items()])
        yield AGREED


def _clinical_line(key: str, agreed: ClinicalAgreement) -> Mapping[str, object]:
    return {"measure": key, **{name: _shown(getattr(agreed, name)) for name in _SHOWN}}


def difference_cells(one: Difference) -> dict[str, object]:
    """A comparison of two predictions as cells, with the interval in two."""
    cells = asdict(one)
    low, high = cells.pop("interval") or (None, None)
    return {**cells, "difference_low": low, "difference_high": high}


def human_cells(one: HumanLimit) -> dict[str, object]:
    """A comparison with readers as cells, with intervals in two."""
    return {
        "prediction": one.method,
        "measure": one.measure,
        "structure": one.structure,
        "cases": one.result.cases,
        "mean": one.result.mean,
        "low": one.result.interval[0],
        "high": one.result.interval[1],
        "readers_low": one.readers[0],
        "readers_high": one.readers[1],
        "limit": one.result.limit,
        "verdict": one.result.verdict,
    }


def _shown_all(cells: Mapping[str, object]) -> dict[str, str]:
    return {name: _shown(value) for name, value in cells.items()}


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Coefficient):
        return _shown(value.value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " to ".join(_shown(one) for one in value)
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.0005 or value == 0 else f"{value:.1e}"
    return str(value)
