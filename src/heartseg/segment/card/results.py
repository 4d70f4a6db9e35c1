"""The tables of a card: what was measured, by structure, phase, group and level."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from heartseg.measure.breakdown import BIAS, CORRELATION, ERROR, MEAN, Score, unit_of
from heartseg.measure.measures import STACK
from heartseg.measure.metrics import METRICS
from heartseg.measure.readers import READERS_DICE, READERS_DIFFER
from heartseg.measure.summary import ALL
from heartseg.segment.appraisal import Appraisal
from heartseg.segment.card.document import Table

NOTHING = "-"
LEVELS = ("base", "mid", "apex")
MEAN_OF_ALL = "mean of them"


def tables_of(appraisal: Appraisal, cine: bool) -> list[Table]:
    """The tables of one appraisal; those that nothing was measured for are left out.

    Args:
        appraisal: what to tell.
        cine: the human limit of short-axis cine MR stands beside it.
    """
    made = [
        _by_phase(appraisal, "dice", cine),
        _by_phase(appraisal, "hausdorff95_mm", False),
        _by_group(appraisal),
        _by_level(appraisal),
        _by_group_and_level(appraisal),
        _findings(appraisal, cine),
    ]
    return [table for table in made if table.rows]


def _structures(appraisal: Appraisal) -> list[str]:
    """Keys in the order in which they were scored, their mean last, where there are several."""
    keys = dict.fromkeys(
        s.structure for s in appraisal.scores if s.structure and s.statistic == MEAN
    )
    single = [key for key in keys if key != ALL]
    return [*single, ALL] if len(single) > 1 else single


def _name(structure: str) -> str:
    return MEAN_OF_ALL if structure == ALL else structure


def _by_phase(appraisal: Appraisal, measure: str, cine: bool) -> Table:
    named = METRICS[measure]
    phases = [
        phase
        for phase in dict.fromkeys(s.phase for s in appraisal.scores if s.measure == measure)
        if phase
    ]
    rows = []
    for key in _structures(appraisal):
        found = [appraisal.score(measure, MEAN, structure=key, phase=p) for p in phases]
        if any(found):
            human = [_readers(READERS_DICE.get(key))] if cine else []
            rows.append([_name(key), *map(shown, found), *human])
    heads = ["structure", *phases, *(["two readers"] if cine else [])]
    title = f"{named.title} by structure and phase"
    return Table(key=measure, title=title, heads=heads, rows=rows)


def _by_group(appraisal: Appraisal) -> Table:
    structures = _structures(appraisal)
    rows = []
    for group, count in sorted(appraisal.groups.items()):
        cells = [
            shown(appraisal.score("dice", MEAN, structure=key, phase=ALL, group=group))
            for key in structures
        ]
        far = appraisal.score("hausdorff95_mm", MEAN, structure=ALL, phase=ALL, group=group)
        if set(cells) != {NOTHING}:
            rows.append([group, str(count), *cells, shown(far)])
    heads = ["group", "patients", *(f"Dice {_name(key)}" for key in structures), "HD95 mean (mm)"]
    return Table(key="by_group", title="By group of patients", heads=heads, rows=rows)


def _by_level(appraisal: Appraisal) -> Table:
    rows = []
    for key in _structures(appraisal):
        for phase in ("ED", "ES", ALL):
            found = [
                appraisal.score("dice", MEAN, structure=key, phase=phase, level=level)
                for level in LEVELS
            ]
            if any(found):
                rows.append([_name(key), phase, *map(shown, found)])
    return Table(
        key="by_level",
        title="Dice by level of the stack",
        heads=["structure", "phase", *LEVELS],
        rows=rows,
    )


def _by_group_and_level(appraisal: Appraisal) -> Table:
    keys = _structures(appraisal)[-1:]
    rows = []
    for group in sorted(appraisal.groups):
        found = [
            appraisal.score("dice", MEAN, structure=key, phase=ALL, group=group, level=level)
            for key in keys
            for level in LEVELS
        ]
        if any(found):
            rows.append([group, *map(shown, found)])
    return Table(
        key="by_group_and_level",
        title="Dice by group and level, mean of the structures",
        heads=["group", *LEVELS],
        rows=rows,
    )


def _findings(appraisal: Appraisal, cine: bool) -> Table:
    keys = dict.fromkeys(s.measure for s in appraisal.scores if s.statistic == ERROR)
    rows = []
    for key in keys:
        for group in ("", *sorted(appraisal.groups)):
            error = appraisal.score(key, ERROR, group=group)
            if error is not None:
                human = [_differ(key)] if cine else []
                rows.append([*_finding(appraisal, key, group, error), *human])
    heads = [
        "finding",
        "group",
        "patients",
        "bias (limits of agreement)",
        "mean absolute error",
        "r",
    ]
    return Table(
        key="findings",
        title="Findings, measured - reference",
        heads=[*heads, *(["readers differ by"] if cine else [])],
        rows=rows,
        note="EF in points of a hundred. Limits of agreement: bias +- 1.96 SD.",
    )


def _finding(appraisal: Appraisal, key: str, group: str, error: Score) -> list[str]:
    bias = appraisal.score(key, BIAS, group=group)
    r = appraisal.score(key, CORRELATION, group=group)
    name = STACK[key].name if key in STACK else key
    return [name, group or "all", str(error.cases), shown(bias), shown(error), shown(r)]


def shown(score: Score | None) -> str:
    """A number with its interval; EF in points of a hundred."""
    if score is None:
        return NOTHING
    show = _shower(score)
    told = show(score.value)
    if score.low is None or score.high is None:
        return told
    return f"{told} ({show(score.low)} to {show(score.high)})"


def _shower(score: Score) -> Callable[[float], str]:
    if score.statistic == CORRELATION or score.measure == "dice":
        return "{:.3f}".format
    if score.measure.endswith("_ef"):
        return lambda value: f"{100 * value:.1f}"
    unit = unit_of(score.measure)
    return lambda value: f"{value:.1f} {unit}"


def _readers(interval: tuple[float, float] | None) -> str:
    return NOTHING if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _differ(key: str) -> str:
    interval = READERS_DIFFER.get(key)
    if interval is None:
        return NOTHING
    if key.endswith("_ef"):
        return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"
    return f"{interval[0]:.0f} to {interval[1]:.0f} {unit_of(key)}"


def weakest(appraisal: Appraisal) -> Iterator[str]:
    """Sentences that name the parts with the lowest mean Dice."""
    whole = _lowest([s for s in appraisal.scores if not s.group and not s.level])
    level = _lowest([s for s in appraisal.scores if not s.group and s.level])
    group = _lowest([s for s in appraisal.scores if s.group and not s.level])
    for what, one in (("over the whole stack", whole), ("by level", level), ("by group", group)):
        if one is not None:
            place = ", ".join(p for p in (one.structure, one.phase, one.level, one.group) if p)
            yield f"Lowest mean Dice {what}: {place}, {shown(one)} ({patients(one.cases)})."


def patients(count: int) -> str:
    """`1 patient`, `20 patients`."""
    return f"{count} patient{'s' if count != 1 else ''}"


def where_it_fails(appraisal: Appraisal) -> str:
    """A sentence on what the worst slices have in common; nothing for fewer than two."""
    told = appraisal.failures
    if len(told) < 2:
        return ""
    shares = [
        f"{Counter(values).most_common(1)[0][1]} {word} {Counter(values).most_common(1)[0][0]}"
        for word, values in (
            ("lie at the", [one.level for one in told if one.level]),
            ("are of", [one.phase for one in told if one.phase]),
        )
        if values
    ]
    return f"Of the {len(told)} worst slices {', '.join(shares)}." if shares else ""


def _lowest(scores: Sequence[Score]) -> Score | None:
    """Of single structures in single phases, where there are any."""
    held = [s for s in scores if s.measure == "dice" and ALL not in (s.structure, s.phase)]
    held = held or [s for s in scores if s.measure == "dice" and s.structure != ALL]
    return min(held, key=lambda s: s.value, default=None)
