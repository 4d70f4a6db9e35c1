"""`heartseg translate`: one kind of image made of another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heartseg.core.errors import MissingExtraError

if TYPE_CHECKING:
    from heartseg.train.translate.anatomy_report import AnatomyReport

translate = typer.Typer(
    name="translate",
    help="Train and apply a translation of one kind of image into another, without pairs.",
    no_args_is_help=True,
)


@translate.command()
def train(
    source: Annotated[Path, typer.Argument(metavar="RUN.toml")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="folder of the run")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="section.name=value")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on where it stopped")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
) -> None:
    """Train a translator as a RUN.toml with task = "translate" says, and write it."""
    from heartseg.cli.training import Telling

    try:
        from heartseg.train.translate.run import FOLDER, train_translator
    except ModuleNotFoundError as fault:
        raise MissingExtraError("translate train", "train") from fault
    folder = out or Path("out") / source.stem
    with Telling(folder) as telling:
        made = train_translator(
            source, folder, changes=changes or (), resume=resume, device=device, watch=telling
        )
    print(f"wrote the translator {made.text.name} {made.text.version} to {folder / FOLDER}")


@translate.command()
def apply(
    translator: Annotated[Path, typer.Argument(metavar="TRANSLATOR", help="its folder")],
    inputs: Annotated[list[Path], typer.Argument(help="files, folders or data sets")],
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for the translated set")],
    target_model: Annotated[
        str | None, typer.Option(help="model of the kind that is made, to judge the anatomy")
    ] = None,
    source_model: Annotated[
        str | None, typer.Option(help="model of the kind it is made of, to judge the way back")
    ] = None,
    target: Annotated[
        list[Path] | None, typer.Option(help="real images of the target, to compare with; again")
    ] = None,
    encoder_model: Annotated[
        str | None, typer.Option(help="whose encoder makes the feature space, if another")
    ] = None,
    least_dice: Annotated[str, typer.Option(help="below it an image is rejected, or none")] = "0.7",
    most_border_px: Annotated[str, typer.Option(help="of the borders' distance, or none")] = "none",
    most_moved_px: Annotated[str, typer.Option(help="of the image's shift, or none")] = "1.5",
    assume_view: Annotated[
        bool, typer.Option("--assume-view", help="take every image for one of the wanted view")
    ] = False,
    scheme: Annotated[
        str | None, typer.Option(help="what label numbers mean, where the files do not say")
    ] = None,
    device: Annotated[str, typer.Option(help="of the models that judge: auto, cpu, cuda")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """Translate a set; labels and grids stay, an anatomy report says which images to trust."""
    from heartseg.cli import options
    from heartseg.cli.outcomes import say_nothing

    options.device(device)
    from heartseg.train.translate.apply import Order, translate_set
    from heartseg.train.translate.judges import Thresholds

    order = Order(
        inputs=tuple(inputs),
        out=out,
        target_model=target_model,
        source_model=source_model,
        target=tuple(target or ()),
        encoder_model=encoder_model,
        thresholds=Thresholds(
            least_dice=number_or_none("--least-dice", least_dice),
            most_border_px=number_or_none("--most-border-px", most_border_px),
            most_moved_px=number_or_none("--most-moved-px", most_moved_px),
        ),
        assume_view=assume_view,
        scheme=scheme,
        device=device,
    )
    report = translate_set(translator, order, say_nothing if json else _say)
    _finish(report, out, json)


def number_or_none(option: str, text: str) -> float | None:
    """A threshold; `none` for none.

    Raises:
        ConfigError: neither.
    """
    from heartseg.core.errors import ConfigError

    if text == "none":
        return None
    try:
        return float(text)
    except ValueError as fault:
        raise ConfigError(option, got=repr(text), allowed="a number, or none") from fault


def _say(line: str) -> None:
    from heartseg.report.words import clean

    print(clean(line), flush=True)


def _finish(report: "AnatomyReport", out: Path, json: bool) -> None:
    from heartseg.cli.listing import to_json
    from heartseg.train.translate.report_files import PAGE

    if json:
        print(to_json(report.to_table()))
    else:
        kept, means = report.images - len(report.rejected), report.means()
        told = [f"{key} {value:.3f}" for key, value in means.items() if value is not None]
        print(f"{kept} of {report.images} images keep their anatomy; {len(report.rejected)} do not")
        print("  ".join(told))
        print(f"the report: {out / PAGE}")
    if report.failed:
        raise typer.Exit(1)
