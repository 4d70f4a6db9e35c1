"""Pages of what was measured: costs of networks, traditional methods, robustness, the field."""

import inspect
import sys
from collections.abc import Sequence

import field_lines
import robustness_lines
import traditional_lines
from paper_rows import RESULTS
from settings_page import bounded_settings
from sheets import csv_lines, markdown_table

from heartseg.classical import METHODS, bounds
from heartseg.models import ARCHITECTURES


def costs() -> str:
    """Newest lines of benchmarks/results, by conditions and name."""
    kinds: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    for line in _results("costs"):
        if not line["problem"]:
            how = ("hardware", "precision", "compiled")
            kinds.setdefault(tuple(line[key] for key in how), {})[line["network"]] = line
    order = list(ARCHITECTURES)
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


def traditional() -> str:
    """The methods with their settings, and the newest rows of benchmarks/results/classical."""
    measured = {data: traditional_lines.Measured(data) for data in _TRADITIONAL_DATA}
    tables = [
        f"## {data}, the test part\n\n{lead.format(nothing=measured[data].nothing)}\n\n"
        + traditional_lines.table(METHODS, measured[data])
        for data, lead in _TRADITIONAL_DATA.items()
    ]
    kinds = [
        f"## `{name}`\n\n{inspect.getdoc(sys.modules[type(method).__module__])}\n\n"
        + bounded_settings(type(method), bounds(method))
        for name, method in METHODS.items()
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


def robustness() -> str:
    """The rows of benchmarks/results/robustness, by family and by strength."""
    rows = _results("robustness", "table")
    if not rows:
        return "Not measured yet."
    last = rows[-1]
    poor, flagged = robustness_lines.gate(rows)
    lead = _ROBUSTNESS.format(model=last["model"].partition(",")[0], data=last["data"])
    gate = f"Of {poor} disturbed studies with a mean Dice below 0.8, {flagged} were flagged."
    return "\n\n".join(
        [
            lead,
            "## The worst of each",
            markdown_table(robustness_lines.FAMILIES, robustness_lines.families(rows)),
            gate if poor else "No disturbed study has a mean Dice below 0.8.",
            "## Every strength",
            markdown_table(robustness_lines.STRENGTHS, robustness_lines.strengths(rows)),
        ]
    )


_ROBUSTNESS = """What `benchmarks/robustness.py` measured of {model} on test patients of {data}, ED
and ES, 3-D, through the whole pipeline: the Dice of the mask found in the undisturbed image minus
that of the mask found in the disturbed one, mean of LV, wall and RV. *Flagged* is any verdict but
pass; the change of EF is in points, of studies that are not rejected. [What the disturbances are,
and what it means](../explanation/robustness.md)."""


def field() -> str:
    """The rows of benchmarks/results/field, time and levers."""
    raced, course = _results("field", "field"), _results("time", "time")
    levers = [row for name in ("shown", "learnt", "begun") for row in _results("levers", name)]
    if not raced:
        return "Not measured yet."
    last = raced[-1]
    parts = [
        _FIELD.format(how=last["configuration"].partition(", ")[2], hardware=last["hardware"]),
        markdown_table(field_lines.CONTESTANTS, field_lines.contestants(raced)),
        markdown_table(field_lines.RATIOS, field_lines.ratios(raced)),
    ]
    if course:
        parts += [
            "## Time to accuracy",
            _TIME,
            markdown_table(field_lines.RECORDS, field_lines.records(course)),
        ]
        parts += [markdown_table(field_lines.COURSE, field_lines.course(course))]
    if levers:
        parts += [
            "## What makes it better",
            _LEVERS,
            markdown_table(field_lines.LEVERS, field_lines.levers(levers)),
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
    return csv_lines(RESULTS / folder / f"{file}.csv")
