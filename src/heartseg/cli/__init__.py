"""The command line: one command, thin subcommands.

Each body imports inside, calls one function, prints. Exit codes: 0 all done, 1 something failed
(the rest is still written), 2 wrong usage.
"""

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from heartseg.cli.benchmarking import benchmark
from heartseg.cli.cataloguing import datasets, models
from heartseg.cli.explaining import explain
from heartseg.cli.judging import evaluate
from heartseg.cli.translating import translate
from heartseg.core.errors import ConfigError

app = typer.Typer(
    name="heartseg",
    help="From a cardiac study to masks, volumes, ejection fraction and a report. Research use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Inputs = Annotated[list[Path], typer.Argument(help="files, folders or DICOM .zip archives")]
Out = Annotated[Path, typer.Option("-o", "--out", help="folder for the results")]
Json = Annotated[bool, typer.Option("--json", help="print for machines")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]
View = Annotated[str | None, typer.Option(help="what the images show, e.g. sax")]
Spacing = Annotated[
    str | None, typer.Option(help="z,y,x distances of voxels, where the files do not say")
]
Formats = Annotated[
    str, typer.Option(help="of nifti,json,html,png,pdf,csv,osirix,sunnybrook,stl,glb")
]
Language = Annotated[str, typer.Option(help="of the pages: en, ru, zh, or a .toml file of yours")]
Font = Annotated[
    Path | None, typer.Option(help="TrueType file for letters that the pages' own fonts lack")
]
PhasesOption = Annotated[
    str | None, typer.Option(help="frames of end-diastole and end-systole from 0, e.g. 0,9")
]
KeepIdentifiers = Annotated[
    bool, typer.Option("--keep-identifiers", help="name the patient, and the DICOM folder")
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        help="name or folder of a model; again, or a folder of them, for their mean; "
        "classical:NAME is a traditional method"
    ),
]
Locate = Annotated[
    bool | None,
    typer.Option(
        "--locate/--no-locate",
        help="show models the heart alone, found by a coarse look; shipped models do it unasked",
    ),
]
SaveProbabilities = Annotated[
    bool, typer.Option("--save-probabilities", help="write <stem>_prob.nii.gz beside each mask")
]
Sex = Annotated[str | None, typer.Option(help="F or M")]
Age = Annotated[float | None, typer.Option(help="years")]
Height = Annotated[float | None, typer.Option("--height-cm", help="centimetres")]
Weight = Annotated[float | None, typer.Option("--weight-kg", help="kilograms")]
BodyTable = Annotated[Path | None, typer.Option(help="CSV: study,sex,age,height_cm,...")]
Papillary = Annotated[str, typer.Option(help="papillary muscles count as cavity or mass")]
Base = Annotated[str, typer.Option(help="basal slices as drawn, or by the rule scmr")]
HeartRate = Annotated[float | None, typer.Option("--heart-rate", help="beats a minute")]


def main() -> None:
    """Run, and turn what is raised into one line and an exit code."""
    # Before numpy loads. Its matrices here are small; a second thread of BLAS that spins while it
    # waits takes the core from the network, which is half as fast again without it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter is no reason to stop
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ConfigError as fault:
        _complain(fault)
        sys.exit(2)
    # A traceback would show paths and what files hold: a door tells no more than `said_of`.
    except Exception as fault:  # noqa: BLE001
        _complain(fault)
        sys.exit(1)


def _complain(fault: Exception) -> None:
    from heartseg.core.fault import said_of
    from heartseg.report.words import clean

    print(clean(f"heartseg: {said_of(fault)}"), file=sys.stderr)


def _version(asked: bool) -> None:
    if asked:
        from heartseg.core.version import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _heartseg(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print it")
    ] = False,
) -> None:
    """From a cardiac study to masks, volumes, ejection fraction and a report. Research use."""


@app.command()
def demo(
    out: Out = Path("demo-out"),
    seed: Annotated[int, typer.Option(min=0, help="another heart")] = 1,
    json: Json = False,
) -> None:
    """Make a beating phantom, segment it with the shipped model, print measured beside true."""
    from heartseg.cli.phantoms import run_demo

    run_demo(out, seed, json)


@app.command()
def segment(
    inputs: Inputs,
    out: Out,
    model: ModelOption = None,
    method: Annotated[
        list[str] | None, typer.Option("--set", help="name=value of a traditional method")
    ] = None,
    view: View = None,
    labels: Annotated[str | None, typer.Option(help="scheme of the written numbers")] = None,
    formats: Formats = "nifti,json,html,png",
    phases: PhasesOption = None,
    spacing_mm: Spacing = None,
    sex: Sex = None,
    age: Age = None,
    height_cm: Height = None,
    weight_kg: Weight = None,
    heart_rate: HeartRate = None,
    body: BodyTable = None,
    papillary: Papillary = "cavity",
    base: Base = "drawn",
    turns: Annotated[int, typer.Option(help="ways to look at every frame: 1, 4 or 8")] = 1,
    locate: Locate = None,
    save_probabilities: SaveProbabilities = False,
    intervals: Annotated[
        bool,
        typer.Option(
            "--intervals/--no-intervals",
            help="look again at ED and ES: how far off each number may be",
        ),
    ] = True,
    keep_identifiers: KeepIdentifiers = False,
    language: Language = "en",
    font: Font = None,
    jobs: Annotated[int, typer.Option(min=1, help="studies at the same time")] = 1,
    workers: Annotated[
        str | None,
        typer.Option(
            help="ray://HOST:PORT: on the machines of that cluster; ray://local: on Ray here"
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="redo finished ones")] = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """The main job: from images to masks, numbers and a report for each study."""
    from heartseg.batch import Plan
    from heartseg.cli import options
    from heartseg.cli.outcomes import run
    from heartseg.pipeline import Settings

    given = options.body(sex, age, height_cm, weight_kg, heart_rate)
    settings = Settings(
        model=options.models(model),
        method=tuple(method or ()),
        device=options.device(device),
        turns=options.turns(turns),
        locate=locate,
        labels=options.label_scheme("--labels", labels),
        formats=options.formats(formats),
        phases=options.phases(phases),
        body=given,
        papillary=options.papillary(papillary),
        base=options.base(base),
        keep_identifiers=keep_identifiers,
        save_probabilities=save_probabilities,
        intervals=intervals,
        language=options.language(language),
        font=options.font(font),
    )
    plan = Plan(
        inputs=tuple(inputs),
        out=out,
        settings=settings,
        view=options.view(view),
        spacing_mm=options.spacing(spacing_mm),
        bodies=options.bodies(body),
        jobs=jobs,
        workers=options.workers(workers, jobs),
        overwrite=overwrite,
    )
    run(plan, json)


@app.command()
def measure(
    input_: Annotated[Path, typer.Argument(metavar="INPUT", help="the images")],
    labels_from: Annotated[Path, typer.Option(help="masks, contours, a folder, or data set")],
    out: Out,
    scheme: Annotated[str, typer.Option(help="what the label numbers mean")] = "acdc",
    view: View = None,
    formats: Formats = "nifti,json,html,png",
    phases: PhasesOption = None,
    spacing_mm: Spacing = None,
    sex: Sex = None,
    age: Age = None,
    height_cm: Height = None,
    weight_kg: Weight = None,
    heart_rate: HeartRate = None,
    body: BodyTable = None,
    papillary: Papillary = "cavity",
    base: Base = "drawn",
    keep_identifiers: KeepIdentifiers = False,
    language: Language = "en",
    font: Font = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="redo finished ones")] = False,
    json: Json = False,
) -> None:
    """Measure and report from an existing segmentation, anyone's."""
    from heartseg.batch import Plan
    from heartseg.cli import options
    from heartseg.cli.outcomes import run
    from heartseg.given import GivenLabels
    from heartseg.pipeline import Settings

    settings = Settings(
        given=GivenLabels(labels_from, options.label_scheme("--scheme", scheme) or scheme),
        formats=options.formats(formats),
        phases=options.phases(phases),
        body=options.body(sex, age, height_cm, weight_kg, heart_rate),
        papillary=options.papillary(papillary),
        base=options.base(base),
        keep_identifiers=keep_identifiers,
        language=options.language(language),
        font=options.font(font),
    )
    plan = Plan(
        inputs=(input_,),
        out=out,
        settings=settings,
        view=options.view(view),
        spacing_mm=options.spacing(spacing_mm),
        bodies=options.bodies(body),
        overwrite=overwrite,
    )
    run(plan, json)


app.command()(evaluate)


@app.command()
def train(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN.toml]", help="or a folder of your own images and labels"),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write a RUN.toml for these data, no more")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="folder of the run, or the planned file")
    ] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="section.name=value")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on where it stopped")] = False,
    device: Device = "auto",
    processes: Annotated[int, typer.Option(min=1, help="that train together here")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="computers that do, each started alike")] = 1,
) -> None:
    """Train a network as a RUN.toml says and write it as a model bundle."""
    from heartseg.cli.training import Machine, run_planning, run_training

    if plan is not None and not (source or changes or resume):
        run_planning(plan, out, device)
        return
    if source is None or plan is not None:
        got = "neither" if plan is None else "--plan and what trains"
        raise ConfigError("train", got=got, allowed="a RUN.toml or folder to train, or --plan DIR")
    machine = Machine(device=device, processes=processes, nodes=nodes)
    run_training(source, out or Path("out") / source.stem, changes or [], resume, machine)


app.command()(benchmark)
app.add_typer(translate)
app.command()(explain)


@app.command()
def phantom(
    out: Out,
    kind: Annotated[str, typer.Option(help="cine-mr or ct: the same hearts")] = "cine-mr",
    count: Annotated[int, typer.Option("-n", min=1, help="how many studies")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="the first one's; the next counts up")] = 0,
    written_as: Annotated[str, typer.Option("--as", help="nifti or dicom")] = "nifti",
    exam: Annotated[
        str | None,
        typer.Option(help="a whole examination: one-series, series-per-slice or enhanced"),
    ] = None,
    json: Json = False,
) -> None:
    """Write synthetic beating hearts with their exact volumes."""
    from heartseg.cli.phantoms import write_exams, write_phantoms

    if exam is not None:
        if (kind, written_as) != ("cine-mr", "dicom"):
            got = f"--kind {kind} --as {written_as}"
            raise ConfigError("--exam", got=got, do="an examination is --kind cine-mr --as dicom")
        write_exams(out, exam, count, seed, json)
        return
    write_phantoms(out, kind, count, seed, written_as, json)


@app.command()
def inspect(
    input_: Annotated[Path, typer.Argument(metavar="INPUT", help="a file, folder or .zip")],
    view: View = None,
    spacing_mm: Spacing = None,
    preview: Annotated[
        Path | None, typer.Option(help="draw it: a .png, or a folder for a picture a study")
    ] = None,
    preparation: Annotated[
        str | None, typer.Option(help="preset to draw in place of the model's, e.g. sinha-2020")
    ] = None,
    json: Json = False,
) -> None:
    """What heartseg sees: modality, view, frames, spacing, phases, labels, model, problems."""
    from heartseg.cli.seen import run_inspect

    run_inspect(input_, view, spacing_mm, preview=preview, preset=preparation, json=json)


app.command()(models)


@app.command()
def methods(json: Json = False) -> None:
    """The traditional methods, which `segment --model classical:NAME` uses."""
    from heartseg.cli import listing

    rows = listing.methods()
    print(listing.to_json(rows) if json else listing.table(rows))


@app.command()
def networks(
    name: Annotated[str | None, typer.Argument(help="of a network, to see its layers")] = None,
    json: Json = False,
) -> None:
    """Every network with its paper, parameters, work and reach; needs heartseg[train]."""
    from heartseg.cli.networks import show_layers, show_networks

    if name is None:
        show_networks(json)
    else:
        show_layers(name, json)


app.command()(datasets)


@app.command()
def doctor(
    train: Annotated[
        Path | None, typer.Option(metavar="RUN.toml", help="say how long this training would take")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="so many such trainings, with --train")] = 1,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Versions, devices, extras, and how fast this machine segments, or trains."""
    from heartseg.cli.examination import as_json, as_text, examination, training

    found = examination() if train is None else {"training": training(train, runs, device)}
    print(as_json(found) if json else as_text(found))
