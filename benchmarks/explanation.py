"""Which explanation maps show the network: sanity checks on validation patients of ACDC.

    python benchmarks/explanation.py [--patients 3]

The first patients of ACDC whose number % 5 is 1 (none of them trained the shipped model, none of
them is a test patient), at end-diastole, in the slice with most LV cavity. The prepared plane is
cut to 128 x 128 pixels about its centre to save time; the rest is as `heartseg explain --check`
does it, with the settings in `HOW`. Two targets: the structure `lv`, and the soft volume
`lv_edv_ml`.

A row a patient, target and method goes to results/checks/explanation.csv as it ends; rows that
stand there already are not done again. The table of the rows goes into
docs/explanation/explanation-maps.md.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from statistics import mean

import torch
from pages import markdown_table, write_table
from rows import RESULTS, ROOT, commit, csv_lines, real_images, today

from heartseg.core.image import Image
from heartseg.explain.asked import Settings
from heartseg.explain.checks import Checked, checked_methods, sureness
from heartseg.explain.deletion import Curves, plain_curves
from heartseg.explain.methods import METHODS
from heartseg.explain.question import Question
from heartseg.explain.seen import ready
from heartseg.explain.target import target_of
from heartseg.read import find_studies
from heartseg.segment import load_bundle
from heartseg.train.split import part_of

FILE = RESULTS / "checks" / "explanation.csv"
PAGE = ROOT / "docs" / "explanation" / "explanation-maps.md"

FIELD_PX = 128
HOW = Settings(smoothgrad_samples=8, integrated_steps=8)
ASKED: dict[str, tuple[str, ...]] = {
    "lv": (
        *("saliency", "smoothgrad", "integrated-gradients", "occlusion", "grad-cam", "grad-cam++"),
        *("turn-disagreement", "entropy"),
    ),
    "lv_edv_ml": ("saliency", "integrated-gradients", "grad-cam"),
}
LAYERS = ("decoder", "bottleneck")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method in a patient's plane; areas below curves, empty where they are not asked."""

    date: str
    commit: str
    patient: str
    slice: int
    target: str
    method: str
    layer: str
    rank_first_stage: str
    rank_all_stages: str
    ssim_all_stages: str
    deletion: str
    deletion_random: str
    deletion_edges: str
    deletion_bright: str
    insertion: str
    insertion_random: str
    insertion_edges: str
    insertion_bright: str
    depends_on_weights: bool
    beats_plain_orders: str


def main() -> None:
    """Do what is not done yet, and write the table."""
    parser = argparse.ArgumentParser(description="check the explanation maps")
    parser.add_argument("--patients", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="write the table only")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not given.table:
        for line in fresh_lines(given.patients):
            print(line.patient, line.target, line.method, line.layer, flush=True)
            add(line)
    write_table(PAGE, "explanation.py", table(kept()))


def fresh_lines(patients: int) -> Iterator[Line]:
    """The lines that are not in the file yet."""
    bundle = load_bundle("cine-mr")
    preparation = replace(bundle.preparation, field_px=FIELD_PX)
    model = ready(replace(bundle, preparation=preparation), "cpu")
    done = {(one["patient"], one["target"], one["method"], one["layer"]) for one in kept()}
    folder = real_images() / "acdc" / "training"
    chosen = [one for one in find_studies(folder) if part_of(one.id) == "validate"][:patients]
    for candidate in chosen:
        todo = [job for job in jobs() if (candidate.id, *job) not in done]
        if not todo:
            continue
        (image,) = candidate.load().images.values()
        ed: Image = image.part((0,))
        plain: Curves | None = None
        for key, layer in dict.fromkeys((key, layer or LAYERS[0]) for key, _, layer in todo):
            question = Question(model.seeing(ed), target_of(key), {"ed": 0})
            pieces = question.pieces(0, range(ed.geometry.shape[0]))
            place = max(pieces, key=lambda one: int(pieces[one].mask.sum()))
            piece, channel = pieces[place], question.channel
            if plain is None:
                sure = sureness(model.network, piece.mask, channel)
                plain = plain_curves(piece.asked.pixels, piece.asked.blank, sure, seed=HOW.seed)
            how = replace(HOW, layer=layer)
            names = [one for k, one, where in todo if (k, where or LAYERS[0]) == (key, layer)]
            asked = {name: METHODS[name] for name in names}
            for found in checked_methods(asked, piece, channel, how, plain=plain):
                where = layer if "cam" in found.method else ""
                yield line_of(found, candidate.id, place, key, where)


def jobs() -> Iterator[tuple[str, str, str]]:
    """(target, method, layer) of every row of a patient; most methods have no layer."""
    for target, names in ASKED.items():
        for name in names:
            for layer in LAYERS if "cam" in name else ("",):
                yield target, name, layer


def line_of(checked: Checked, patient: str, place: int, target: str, layer: str) -> Line:
    """A row."""
    curves, beats = checked.curves, checked.beats_plain_orders

    def area(kind: str, order: str) -> str:
        return "" if curves is None else f"{curves.area(kind, order):.3f}"

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    first, last = checked.steps[0], checked.steps[-1]
    return Line(
        date=today(),
        commit=commit(),
        patient=patient,
        slice=place,
        target=target,
        method=checked.method,
        layer=layer,
        rank_first_stage=number(first.rank_correlation),
        rank_all_stages=number(last.rank_correlation),
        ssim_all_stages=number(last.similarity),
        deletion=area("deletion", "map"),
        deletion_random=area("deletion", "random"),
        deletion_edges=area("deletion", "edges"),
        deletion_bright=area("deletion", "bright"),
        insertion=area("insertion", "map"),
        insertion_random=area("insertion", "random"),
        insertion_edges=area("insertion", "edges"),
        insertion_bright=area("insertion", "bright"),
        depends_on_weights=checked.depends_on_weights,
        beats_plain_orders="" if beats is None else str(beats),
    )


def add(line: Line) -> None:
    """Write a row at once: the next may never come."""
    fresh = not FILE.exists()
    with FILE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Line)], lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(asdict(line))


def kept() -> list[dict[str, str]]:
    """The rows in the file."""
    return csv_lines(FILE)


def table(rows: list[dict[str, str]]) -> str:
    """The means over the patients, and in how many of them each check is passed, as Markdown."""
    heads = ("target", "method", "rank correlation, all weights shuffled", "shows the weights")
    heads = (*heads, *(f"{kind} (random, edges, bright)" for kind in ("deletion", "insertion")))
    lines = []
    for key in dict.fromkeys((r["target"], r["method"], r["layer"]) for r in rows):
        these = [r for r in rows if (r["target"], r["method"], r["layer"]) == key]
        target, method, layer = key
        named = f"{method}, {layer}" if layer else method
        shows = sum(r["depends_on_weights"] == "True" for r in these)
        asked = [r for r in these if r["beats_plain_orders"]]
        beats = sum(r["beats_plain_orders"] == "True" for r in asked)
        lines.append(
            (
                target,
                named,
                over(these, "rank_all_stages"),
                f"{shows} of {len(these)}",
                areas(asked, "deletion"),
                areas(asked, "insertion"),
                f"{beats} of {len(asked)}" if asked else "not asked",
            )
        )
    return markdown_table((*heads, "beats plain orders"), lines)


def over(rows: list[dict[str, str]], column: str) -> str:
    """The mean of a column; a flat map has no rank correlation."""
    values = [float(row[column]) for row in rows if row[column]]
    return f"{mean(values):.2f}" if values else "flat"


def areas(rows: list[dict[str, str]], kind: str) -> str:
    """A mean area beside those of the plain orders."""
    if not rows:
        return "-"
    others = ", ".join(over(rows, f"{kind}_{one}") for one in ("random", "edges", "bright"))
    return f"**{over(rows, kind)}** ({others})"


if __name__ == "__main__":
    main()
