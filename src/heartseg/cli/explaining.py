"""`heartseg explain`."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heartseg.cli.outcomes import say_not_done, say_nothing

if TYPE_CHECKING:
    from heartseg.explain.many import Outcome
    from heartseg.explain.view import Soft


def explain(
    inputs: Annotated[list[Path], typer.Argument(help="files, folders or DICOM .zip archives")],
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for the results")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="saliency, smoothgrad, integrated-gradients, occlusion, grad-cam, grad-cam++, "
            "attention, turn-disagreement, entropy, disagreement or spread; again for more "
            "(usual: saliency, grad-cam and entropy)"
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            help="a structure (lv, myo, rv, ...) or a measure: lv_ef, lv_edv_ml, lv_esv_ml, "
            "lv_sv_ml, lv_mass_g, and rv_ for the first four"
        ),
    ] = "lv",
    model: Annotated[
        list[str] | None,
        typer.Option(help="name or folder of a model; again, or a folder of them, for several"),
    ] = None,
    frames: Annotated[
        str | None, typer.Option(help="all, or ed, es and numbers from 0 (usual: ed,es)")
    ] = None,
    slices: Annotated[
        str, typer.Option(help="all, middle, or numbers from 0 in the file's order")
    ] = "all",
    check: Annotated[
        bool,
        typer.Option("--check", help="shuffle the weights, hide and show pixels: is it a map?"),
    ] = False,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="setting of a method, e.g. layer=bottleneck")
    ] = None,
    view: Annotated[str | None, typer.Option(help="what the images show, e.g. sax")] = None,
    phases: Annotated[
        str | None, typer.Option(help="frames of end-diastole and end-systole from 0, e.g. 0,9")
    ] = None,
    spacing_mm: Annotated[
        str | None, typer.Option(help="z,y,x distances of voxels, where the files do not say")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="redo finished ones")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """See what the network looked at: maps of the pixels that move a structure or a measure."""
    from heartseg.cli import listing, options
    from heartseg.config import from_changes
    from heartseg.explain import require_extra

    require_extra()
    from heartseg.explain.asked import Settings
    from heartseg.explain.many import Plan, run
    from heartseg.explain.methods import chosen_methods
    from heartseg.explain.target import target_of
    from heartseg.explain.wanted import Wanted

    target_of(target)
    models = options.models(model) or ()
    chosen_methods(method or (), max(1, len(models)))
    wanted = Wanted(
        target=target,
        methods=tuple(method or ()),
        models=models,
        device=options.device(device),
        frames=frames,
        slices=slices,
        phases=options.phases(phases),
        settings=from_changes(Settings, {}, changes or (), where="--set"),
        check=check,
    )
    plan = Plan(
        inputs=tuple(inputs),
        out=out,
        wanted=wanted,
        view=options.view(view),
        spacing_mm=options.spacing(spacing_mm),
        overwrite=overwrite,
    )
    with _shown_on_a_terminal() as status:
        outcomes = run(
            plan, status.update if status else say_nothing, say_nothing if json else _say
        )
    if json:
        print(listing.to_json([one.row for one in outcomes]))
    if any(one.status == "failed" for one in outcomes):
        raise typer.Exit(1)


def _shown_on_a_terminal() -> Any:
    """What is done now, in one line that changes; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status("")


def _say(outcome: "Outcome") -> None:
    """Print what was made of a study, or why nothing was."""
    from heartseg.report.words import clean

    if outcome.status != "done" or outcome.explanation is None:
        say_not_done(outcome.id, outcome.status, outcome.said)
        return
    found = outcome.explanation
    print(clean(f"{outcome.id}: {found.target.title}, model {found.model.name}"))
    for view, soft in found.soft.items():
        print(f"  {view}: {_beside(soft)}")
    for map_ in found.maps:
        print(f"  {map_.view} {map_.method}: {len(map_.frames)} frames, in {map_.unit}")
    for view, checks in found.checks.items():
        for one in checks:
            shows = "shows the weights" if one.depends_on_weights else "DOES NOT show the weights"
            beats = {True: ", beats plain orders", False: ", DOES NOT beat plain orders", None: ""}
            print(f"  {view} {one.method}: {shows}{beats[one.beats_plain_orders]}")
    sys.stdout.flush()


def _beside(soft: "Soft") -> str:
    masks = "the masks have none" if soft.hard is None else f"{soft.hard:.1f} of the masks"
    return f"{soft.value:.1f} {soft.unit} of soft volumes, {masks}"
