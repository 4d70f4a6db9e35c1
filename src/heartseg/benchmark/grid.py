"""What a GRID.toml says, and the runs that it means.

    run = "cine-mr.toml"                      # what every run starts from
    [axes]
    seed = [1, 2, 3]                          # a setting, with its values
    learning.rate = [1e-3, 1e-4]              # a setting in a section
    [axes.network]                            # a name of your own: groups of settings
    unet = { model.name = "unet" }
    "fcn-8s" = { model.name = "fcn-8s", learning.batch = 8 }
    [[exclude]]                               # what cannot be paired
    network = "fcn-8s"
    learning.rate = 1e-3

The runs are the product of the axes, less what is excluded. Their order makes every prefix a fair
table: axes that repeat (seed, fold) are the outermost loops, the others follow as in the file, the
last one innermost. So a method is never more than one run ahead of another.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from heartseg.benchmark.axes import Axis, Table, axes_of, in_order, is_excluded, rule_of
from heartseg.config import from_table, load, to_table
from heartseg.core.errors import ConfigError
from heartseg.models import architecture
from heartseg.read.candidate import safe_id
from heartseg.train.settings import RunSettings

Metric = Literal[
    "dice",
    "jaccard",
    "precision",
    "recall",
    "hausdorff95_mm",
    "assd_mm",
    "accuracy",
    "boundary_iou_2mm",
    "soft_dice",
    "two_class_iou",
    "hausdorff95_px",
]

REPEATS = ("seed", "fold")
"""Axes of these names, or settings that end in them, repeat unless the file says otherwise."""

WORDS = (
    *("name", "version", "licence", "training_data", "schedule.log_every"),
    *("log.tensorboard", "log.curves"),
)
"""Settings that no result depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the tables and figures are laid out.

    Attributes:
        metrics: columns of the tables; the first one decides what is best.
        columns: axes whose values stand side by side in a second table, the rest below each other.
        apart: axes of which each value has such a table of its own, for all values of the others.
        curve: axis with numbers, e.g. of patients, that scores are drawn against.
        pooled: a table that counts as paper 003 does, all channels and patients at once.
    """

    metrics: tuple[Metric, ...] = ("dice", "hausdorff95_mm")
    columns: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    curve: str | None = None
    pooled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    """What a GRID.toml may say.

    Attributes:
        run: the RUN.toml that every run starts from, relative to the GRID.toml.
        title: of the tables.
        axes: by setting a list of values, or by a name of your own groups of settings.
        exclude: tables of axes and values; a run that has them all is left out.
        repeats: axes whose runs repeat each other; None for those called seed or fold.
        score_on: parts of the split that are scored when a run is trained.
        report: layout of tables and figures.
    """

    run: str
    axes: Mapping[str, Any]
    title: str = ""
    exclude: tuple[Mapping[str, Any], ...] = ()
    repeats: tuple[str, ...] | None = None
    score_on: tuple[str, ...] = ("validate",)
    report: Layout = field(default_factory=Layout)


@dataclass(frozen=True, slots=True)
class Cell:
    """A run of the grid.

    Attributes:
        run: its id: the labels, and a hash of every setting that a result depends on.
        labels: by axis.
        settings: of the training.
    """

    run: str
    labels: Mapping[str, str]
    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A grid that was read: all of its runs are possible as far as settings tell.

    Attributes:
        title: of the tables.
        root: folder that the settings' paths start from, that of the RUN.toml.
        axes: in the order of the file.
        repeats: names of those that repeat.
        cells: in the order in which they are to be done.
        score_on: parts that are scored.
        report: layout.
    """

    title: str
    root: Path
    axes: tuple[Axis, ...]
    repeats: tuple[str, ...]
    cells: tuple[Cell, ...]
    score_on: tuple[str, ...]
    report: Layout

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the axes that do not repeat: together they are a method."""
        return tuple(axis.name for axis in self.axes if axis.name not in self.repeats)

    @property
    def part(self) -> str:
        """What is scored, as a word: `validate`, or `validate+test`."""
        return "+".join(self.score_on)


def read_grid(path: Path) -> Grid:
    """Read a GRID.toml and the RUN.toml that it starts from.

    Raises:
        ConfigError: a setting, axis, value or pairing that cannot be; before anything is trained.
    """
    settings = load(GridSettings, path)
    base_path = path.parent / settings.run
    base = load(RunSettings, base_path)
    sections = {field.name for field in fields(RunSettings)}
    axes = tuple(axes_of(settings.axes, sections, path.name))
    _require_axes(settings, axes, path.name)
    rules = [rule_of(table, axes, path.name) for table in settings.exclude]
    repeats = _repeats(axes) if settings.repeats is None else settings.repeats
    cells = tuple(
        _cell(base, axes, labels, path.name)
        for labels in in_order(axes, repeats)
        if not any(is_excluded(labels, rule) for rule in rules)
    )
    _require_different(cells, path.name)
    return Grid(
        title=settings.title or path.stem,
        root=base_path.parent,
        axes=axes,
        repeats=repeats,
        cells=cells,
        score_on=settings.score_on,
        report=settings.report,
    )


def _repeats(axes: Sequence[Axis]) -> tuple[str, ...]:
    return tuple(axis.name for axis in axes if axis.name.rpartition(".")[2] in REPEATS)


def _require_axes(settings: GridSettings, axes: Sequence[Axis], where: str) -> None:
    """Names of axes elsewhere in the file are those of axes."""
    known = [axis.name for axis in axes]
    if not known:
        raise ConfigError(f"{where}: axes", got="nothing to vary", do="use heartseg train")
    if not settings.score_on:
        raise ConfigError(f"{where}: score_on", got="no part", allowed="e.g. ['validate']")
    report = settings.report
    if not report.metrics:
        raise ConfigError(f"{where}: report.metrics", got="none", allowed="at least one")
    if report.apart and not report.columns:
        do = "name the axes that stand side by side in report.columns"
        raise ConfigError(f"{where}: report.apart", got="no columns", do=do)
    if set(report.apart) & set(report.columns):
        allowed = "axes that are not in report.columns"
        raise ConfigError(f"{where}: report.apart", got=", ".join(report.apart), allowed=allowed)
    named = {
        "repeats": settings.repeats or (),
        "report.columns": report.columns,
        "report.apart": report.apart,
        "report.curve": (report.curve,) if report.curve else (),
    }
    for setting, names in named.items():
        for name in names:
            if name not in known:
                raise ConfigError(f"{where}: {setting}", got=f"'{name}'", allowed=", ".join(known))


def _cell(base: RunSettings, axes: Sequence[Axis], labels: Mapping[str, str], where: str) -> Cell:
    """The run of these labels.

    Raises:
        ConfigError: its settings cannot be.
    """
    said = ", ".join(f"{axis} {label}" for axis, label in labels.items())
    at = f"{where}, run with {said}"
    changes: Table = {}
    for axis in axes:
        changes = _joined(changes, axis.values[labels[axis.name]], at)
    try:
        settings = from_table(RunSettings, _over(to_table(base), changes), where=at)
        architecture(settings.model)
        settings.classes()
    except ConfigError as fault:
        advice = f"{fault}; where two values cannot be paired, say so under [[exclude]]"
        raise ConfigError(advice if at in str(fault) else f"{at}: {advice}") from fault
    slug = safe_id("-".join(_word(*pair) for pair in labels.items()))[:48].strip("-._")
    run = f"{slug}-{_hash(settings)}"
    return Cell(run, labels, replace(settings, name=run))


def _word(axis: str, label: str) -> str:
    """A number says little without its axis."""
    return label if any(map(str.isalpha, label)) else f"{axis.rpartition('.')[2]}{label}"


def _joined(one: Table, other: Table, at: str, lead: str = "") -> Table:
    """Both changes together; two axes that set the same are a mistake."""
    out = dict(one)
    for key, value in other.items():
        name = f"{lead}{key}"
        if key not in out:
            out[key] = value
        elif isinstance(out[key], Mapping) and isinstance(value, Mapping):
            out[key] = _joined(out[key], value, at, f"{name}.")
        else:
            raise ConfigError(at, got=f"{name} from two axes", allowed="one axis a setting")
    return out


def _over(below: Table, above: Table, at: str = "") -> dict[str, Any]:
    """Changes over settings; a part of another name does not inherit its forerunner's settings.

    Raises:
        ConfigError: the settings below belong to a part that is not named.
    """
    out = dict(below)
    for key, value in above.items():
        under = out.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            out[key] = value if _another(under, value, f"{at}{key}") else _over(under, value, key)
        else:
            out[key] = value
    return out


def _another(under: Table, value: Table, at: str) -> bool:
    if "name" not in value or not under or under.get("name") == value["name"]:
        return False
    if "name" not in under:
        got = f"settings of [{at}] in the base without its name, and a grid that names one"
        raise ConfigError(at, got=got, do=f"add {at}.name to the base")
    return True


def _hash(settings: RunSettings) -> str:
    table = to_table(settings)
    for name in WORDS:
        section, _, key = name.rpartition(".")
        (table[section] if section else table).pop(key, None)
    text = json.dumps(table, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _require_different(cells: Sequence[Cell], where: str) -> None:
    if not cells:
        raise ConfigError(f"{where}: exclude", got="rules that leave no run")
    seen: dict[str, Cell] = {}
    for cell in cells:
        digest = cell.run[-8:]
        if digest in seen:
            same = ", ".join(f"{axis} {label}" for axis, label in cell.labels.items())
            other = ", ".join(f"{axis} {label}" for axis, label in seen[digest].labels.items())
            raise ConfigError(where, got=f"the same run twice: {same}; {other}")
        seen[digest] = cell
