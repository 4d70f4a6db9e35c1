"""The pages "Reproduce the tables": the papers' tables in their layout, from rows alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from paper_figures import curves
from paper_rows import NOT_RUN, RESULTS, UNKNOWN_TIME, Cell, Found, Labels, found, shown
from sheets import csv_lines, markdown_table
from thesis_tables import RULE, conclusions, thesis_tables

NETWORKS: Mapping[str, str] = {
    "cmr-unet-dropout": "U-Net with dropout",
    "cmr-unet": "U-Net without dropout",
    "cmr-resunet": "ResUNet",
    "cmr-fcn": "FCN",
}
"""Of paper 003, in the order of its tables."""

SIZES = ("20", "50", "200", "500", "1000", "1120")
"""Training slices; the last is all of them."""

ALL = SIZES[-1]
KINDS = ("plain", "augmented")
HONEST, THREE, WITH = "Dice", "Dice, pooled", "Dice, pooled with background"
POOLED = ("Dice", "IoU", "accuracy", "precision", "recall")
GALLERY = "study-003-gallery.svg"
REVIEW = ("fcn-32s", "fcn-16s", "fcn-8s", "unet-2015")
ANNOTATED = ("1", "2", "4", "all", "scribbles")
LEAD = f"""Every number is a row of `benchmarks/results`; how rows come about stands in
`benchmarks/protocol.md`, and their intervals, hardware and commit stand beside them there. Budgets
are those of small runs, so a number here compares with its neighbours and not with the paper's.
*{NOT_RUN}* is followed by what a run would take: its images at the speed of the rows that exist."""

Pages = dict[str, str]


def page(results: Path = RESULTS) -> str:
    """The text of the page."""
    return "\n\n".join([LEAD, *_thesis(results), *_sparse(results), *_review(results)])


def study_page(results: Path = RESULTS) -> str:
    """The text of the page on paper 003."""
    return "\n\n".join([LEAD, *_study(results)])


def figures(results: Path = RESULTS) -> Pages:
    """Pictures by file name, of what has rows."""
    study, sparse = found("study003/grid", "study003", results), _slices(results)
    drawn = {
        "study-003.svg": curves(
            "Paper 003, Fig. 3: Dice against training slices",
            SIZES,
            {
                f"{name}, {kind}": [
                    _value(study.at({"slices": size, "data": kind, "name": key}), HONEST)
                    for size in SIZES
                ]
                for key, name in NETWORKS.items()
                for kind in KINDS
            },
        ),
        "sparse-annotation.svg": curves(
            "Paper 004: Dice against annotated slices",
            ANNOTATED,
            {
                network: [
                    _value(sparse.at({"annotated": one, "network": network}), HONEST)
                    for one in ANNOTATED
                ]
                for network in ("planes", "volumes")
            },
        ),
    }
    gallery = results / "study003" / "gallery.svg"
    drawn[GALLERY] = gallery.read_text(encoding="utf-8") if gallery.exists() else ""
    return {name: text for name, text in drawn.items() if text}


def _thesis(results: Path) -> Iterator[str]:
    grid = found("thesis/grid", "thesis", results)
    yield "## Thesis 001: nine architectures, eleven encoders"
    yield "[What the columns mean](../explanation/thesis-grid.md). 128 x 128 pixels, CAMUS."
    yield from thesis_tables(grid)
    heads = ("the thesis concludes", "here it", "from")
    yield f"### Its six conclusions\n\n{RULE}\n\n{markdown_table(heads, conclusions(grid))}"


def _sparse(results: Path) -> Iterator[str]:
    yield "## Review 004: sparse annotation"
    rows = {
        (row["model"], row["split"], row["measure"], row["structure"]): row
        for row in csv_lines(results / "sparse" / "folds.csv")
    }
    names = ("3-D U-Net", "3-D U-Net, no normalisation", "2-D U-Net")
    folds = ("fold 0", "fold 1", "fold 2", "fold 0-2")

    def cell(name: str, split: str) -> str:
        row = rows.get((name, split, "IoU of slices left out", "mean"))
        return shown(float(row["value"])) if row else f"{NOT_RUN} ({UNKNOWN_TIME})"

    body = [[name, *(cell(name, fold) for fold in folds)] for name in names]
    heads = ("IoU of slices left out", "fold 1", "fold 2", "fold 3", "all three")
    yield f"### Three folds, with and without normalisation\n\n{markdown_table(heads, body)}"
    grid = _slices(results)
    body = [
        [
            one,
            *(
                _or_take(grid, HONEST, "", {"annotated": one, "network": n})
                for n in ("planes", "volumes")
            ),
        ]
        for one in ANNOTATED
    ]
    heads = ("annotated slices a stack", "2-D U-Net, Dice", "3-D U-Net, Dice")
    yield f"### Dice against annotated slices\n\n{markdown_table(heads, body)}"
    yield _picture("sparse-annotation.svg", results)


def _review(results: Path) -> Iterator[str]:
    grid = found("isbi2012/grid", "isbi2012", results)
    body = [
        [
            weights,
            deformation,
            *(
                _or_take(grid, one, "", {"weights": weights, "deformation": deformation})
                for one in ("IoU", "pixel error")
            ),
        ]
        for weights in ("border", "classes")
        for deformation in ("elastic", "none")
    ]
    yield "## Review 004: U-Net 2015 on ISBI 2012"
    yield markdown_table(("weights", "deformation", "IoU", "pixel error"), body)
    grid = found("review/grid", "review", results)
    measures = ("Dice", "boundary IoU, 2 mm", "HD95, mm", "ASSD, mm")
    body = [[one, *(_or_take(grid, m, "", {"network": one}) for m in measures)] for one in REVIEW]
    yield "## Review 004: how blurred is FCN?"
    yield markdown_table(("network", *measures), body)


def _study(results: Path) -> Iterator[str]:
    grid = found("study003/grid", "study003", results)

    def cell(key: str, size: str, kind: str, measure: str) -> str:
        return _or_take(grid, measure, key, {"slices": size, "data": kind, "name": key})

    measures = (HONEST, THREE, WITH, "accuracy, pooled")
    body = [
        [
            NETWORKS[key],
            "all" if size == ALL else size,
            kind,
            *(cell(key, size, kind, m) for m in measures),
        ]
        for size in SIZES
        for kind in KINDS
        for key in NETWORKS
    ]
    yield "## Table VI: scores against the number of training slices"
    yield (
        "*Dice* is the mean over patients of each structure in 3-D. *Pooled* counts the voxels of "
        "all channels and patients at once, as Equation 4 of the paper may be read, without and "
        "with the background as a channel."
    )
    yield markdown_table(("network", "slices", "data", *measures), body)
    yield _apart(grid)
    yield _picture("study-003.svg", results)
    yield "## Table VII: size and time"
    body = [
        [name, *(cell(key, ALL, "plain", m) for m in ("parameters", "training time"))]
        for key, name in NETWORKS.items()
    ]
    yield markdown_table(("network", "parameters", "training, min"), body)
    yield "## Table VIII: all slices, augmented"
    measures = (HONEST, *(f"{name}, pooled with background" for name in POOLED))
    body = [
        [NETWORKS[key], *(cell(key, ALL, "augmented", m) for m in measures)] for key in NETWORKS
    ]
    yield markdown_table(
        ("network", "Dice by patient", *(f"{name}, pooled" for name in POOLED)), body
    )
    yield "## Fig. 4: what they draw"
    yield _picture(GALLERY, results)
    yield _external(results)


def _apart(grid: Found) -> str:
    """How far the paper's metric lies above the honest one, over all cells that have both."""
    both = [
        (honest, wide)
        for one in grid.cells
        if (honest := one.value(HONEST)) is not None and (wide := one.value(WITH)) is not None
    ]
    if not both:
        return "How far the metrics lie apart cannot be said yet: no row has both."
    worst = min(both)
    best = max(both)
    return (
        f"Of {len(both)} networks, Dice by patient spans {worst[0]:.3f} to {best[0]:.3f}; the same "
        f"masks have {worst[1]:.3f} and {best[1]:.3f} when pooled with the background."
    )


def _external(results: Path) -> str:
    rows = {
        (row["model"], row["data"], row["structure"]): row
        for row in csv_lines(results / "study003" / "external.csv")
        if row["measure"] == "Dice"
    }
    places = (("Sunnybrook SC-HF-I-1", "lv"), ("Sunnybrook SC-HF-I-1", "myo"), ("RVSC P09", "rv"))
    body = [
        [
            NETWORKS[key],
            *(
                shown(float(row["value"])) if (row := rows.get((key, *place))) else NOT_RUN
                for place in places
            ),
        ]
        for key in NETWORKS
    ]
    heads = ("network", *(f"{data}, {structure}" for data, structure in places))
    lead = "One patient each, nothing trained again: it illustrates, and tests nothing."
    return f"## External test\n\n{lead}\n\n{markdown_table(heads, body)}"


def _slices(results: Path) -> Found:
    return found("sparse/slices", "sparse", results)


def _value(cell: Cell | None, measure: str) -> float | None:
    return cell.value(measure) if cell else None


def _or_take(grid: Found, measure: str, network: str, labels: Labels) -> str:
    """The number of a cell, or what it would take."""
    value = _value(grid.at(labels), measure)
    if value is None:
        return f"{NOT_RUN} ({grid.take(network, labels)})"
    if measure == "parameters":
        return f"{value:,.0f}"
    unit = "mm" if measure.endswith(", mm") or measure == "training time" else "1"
    return f"{value:.4f}" if "pooled" in measure else shown(value, unit)


def _picture(name: str, results: Path) -> str:
    there = name in figures(results)
    return f"![{name.partition('.')[0]}]({name})" if there else "No figure yet: no rows to draw."
