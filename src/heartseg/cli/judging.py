"""`heartseg evaluate`."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PRED... TRUTH",
            help="masks or folders of one or more methods, and last the mask or data set that is "
            "the reference",
        ),
    ],
    scheme: Annotated[str, typer.Option(help="what the label numbers mean")] = "acdc",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="folder for tables and plots, or a .csv for the cases"),
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="folder of the model that drew them: write it into its card")
    ] = None,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="with --card: patients of another place")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """Agreement with reference masks: Dice, HD95, ASSD, and of the numbers from them.

    Of several methods, whether they differ: paired tests over cases, corrected together.
    """
    from heartseg.cli import agreement, options
    from heartseg.cli.appraising import Judged, into_card
    from heartseg.cli.evaluation_folder import write_results
    from heartseg.evaluation import compare

    if len(paths) < 2:
        raise typer.BadParameter("got one path; give masks to judge, and last the reference")
    if elsewhere if card is None else len(paths) > 2:
        raise typer.BadParameter("--card takes one folder of masks; --elsewhere goes with it")
    options.label_scheme("--scheme", scheme)
    result = compare(paths[:-1], paths[-1], scheme)
    print(agreement.as_json(result) if json else agreement.as_text(result))
    if out is not None:
        write_results(result, out)
    if card is not None:
        (one,) = result.evaluations.values()
        judged = Judged(prediction=paths[0], truth=paths[1], scheme=scheme, evaluation=one)
        into_card(judged, card, elsewhere=elsewhere)
    if any(one.problems for one in result.evaluations.values()):
        raise typer.Exit(1)
