"""`heartseg datasets` and `heartseg models`."""

from pathlib import Path
from typing import Annotated

import typer


def datasets(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="one of them; with --to a folder")
    ] = None,
    check: Annotated[Path | None, typer.Option(help="folder of a copy to check")] = None,
    layout: Annotated[str | None, typer.Option("--as", help="which data set the copy is")] = None,
    to: Annotated[str | None, typer.Option(help="write it as nnunet's raw data")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help=".../Dataset027_NAME")] = None,
    view: Annotated[str | None, typer.Option(help="what the images show, e.g. sax")] = None,
    scheme: Annotated[str | None, typer.Option(help="what the label numbers mean")] = None,
    by_number: Annotated[
        bool, typer.Option("--by-number", help="split by patient number, as heartseg trains")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """Data sets that can be read: how to obtain them, whether a copy is whole, and to nnU-Net."""
    from heartseg.cli import data_sets

    if to is not None:
        from heartseg.cli.conversion import convert
        from heartseg.cli.options import view as view_of

        shown = view_of(view)
        if not convert(name, to, out, view=shown, scheme=scheme, by_number=by_number, json=json):
            raise typer.Exit(1)
    elif check is None:
        data_sets.show(name, json)
    elif not data_sets.check(check, layout or name, json):
        raise typer.Exit(1)


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="name or folder, to read its card")
    ] = None,
    checklist: Annotated[
        str | None, typer.Option(help="claim or tripod-ai: filled in from the model's record")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """The shipped models and how good they are; the card of one, or a checklist filled in."""
    from heartseg.cli import listing
    from heartseg.core.errors import ConfigError

    if name is None and checklist is not None:
        raise ConfigError("--checklist", got="no model", do="name one: heartseg models MODEL")
    if name is None:
        rows = listing.models(cards=json)
        print(listing.to_json(rows) if json else listing.table(rows))
    elif checklist is None:
        print(listing.card(name, json=json))
    else:
        print(listing.checklist(name, checklist, json=json))
