"""Lines of the page against the field, from the rows of benchmarks/results: field, time, levers."""

from collections.abc import Mapping, Sequence

Rows = Sequence[Mapping[str, str]]

CONTESTANTS = (
    *("contestant", "images learnt from", "images/s", "Dice LV", "myocardium", "RV"),
    *("mean (95 % interval)", "HD95, mm", "s a frame", "MB to train", "MB to predict"),
)
RATIOS = ("heartseg against", "images a second", "seconds a frame", "memory of prediction")
PUBLISHED = (
    "nnU-Net, published: five folds, some nine hours of a graphics card (arXiv 2404.09556)",
    *("-", "-", "-", "-", "-", ".915", "-", "-", "-", "-"),
)
"""The one line that nobody here measured; the paper's."""

RECORDS = ("recipe", "data", "hardware", "minutes to .90", "minutes to .92", "share of peak")
COURSE = ("recipe and minutes", "images learnt from", "mean Dice (95 % interval)")
LEVERS = ("lever", "Dice LV", "myocardium", "RV", "mean (95 % interval)", "against none", "seeds")
STRUCTURES = ("lv", "myo", "rv")


def contestants(rows: Rows) -> list[list[str]]:
    """A line a contestant, and what is published of the one that needs hours."""
    found = _newest(rows, "model")
    lines = []
    for name in dict.fromkeys(row["model"] for row in rows):
        one = {key[1:]: row for key, row in found.items() if key[0] == name}
        images = one.get(("images seen in training", "-"))
        dice = one.get(("Dice", "mean"))
        if images is None or dice is None:
            continue
        lines.append(
            [
                name,
                f"{float(images['images_seen']):,.0f}",
                _value(one, "images a second of training", "-", 2),
                *(_value(one, "Dice", part, 3) for part in STRUCTURES),
                _with_interval(dice),
                _value(one, "HD95", "mean", 1),
                _value(one, "prediction of a frame, start shared by 40", "-", 2),
                _value(one, "memory of training, largest process", "-", 0),
                _value(one, "memory of prediction, largest process", "-", 0),
            ]
        )
    return [*lines, [*PUBLISHED]] if lines else []


def ratios(rows: Rows) -> list[list[str]]:
    """How much more heartseg learnt from, and how much less it asks for, by contestant."""
    found = _newest(rows, "model")
    names = dict.fromkeys(row["model"] for row in rows if row["measure"].startswith("ratio of"))
    kinds = (
        "ratio of images seen, heartseg's over it",
        "ratio of seconds a predicted frame, it over heartseg",
        "ratio of memory of prediction, it over heartseg",
    )
    return [
        [name, *(f"{float(found[name, kind, '-']['value']):.1f} times" for kind in kinds)]
        for name in names
    ]


def records(rows: Rows) -> list[list[str]]:
    """A line a recipe: minutes to each goal, and how much of the processor's peak it reached."""
    lines = {}
    for row in rows:
        measure, _, goal = row["measure"].rpartition(" of ")
        if measure != "minutes of training to a mean Dice":
            continue
        recipe = row["configuration"].removesuffix(", f32, 1 thread")
        line = lines.setdefault(
            (recipe, row["hardware"]),
            [f"`{recipe}`", f"{row['data']}, {row['split']}", row["hardware"], "-", "-", "-"],
        )
        line[3 if goal == "0.90" else 4] = row["value"]
    shares = [row for row in rows if row["measure"].startswith("share of the processor")]
    for row in shares:
        last = row["configuration"].partition(",")[0]
        for (recipe, hardware), line in lines.items():
            if recipe.endswith(last) and hardware == row["hardware"]:
                line[5] = row["value"]
    return [*lines.values()]


def course(rows: Rows) -> list[list[str]]:
    """A line a stop of each recipe."""
    stops = [row for row in rows if row["measure"] == "mean Dice after training"]
    return [
        [
            row["configuration"].removesuffix(", f32, 1 thread"),
            f"{int(row['images_seen']):,}",
            _with_interval(row),
        ]
        for row in stops
    ]


def levers(rows: Rows) -> list[list[str]]:
    """A line a lever, the difference to the same network without any of them beside it."""
    named = [{**row, "lever": _lever(row["configuration"])} for row in rows]
    found = _newest(named, "lever")
    without = found.get(("none", "Dice", "mean"))
    lines = []
    for lever in dict.fromkeys(row["lever"] for row in named):
        one = {key[1:]: row for key, row in found.items() if key[0] == lever}
        mean = one.get(("Dice", "mean"))
        if mean is None or without is None:
            continue
        gain = float(mean["value"]) - float(without["value"])
        lines.append(
            [
                lever,
                *(_value(one, "Dice", part, 3) for part in STRUCTURES),
                _with_interval(mean),
                "-" if lever == "none" else f"{gain:+.3f}",
                str(mean["seed"]),
            ]
        )
    return lines


def _lever(configuration: str) -> str:
    """Of `runs/grids/levers-shown.toml: neighbours 0, lever finer-pixels`."""
    return configuration.rpartition("lever ")[2].partition(",")[0]


def _newest(rows: Rows, name: str) -> dict[tuple[str, str, str], Mapping[str, str]]:
    """The last row of each method, measure and structure."""
    return {(row[name], row["measure"], row["structure"]): row for row in rows}


def _value(
    one: Mapping[tuple[str, str], Mapping[str, str]], measure: str, part: str, digits: int
) -> str:
    row = one.get((measure, part))
    return f"{float(row['value']):,.{digits}f}" if row else "-"


def _with_interval(row: Mapping[str, str]) -> str:
    low, high = float(row["low"]), float(row["high"])
    return f"{float(row['value']):.3f} ({low:.3f} to {high:.3f})"
