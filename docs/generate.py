"""Write the reference pages from the code.

    python docs/generate.py [--check]

With --check nothing is written, and the exit code is 1 when a page is not fresh. A page of a part
that is not built is not written.
"""

import argparse
import dataclasses
import importlib
import importlib.util
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from sheets import csv_lines, markdown_table

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code: change the code, then run make docs. -->"


def main() -> None:
    """Write the pages, or say which are not fresh."""
    parser = argparse.ArgumentParser(description="write the reference pages from the code")
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    if options.check:
        stale = list(not_fresh(REFERENCE))
        sys.exit(f"not fresh: {', '.join(stale)}; run make docs" if stale else 0)
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    for name in not_fresh(REFERENCE):  # what is left is a page of something that is gone
        (REFERENCE / name).unlink()


def not_fresh(folder: Path) -> Iterator[str]:
    """Names of pages that differ from the code, are missing, or belong to nothing."""
    files = (path for path in folder.iterdir() if path.suffix in (".md", ".svg"))
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    wanted = pages()
    for name in sorted({*written, *wanted}):
        if written.get(name) != wanted.get(name):
            yield name


def pages() -> dict[str, str]:
    """Text of each page by file name, of the parts that are built."""
    found = {
        f"{page.name}.md": f"# {page.title}\n\n{NOTE}\n\n{page.write().strip()}\n"
        for page in PAGES
        if all(importlib.util.find_spec(part) for part in page.needs)
    }
    links = [f"- [{page.title}]({page.name}.md)" for page in PAGES if f"{page.name}.md" in found]
    index = "\n".join(["# Reference", "", NOTE, "", *links, ""])
    drawn = {**_beside("paper_tables").figures(), **_beside("settings_tables").figures()}
    return {"index.md": index, **found, **drawn}


# The command line.


def commands() -> dict[str, Any]:
    """The subcommands of `heartseg` by name, `a b` for one of a group; empty without any."""
    if importlib.util.find_spec("heartseg.cli") is None:
        return {}
    import typer

    group: Any = typer.main.get_command(importlib.import_module("heartseg.cli").app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {name: command})
        lead = f"{name} " if inner is getattr(command, "commands", None) else ""
        found |= {lead + own: one for own, one in inner.items() if not one.hidden}
    return found


def _commands() -> str:
    parts = ["Exit codes: 0 all done, 1 something failed (the rest is written), 2 wrong usage."]
    for name, command in commands().items():
        shown = [parameter for parameter in command.params if not parameter.hidden]
        rows = [(_usage(p), _help(p), _default(p)) for p in shown]
        table = markdown_table(("", "means", "default"), rows)
        parts.append(f"## heartseg {name}\n\n{inspect.cleandoc(command.help or '')}\n\n{table}")
    return "\n\n".join(parts)


def _usage(parameter: Any) -> str:
    if parameter.opts and parameter.opts[0].startswith("-"):
        return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return f"`{parameter.metavar or parameter.name.upper()}`"


def _help(parameter: Any) -> str:
    said = parameter.help or ""
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        said += f" ({', '.join(str(member.value) for member in kind)})"
    return said.strip()


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or callable(default) or default in ("", (), []):
        return "-"
    return f"`{_shown(default)}`"


# What the parts hold.


def _labels() -> str:
    anatomy = importlib.import_module("heartseg.core.anatomy")
    used = [s for s in anatomy.Structure if s is not anatomy.Structure.BACKGROUND]
    codes = [(s.title, f"`{s.key}`", s.code.value if s.code else "-") for s in used]
    numbers = [(f"`{scheme.name}`", scheme.legend()) for scheme in anatomy.SCHEMES.values()]
    return (
        "A scheme says what the numbers of a label file mean. A number that a scheme does not "
        "have is an error.\n\n"
        + markdown_table(("scheme", "numbers"), numbers)
        + "\n\n## Structures\n\n"
        + markdown_table(("structure", "key", "SNOMED CT"), codes)
        + "\n\n## A scheme of your own\n\n"
        + _section(inspect.getdoc(anatomy.scheme) or "", until="Raises:")
    )


def _errors() -> str:
    errors = importlib.import_module("heartseg.core.errors")
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    rows = [(f"`{k.__name__}`", f"`{k.__base__.__name__}`", _first_line(k)) for k in kinds]  # type: ignore[union-attr]
    lead = "Every message says what, got, allowed, and what to do. The library raises, doors print."
    return f"{lead}\n\n" + markdown_table(("error", "is a", "raised when"), rows)


def _inspect() -> str:
    seen = importlib.import_module("heartseg.read.inspect").Seen
    doc = inspect.getdoc(seen) or ""
    meanings = _attributes(doc)
    rows = [(f"`{f.name}`", meanings.get(f.name, "")) for f in dataclasses.fields(seen)]
    lead = "A list with an object an image. Every key is always there, null where nothing is known."
    return f"{lead}\n\n" + markdown_table(("key", "is"), rows)


def _networks() -> str:
    models = importlib.import_module("heartseg.models")
    survey = importlib.import_module("heartseg.models.survey").survey
    own = [n for n in models.ARCHITECTURES if models.ARCHITECTURES.owner(n) == "heartseg"]
    surveys = [survey(name, models.ARCHITECTURES[name]) for name in own]
    heads = ("network", "paper", "parameters", "multiply-adds", "input", "output", "sees")
    rows = [
        (
            f"`{one.name}`",
            one.paper,
            f"{one.parameters:,}",
            f"{one.multiply_adds / 1e9:.3g} G",
            _size(one.native_channels, one.native_size),
            _size(one.native_classes, one.output_size),
            " x ".join(map(str, one.receptive_field)) if one.receptive_field else "whole image",
        )
        for one in surveys
    ]
    kinds: dict[Any, list[str]] = {}
    for one in surveys:
        kinds.setdefault(type(models.ARCHITECTURES[one.name]), []).append(f"`{one.name}`")
    return "\n\n".join(
        [_NETWORKS, markdown_table(heads, rows), *(_network_kind(*one) for one in kinds.items())]
    )


_NETWORKS = """What `heartseg networks` prints: every number is taken from the built network, at the
paper's own channels, classes and size of input. *Parameters* are the trainable ones,
*multiply-adds* those of convolutions and matrix products for one input, and *sees* says on how
many pixels the most demanding pixel of the output depends."""


def _network_kind(kind: Any, names: list[str]) -> str:
    module = inspect.getdoc(sys.modules[kind.__module__]) or ""
    settings = _settings_table(kind, inspect.getdoc(kind) or "")
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return "\n\n".join(part for part in [f"## {shown}", module, settings] if part)


def _size(channels: int, size: Iterable[int]) -> str:
    return " x ".join(map(str, (channels, *size)))


def _costs() -> str:
    """Newest lines of benchmarks/results, by conditions and name."""
    kinds: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    for line in _results("costs"):
        if not line["problem"]:
            how = ("hardware", "precision", "compiled")
            kinds.setdefault(tuple(line[key] for key in how), {})[line["network"]] = line
    order = list(importlib.import_module("heartseg.models").ARCHITECTURES)
    blocks = [
        f"## {hardware}, {precision}{', compiled' * (compiled == 'yes')}\n\n"
        + markdown_table(
            tuple(_COSTS.values()),
            [[lines[name][key] for key in _COSTS] for name in order if name in lines],
        )
        for (hardware, precision, compiled), lines in kinds.items()
    ]
    passed = {
        line["network"]: line["date"] for line in _results("checks") if line["passed"] == "yes"
    }
    left = [f"`{name}`" for name in order if name not in passed]
    checked = f"{len(order) - len(left)} of {len(order)} networks passed the complete check"
    checked += f", the last on {max(passed.values())}" if passed else ""
    checked += f"; without a line: {', '.join(left)}." if left else "."
    check = ("## Complete check", _CHECK_LEAD + checked)
    return "\n\n".join([_COSTS_LEAD, *blocks, *check, "## Equal training", _equal_training(order)])


def _equal_training(order: Sequence[str]) -> str:
    """Newest rows of benchmarks/results/modern: Dice and minutes by network."""
    rows = {(row["model"], row["unit"]): row for row in _results("modern")}
    scored = [name for name, unit in rows if unit == "1"]
    trained = [name for name in order if name in scored]
    went = [name for name in scored if name not in trained]
    table = markdown_table(
        ("network", "Dice", "95 % interval", "minutes of a core"),
        [
            [
                f"{name} (went)" if name in went else name,
                rows[name, "1"]["value"],
                f"{rows[name, '1']['low']} to {rows[name, '1']['high']}",
                rows[name, "min"]["value"],
            ]
            for name in (*trained, *went)
        ],
    )
    seen = sorted({row["images_seen"] for row in rows.values()})
    return f"{_TRAINING_LEAD.format(planes=' or '.join(seen))}\n\n{table}"


_COSTS = {
    "network": "network",
    "input": "input",
    "forward_ms": "forward, ms",
    "openvino_ms": "OpenVINO, ms",
    "training_ms": "forward + backward, ms",
    "forward_mb": "memory, MB",
    "training_mb": "in training, MB",
    "share": "of matrix peak",
}
_COSTS_LEAD = """What `benchmarks/network_costs.py` measured, newest lines of
`benchmarks/results/costs/networks.csv`. Milliseconds are for 256 x 256 pixels of the answer, the
least of several passes; memory is the most above what the process held before the network was
built; the share of the matrix peak is that of torch's forward pass."""
_CHECK_LEAD = """`make networks` builds each network at its real size, runs it forward and backward,
saves and loads it, exports it and learns two images (`benchmarks/results/checks/networks.csv`).
"""

_TRAINING_LEAD = """What the modern networks learn of {planes} planes beside `unet` and
`unet-resnet34`: mean Dice of 20 validation patients of ACDC (`benchmarks/modern_networks.py`). It
tells what is quickly learnt, and nothing of long training. Those that went lie below `unet` with
their whole interval, and are no longer built."""


def _traditional() -> str:
    """The methods with their settings, and the newest rows of benchmarks/results/classical."""
    classical, lines = importlib.import_module("heartseg.classical"), _beside("traditional_lines")
    measured = {data: lines.Measured(data) for data in _TRADITIONAL_DATA}
    tables = [
        f"## {data}, the test part\n\n{lead.format(nothing=measured[data].nothing)}\n\n"
        + lines.table(classical.METHODS, measured[data])
        for data, lead in _TRADITIONAL_DATA.items()
    ]
    kinds = [
        f"## `{name}`\n\n{inspect.getdoc(sys.modules[type(method).__module__])}\n\n"
        + _bounded_settings(type(method), classical.bounds(method))
        for name, method in classical.METHODS.items()
    ]
    return "\n\n".join([_TRADITIONAL, *tables, *kinds])


_TRADITIONAL = """What `heartseg methods` prints, what each method did on patients it was not tuned
on, and every setting. [What they do and where they fail](../explanation/traditional-methods.md);
[how to use one](../how-to/traditional-methods.md)."""

_TRADITIONAL_DATA = {
    "ACDC": """Dice and HD95 in 3-D of both frames of a patient, a mean over patients with its 95 %
interval; a method that finds nothing has Dice 0 and no distance. Settings were chosen on training
patients. Seconds are of the process, a plane, on one core of a busy machine; a network looks once,
and at the heart alone if it is a shipped one. *MB* is what a process of its own held at most that
segments three patients; one that reads them and no more holds {nothing}.""",
    "CAMUS": """Each picture alone, in 2-D; the pictures have no millimetres, so there is no
distance. ED and ES are those of the few patients that have both; *LV* is of all pictures, and of a
network those of the view that it was made for. A process that only reads holds {nothing}.""",
}


def _robustness() -> str:
    """The rows of benchmarks/results/robustness, by family and by strength."""
    rows, lines = _results("robustness", "table"), _beside("robustness_lines")
    if not rows:
        return "Not measured yet."
    last = rows[-1]
    poor, flagged = lines.gate(rows)
    lead = _ROBUSTNESS.format(model=last["model"].partition(",")[0], data=last["data"])
    gate = f"Of {poor} disturbed studies with a mean Dice below 0.8, {flagged} were flagged."
    return "\n\n".join(
        [
            lead,
            "## The worst of each",
            markdown_table(lines.FAMILIES, lines.families(rows)),
            gate if poor else "No disturbed study has a mean Dice below 0.8.",
            "## Every strength",
            markdown_table(lines.STRENGTHS, lines.strengths(rows)),
        ]
    )


_ROBUSTNESS = """What `benchmarks/robustness.py` measured of {model} on test patients of {data}, ED
and ES, 3-D, through the whole pipeline: the Dice of the mask found in the undisturbed image minus
that of the mask found in the disturbed one, mean of LV, wall and RV. *Flagged* is any verdict but
pass; the change of EF is in points, of studies that are not rejected. [What the disturbances are,
and what it means](../explanation/robustness.md)."""


def _bounded_settings(kind: Any, bounds: Mapping[str, str]) -> str:
    meanings = _attributes(inspect.getdoc(kind) or "")
    rows = [
        (f"`{f.name}`", bounds.get(f.name, "-"), _setting_default(f), meanings.get(f.name, ""))
        for f in dataclasses.fields(kind)
        if f.name != "seeds"
    ]
    return markdown_table(("setting", "allowed", "default", "means"), rows)


def _field() -> str:
    """The rows of benchmarks/results/field, time and levers."""
    lines = _beside("field_lines")
    field, course = _results("field", "field"), _results("time", "time")
    levers = [row for name in ("shown", "learnt", "begun") for row in _results("levers", name)]
    if not field:
        return "Not measured yet."
    last = field[-1]
    parts = [
        _FIELD.format(how=last["configuration"].partition(", ")[2], hardware=last["hardware"]),
        markdown_table(lines.CONTESTANTS, lines.contestants(field)),
        markdown_table(lines.RATIOS, lines.ratios(field)),
    ]
    if course:
        parts += [
            "## Time to accuracy",
            _TIME,
            markdown_table(lines.RECORDS, lines.records(course)),
        ]
        parts += [markdown_table(lines.COURSE, lines.course(course))]
    if levers:
        parts += [
            "## What makes it better",
            _LEVERS,
            markdown_table(lines.LEVERS, lines.levers(levers)),
        ]
    return "\n\n".join(parts)


_FIELD = """The same 80 patients of ACDC, the same minutes by the clock, the same machine, one after
the other; the other 20 patients are judged by one table (`benchmarks/field.py`; the protocol says
who learns how: benchmarks/protocol.md). {how}, {hardware}. Minutes on a processor show who is
useful after minutes on a processor, not who is best in the end: what nnU-Net reaches in the hours
that it asks for stands in the last line. A network that has learnt from some hundred images calls
everything background, which is a Dice of 0."""

_TIME = """Minutes of a recipe's training loops until the mean Dice of the 20 test patients is
reached, scored at stops a few minutes apart (`benchmarks/time_to_accuracy.py`). The field's default
takes some nine hours of a graphics card. The share is of what a product of two large matrices
reaches on the same core."""

_LEVERS = """One thing changed at a time, in a small network of coarse pixels that learns for a few
minutes from 60 patients and is scored on 20 others, who chose the settings of `cine-mr` and are no
test (`runs/grids/levers-*.toml`). It is shown whole planes
there, which a network that learnt from crops about the heart alone has never seen: that line is no
verdict on crops. A lever that helps a small network may not help a larger one, and one seed tells
no small difference from chance."""


def _results(folder: str, file: str = "networks") -> list[dict[str, str]]:
    path = REFERENCE.parents[1] / "benchmarks" / "results" / folder / f"{file}.csv"
    return csv_lines(path)


def _layouts() -> str:
    layouts = importlib.import_module("heartseg.read.layouts")
    rows = [(f"`{name}`", _first_line(_home(one.find))) for name, one in layouts.LAYOUTS.items()]
    return "Tried in this order.\n\n" + markdown_table(("layout", "is"), rows)


def _metrics() -> str:
    metrics = importlib.import_module("heartseg.measure.metrics")
    rows = [
        (
            one.title,
            f"`{key}`",
            one.unit,
            _shown(one.perfect),
            *(_rule(rule) for rule in one.empty),
            "yes" if one.exchange == "same" else one.exchange,
            _first_line(one.of),
        )
        for key, one in metrics.METRICS.items()
    ]
    heads = ("metric", "key", "unit", "perfect", "both empty", "nothing predicted")
    more = ("nothing to find", "symmetric", "is")
    return _METRICS_LEAD + markdown_table((*heads, *more), rows)


_METRICS_LEAD = """Of a predicted and a true mask of one structure, in one frame, over the stack or
its base, middle or apex. `-` is no value, "as defined" what the definition gives. What needs
millimetres has no value in images without. [Why they are so, and what other tools
mean](../explanation/metrics.md).

"""


def _measures() -> str:
    measures = importlib.import_module("heartseg.measure.measures")
    hearts = _beside("hearts")
    stacks, views = hearts.of_stacks(), hearts.of_long_axes()
    tables = {
        "A stack of short-axis slices": (measures.STACK, stacks),
        "Its wall": (measures.RINGS, stacks),
        "Long-axis views": (measures.LONG_AXIS, views),
        "Their endocardium": (measures.LONGITUDINAL, views),
    }
    heads = ("measure", "key", "unit", "per m2", "is", "code", "null with")
    blocks = [
        f"## {title}\n\n"
        + markdown_table(
            heads,
            [
                (
                    one.name,
                    f"`{key}`",
                    one.kind.unit,
                    "yes" if one.indexed else "",
                    _first_line(one.of),
                    _coded(key, one.codes),
                    ", ".join(hearts.null_when(cases, key)),
                )
                for key, one in table.items()
            ],
        )
        for title, (table, cases) in tables.items()
    ]
    return "\n\n".join([_MEASURES_LEAD, *blocks, _reference_ranges(measures)])


_MEASURES_LEAD = """What `report.json` holds under `findings`, in its order. A number that cannot be
had is null, and `problem` says why. *Null with* names what a whole heart was robbed of until the
measure had no value; the reasons in full stand in the report. `{view}` is `4ch`, `2ch` or, of the
endocardium, `3ch`; `{beat}` is a number. What has *per m2* is also given per square metre of body
surface, under its key with `_per_m2` behind it, after the others of its table. [How they are
taken, and why](../explanation/conventions.md). [How to add
one](../how-to/add-a-part.md#what-a-measure-is)."""


def _coded(key: str, codes: Any) -> str:
    """Every code of a measure, the modality or the views beside it where it depends on these."""
    said = [f"{codes.any.scheme} {codes.any.value}"] if codes.any else []
    said += [f"{one.scheme} {one.value} ({modality})" for modality, one in codes.by.items()]
    said += [
        f"{one.scheme} {one.value} (echo, {' and '.join(views)})"
        for views, one in codes.echo.items()
        if "{view}" not in key or len(views) == 1
    ]
    return ", ".join(said)


def _reference_ranges(measures: Any) -> str:
    """The ranges of both sexes at an age that the sources cover."""
    ranges = importlib.import_module("heartseg.measure.ranges")
    study = importlib.import_module("heartseg.core.study")
    acdc = importlib.import_module("heartseg.measure.conventions").ACDC
    people = [study.Body(sex=sex, age_years=60) for sex in ("F", "M")]

    def of_stack(key: str, body: Any) -> Any:
        return ranges.reference(key, body, study.Modality.MR, acdc)[0]

    found = {
        ranges.SOURCE: (measures.STACK, of_stack),
        ranges.ECHO_SOURCE: (measures.LONG_AXIS, ranges.echo_reference),
    }
    parts = [
        "## Reference ranges",
        "Given where sex, age, modality and convention match the source.",
    ]
    for source, (table, of) in found.items():
        keys = [key for plain, measure in table.items() for key in measure.keys(plain)]
        rows = [(key, *(of(key, body) for body in people)) for key in keys]
        shown = [(f"`{key}`", *map(_interval, ends)) for key, *ends in rows if any(ends)]
        parts += [source, markdown_table(("key", "women", "men"), shown)]
    return "\n\n".join(parts)


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:g} to {ends[1]:g}"


def _beside(name: str) -> types.ModuleType:
    """A module of this folder, which may import its neighbours."""
    here = str(Path(__file__).resolve().parent)
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(here)


def _rule(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:g}"


def _home(value: Any) -> Any:
    """The module of a function or class, where its layout is explained."""
    return sys.modules[value.__module__] if hasattr(value, "__module__") else value


def _models() -> str:
    bundle = importlib.import_module("heartseg.segment.bundle_folder")
    loaded = [bundle.load_bundle(name) for name in bundle.shipped_bundles()]
    rows = [
        (
            f"`{model.name}` {model.version}",
            f"{model.modality}, {model.view}",
            ", ".join(structure.title for structure in model.structures[1:]),
            _test_dice(model),
            model.licence,
        )
        for model in loaded
    ]
    heads = ("model", "reads", "finds", "Dice on unseen patients", "licence of the weights")
    cards = [
        f"- [card of `{model.name}`](../../src/heartseg/bundles/{model.name}/card.md): network, "
        f"preparation, training, scores; SHA-256 `{model.sha256}`"
        for model in loaded
    ]
    return "\n".join([markdown_table(heads, rows), "", *cards]) if rows else "None."


def _test_dice(model: Any) -> str:
    """The scores that benchmarks/accuracy.py wrote into the bundle."""
    found = {s.title: model.scores.get(f"test_dice_{s.key}") for s in model.structures[1:]}
    scored = [f"{title} {value:.3f}" for title, value in found.items() if value is not None]
    return ", ".join(scored) or "not scored yet"


def _run_settings() -> str:
    settings = importlib.import_module("heartseg.train.settings")
    lead = (
        "What a RUN.toml may say. Whatever is left out keeps its default; `--set a.b=value` wins."
    )
    return "\n\n".join([lead, *_tables_of_settings(settings.RunSettings, "")])


def _translation_settings() -> str:
    home = importlib.import_module("heartseg.train.translate.settings")
    lead = (
        'What a RUN.toml with `task = "translate"` may say. Whatever is left out keeps its '
        "default; `--set a.b=value` wins."
    )
    return "\n\n".join([lead, *_tables_of_settings(home.TranslateSettings, "")])


def _tables_of_settings(kind: Any, heading: str) -> Iterator[str]:
    doc = inspect.getdoc(kind) or ""
    title = f"## [{heading}]\n\n{doc.partition(chr(10))[0]}\n\n" if heading else ""
    yield title + _presets(kind) + _settings_table(kind, doc)
    for name, declared in typing.get_type_hints(kind).items():
        for inner in (declared, *get_args(declared)):
            if dataclasses.is_dataclass(inner):
                yield from _tables_of_settings(inner, f"{heading}.{name}".lstrip("."))


def _presets(kind: Any) -> str:
    """The line about starting points, of a kind of settings that has some."""
    if not hasattr(kind, "presets"):
        return ""
    names = ", ".join(f"`{name}`" for name in kind.presets())
    return f'`preset = "..."` starts from the values of {names}.\n\n'


def _python() -> str:
    import heartseg

    parts = ["Names that you may rely on; everything else may change."]
    for name in heartseg.__all__:
        value = getattr(heartseg, name)
        head = f"## {name}"
        if inspect.isfunction(value):
            head += f"\n\n`heartseg.{name}({_parameters(value)})`"
        parts.append(f"{head}\n\n{_prose(inspect.getdoc(value) or '')}")
    return "\n\n".join(parts)


def _parameters(function: Callable[..., Any]) -> str:
    shown: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        default = "" if parameter.default is parameter.empty else f"={_literal(parameter.default)}"
        shown.append(f"{stars.get(parameter.kind, '')}{parameter.name}{default}")
    return ", ".join(shown)


def _literal(value: Any) -> str:
    return repr(dict(value)) if isinstance(value, Mapping) else repr(value)


def _prose(doc: str) -> str:
    """A docstring as Markdown: the headings of its sections in bold, their lines as a list."""
    doc, _, example = doc.partition("Example:\n")
    lines: list[str] = []
    for line in doc.splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Attributes):", line):
            lines += [f"**{line.rstrip(':')}**", ""]
        elif re.match(r"    \S", line):
            lines.append(f"- {line.strip()}")
        else:
            lines.append(line.rstrip() if not line.startswith("     ") else f"  {line.strip()}")
    if example:
        lines += ["```text", inspect.cleandoc(f"\n{example}"), "```"]
    return "\n".join(lines)


# Dataclasses of settings.


def _settings_table(kind: Any, doc: str) -> str:
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__[1:-1]):  # what a kind of settings inherits it need not repeat
        meanings |= _attributes(inspect.getdoc(base) or "")
    meanings |= _attributes(doc)
    kinds = typing.get_type_hints(kind)
    rows = [
        (f"`{f.name}`", _kind(kinds[f.name]), _setting_default(f), meanings.get(f.name, ""))
        for f in dataclasses.fields(kind)
        if f.init and not dataclasses.is_dataclass(kinds[f.name])
    ]
    return markdown_table(("setting", "is", "default", "means"), rows) if rows else ""


def _attributes(doc: str) -> dict[str, str]:
    """The lines `name: meaning` (or `a, b: meaning`) below `Attributes:` of a docstring."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in _section(doc, start="Attributes:").splitlines():
        match = re.match(r" {4}([\w, ]+): (.*)", line)
        if match:
            names = [name.strip() for name in match[1].split(",")]
            found |= dict.fromkeys(names, match[2].strip())
        elif names and line.startswith("      "):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _section(doc: str, *, start: str = "", until: str = "") -> str:
    text = doc.partition(start)[2] if start else doc
    return (text.partition(until)[0] if until else text).strip("\n")


def _kind(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{_shown(choice)}`" for choice in inner)
    if dataclasses.is_dataclass(kind):
        return "table"
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner)
    if origin is tuple:
        return "list of " + _kind(inner[0]) if inner[-1] is ... else f"{len(inner)} values"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    return _KINDS.get(kind, getattr(kind, "__name__", str(kind)))


_KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    types.NoneType: "none",
}


def _setting_default(field: "dataclasses.Field[Any]") -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{_shown(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{_shown(field.default_factory())}`"
    return "required"


def _shown(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if value == "":
        return '""'
    return "none" if value is None else str(value)


# Markdown.


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


@dataclasses.dataclass(frozen=True)
class Page:
    """A page of the reference: its file, its heading, who writes it, which parts it needs."""

    name: str
    title: str
    write: Callable[[], str]
    needs: tuple[str, ...] = ()


def _papers() -> str:
    return str(_beside("paper_tables").page())


def _study_003() -> str:
    return str(_beside("paper_tables").study_page())


def _settings_tried() -> str:
    return str(_beside("settings_tables").page())


def _what_to_use() -> str:
    return str(_beside("what_to_use").page())


PAGES = (
    Page("what-to-use", "What to use, and why", _what_to_use),
    Page("tables-of-the-papers", "Reproduce the tables", _papers),
    Page("tables-of-paper-003", "Reproduce the tables of paper 003", _study_003),
    Page("settings-tried", "Settings and warm starts, tried", _settings_tried),
    Page("commands", "Commands", _commands, ("heartseg.cli",)),
    Page("python", "Python", _python),
    Page("models", "Shipped models", _models, ("heartseg.segment", "heartseg.segment.bundle")),
    Page("layouts", "Layouts of files", _layouts, ("heartseg.read", "heartseg.read.layouts")),
    Page("labels", "Label schemes", _labels),
    Page(
        "settings", "Settings of a training run", _run_settings, ("heartseg.train", "heartseg.read")
    ),
    Page(
        "translation-settings",
        "Settings of a translation's training",
        _translation_settings,
        ("heartseg.train.translate", "heartseg.train.translate.settings"),
    ),
    Page("networks", "Networks", _networks, ("heartseg.models",)),
    Page("network-costs", "Costs of networks", _costs, ("heartseg.models",)),
    Page("measures", "Measures", _measures, ("heartseg.measure", "heartseg.measure.measures")),
    Page(
        "traditional-methods",
        "Traditional methods",
        _traditional,
        ("heartseg.classical",),
    ),
    Page("field", "Against the field and the clock", _field),
    Page("robustness", "Robustness", _robustness),
    Page("metrics", "Metrics", _metrics, ("heartseg.measure", "heartseg.measure.metrics")),
    Page("inspect", "Keys of inspect --json", _inspect, ("heartseg.read",)),
    Page("errors", "Errors", _errors),
)

if __name__ == "__main__":
    main()
