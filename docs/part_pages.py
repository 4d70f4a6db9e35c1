"""Pages of what the parts hold: schemes, errors, layouts, metrics, models, networks, names."""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from docstrings import attributes, first_line, prose, section
from settings_page import settings_table, shown
from sheets import markdown_table

import heartseg
from heartseg.core import anatomy
from heartseg.core import errors as kinds_of_error
from heartseg.measure.metrics import METRICS
from heartseg.models import ARCHITECTURES
from heartseg.models.survey import survey
from heartseg.read.inspect import Seen
from heartseg.read.layouts import LAYOUTS
from heartseg.segment import load_bundle, shipped_bundles


def labels() -> str:
    """Schemes of label numbers, structures with their codes."""
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
        + section(inspect.getdoc(anatomy.scheme) or "", until="Raises:")
    )


def errors() -> str:
    """What may be raised, and when."""
    named = [value for value in vars(kinds_of_error).values() if isinstance(value, type)]
    kinds = [kind for kind in named if issubclass(kind, Exception)]
    rows = [(f"`{k.__name__}`", f"`{k.__base__.__name__}`", first_line(k)) for k in kinds]  # type: ignore[union-attr]
    lead = "Every message says what, got, allowed, and what to do. The library raises, doors print."
    return f"{lead}\n\n" + markdown_table(("error", "is a", "raised when"), rows)


def inspection() -> str:
    """What `inspect --json` tells of an image."""
    doc = inspect.getdoc(Seen) or ""
    meanings = attributes(doc)
    rows = [(f"`{f.name}`", meanings.get(f.name, "")) for f in dataclasses.fields(Seen)]
    lead = "A list with an object an image. Every key is always there, null where nothing is known."
    return f"{lead}\n\n" + markdown_table(("key", "is"), rows)


def layouts() -> str:
    """Data sets whose folders are known."""
    rows = [(f"`{name}`", first_line(_home(one.find))) for name, one in LAYOUTS.items()]
    return "Tried in this order.\n\n" + markdown_table(("layout", "is"), rows)


def metrics() -> str:
    """How two masks are compared, and what empty ones give."""
    rows = [
        (
            one.title,
            f"`{key}`",
            one.unit,
            shown(one.perfect),
            *(_rule(rule) for rule in one.empty),
            "yes" if one.exchange == "same" else one.exchange,
            first_line(one.of),
        )
        for key, one in METRICS.items()
    ]
    heads = ("metric", "key", "unit", "perfect", "both empty", "nothing predicted")
    more = ("nothing to find", "symmetric", "is")
    return _METRICS_LEAD + markdown_table((*heads, *more), rows)


def _rule(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:g}"


_METRICS_LEAD = """Of a predicted and a true mask of one structure, in one frame, over the stack or
its base, middle or apex. `-` is no value, "as defined" what the definition gives. What needs
millimetres has no value in images without. [Why they are so, and what other tools
mean](../explanation/metrics.md).

"""


def models() -> str:
    """What ships, with its Dice and its card."""
    loaded = [load_bundle(name) for name in shipped_bundles()]
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


def networks() -> str:
    """What `heartseg networks` prints, and the settings of each kind."""
    own = [n for n in ARCHITECTURES if ARCHITECTURES.owner(n) == "heartseg"]
    surveys = [survey(name, ARCHITECTURES[name]) for name in own]
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
        kinds.setdefault(type(ARCHITECTURES[one.name]), []).append(f"`{one.name}`")
    return "\n\n".join(
        [_NETWORKS, markdown_table(heads, rows), *(_network_kind(*one) for one in kinds.items())]
    )


_NETWORKS = """What `heartseg networks` prints: every number is taken from the built network, at the
paper's own channels, classes and size of input. *Parameters* are the trainable ones,
*multiply-adds* those of convolutions and matrix products for one input, and *sees* says on how
many pixels the most demanding pixel of the output depends."""


def _network_kind(kind: Any, names: list[str]) -> str:
    module = inspect.getdoc(sys.modules[kind.__module__]) or ""
    settings = settings_table(kind, inspect.getdoc(kind) or "")
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return "\n\n".join(part for part in [f"## {shown}", module, settings] if part)


def _size(channels: int, size: Iterable[int]) -> str:
    return " x ".join(map(str, (channels, *size)))


def _home(value: Any) -> Any:
    """The module of a function or class, where its layout is explained."""
    return sys.modules[value.__module__] if hasattr(value, "__module__") else value


def python() -> str:
    """Names that `import heartseg` promises."""
    parts = ["Names that you may rely on; everything else may change."]
    for name in heartseg.__all__:
        value = getattr(heartseg, name)
        head = f"## {name}"
        if inspect.isfunction(value):
            head += f"\n\n`heartseg.{name}({_parameters(value)})`"
        parts.append(f"{head}\n\n{prose(inspect.getdoc(value) or '')}")
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
