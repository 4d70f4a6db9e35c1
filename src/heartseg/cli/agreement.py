"""What `evaluate` prints and writes."""

from dataclasses import asdict
from pathlib import Path

from heartseg.cli.listing import table, to_json
from heartseg.evaluation import Evaluation, rows_as_csv
from heartseg.measure import EMPTY_MASK_RULE
from heartseg.report.atomic import write_atomically
from heartseg.report.words import clean


def write_csv(result: Evaluation, file: Path) -> None:
    """The rows, a case, phase and structure each.

    Raises:
        OutputError: it could not be written.
    """
    write_atomically(file, rows_as_csv(result.rows).encode())


def as_json(result: Evaluation) -> str:
    """For machines."""
    return to_json(
        {
            "rows": [{**asdict(row), "structure": row.structure.key} for row in result.rows],
            "summary": [asdict(line) for line in result.summary],
            "clinical": {key: asdict(value) for key, value in result.clinical.items()},
            "problems": result.problems,
            "empty_mask_rule": EMPTY_MASK_RULE,
        }
    )


def as_text(result: Evaluation) -> str:
    """For people: masks, numbers, the rule for empty masks, what could not be compared."""
    blocks = [table([_summary_line(line) for line in result.summary])]
    if result.clinical:
        blocks.append(table([_clinical_line(key, c) for key, c in result.clinical.items()]))
    blocks.append(EMPTY_MASK_RULE)
    blocks.extend(clean(f"{case}: not compared: {why}") for case, why in result.problems.items())
    return "\n\n".join(blocks)


def _summary_line(line: object) -> dict[str, object]:
    return {name: _shown(value) for name, value in vars_of(line).items()}


def _clinical_line(key: str, agreement: object) -> dict[str, object]:
    return {"measure": key, **{k: _shown(v) for k, v in vars_of(agreement).items()}}


def vars_of(row: object) -> dict[str, object]:
    """The fields of a frozen dataclass, in order."""
    return asdict(row)  # type: ignore[call-overload, no-any-return]


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (tuple, list)):
        return " to ".join(_shown(one) for one in value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)
