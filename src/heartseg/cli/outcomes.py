"""What `segment` and `measure` say of each study, and at the end."""

import sys
from textwrap import indent
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from heartseg.batch import Outcome, Plan


def run(plan: "Plan", json: bool) -> None:
    """Do all studies, saying of each what became of it as it ends; exit code 1 when one failed.

    Raises:
        HeartsegError: as `heartseg.batch.run`.
    """
    from heartseg.batch import rows_without_study
    from heartseg.batch import run as run_all
    from heartseg.report.words import clean

    if json:
        listing = Listing()
        try:
            tally = run_all(plan, listing.add)
        finally:
            listing.end()
    else:
        tally = run_all(plan, say)
    unknown = rows_without_study(plan, tally)
    if unknown:
        shown = ", ".join(unknown[:8]) + (", ..." if len(unknown) > 8 else "")
        said = f"--body: {len(unknown)} rows of no study in this run: {shown}"
        print(clean(f"heartseg: {said}; ids stand in summary.csv"), file=sys.stderr)
    if tally.failed:
        raise typer.Exit(1)


def say(outcome: "Outcome") -> None:
    """Print a study as it ends: its numbers, or why there are none."""
    from heartseg.report.text import report_text
    from heartseg.report.words import clean

    if outcome.status == "done" and outcome.report is not None:
        print(report_text(outcome.report))
        origin = outcome.report.strategy.get("origin of the model")
        for note in (outcome.said, origin, *outcome.report.body.not_used.values()):
            if note:
                print(clean(f"{outcome.id}: {note}"), file=sys.stderr)
    else:
        say_not_done(outcome.id, outcome.status, outcome.said)
    sys.stdout.flush()  # who waits for many studies sees each as it ends


def say_not_done(study: str, status: str, why: str) -> None:
    """Print why a study was skipped, or how it failed."""
    from heartseg.report.words import clean

    said = clean(f"{study}: {status}: {why}")
    print(said, file=sys.stderr if status == "failed" else sys.stdout, flush=True)


def say_nothing(_: Any) -> None:
    """Wait for the end: --json prints once."""


class Listing:
    """A JSON list that is printed as its studies end: the reports of a cohort are many."""

    def __init__(self) -> None:
        self._begun = False

    def add(self, outcome: "Outcome") -> None:
        """Print a study with its report.json."""
        from heartseg.cli.listing import outcome as row
        from heartseg.cli.listing import to_json

        print(",\n" if self._begun else "[\n", end="")
        print(indent(to_json(row(outcome)), "  "), end="", flush=True)
        self._begun = True

    def end(self) -> None:
        """Close the list, also when the run ended early; nothing where it never began."""
        if self._begun:
            print("\n]")
