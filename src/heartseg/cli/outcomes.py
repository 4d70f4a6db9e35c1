"""What `segment` and `measure` say of each study, and at the end."""

import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from heartseg.batch import Outcome, Plan


def say(outcome: "Outcome") -> None:
    """Print a study as it ends: its numbers, or why there are none."""
    from heartseg.report import report_text
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


def finish(plan: "Plan", outcomes: "list[Outcome]", json: bool) -> None:
    """Print what concerns all studies; exit code 1 when one failed."""
    from heartseg.batch import rows_without_study
    from heartseg.report.words import clean

    unknown = rows_without_study(plan, outcomes)
    if unknown:
        shown = ", ".join(unknown[:8]) + (", ..." if len(unknown) > 8 else "")
        said = f"--body: {len(unknown)} rows of no study in this run: {shown}"
        print(clean(f"heartseg: {said}; ids stand in summary.csv"), file=sys.stderr)
    if json:
        from heartseg.cli import listing

        print(listing.to_json([listing.outcome(one) for one in outcomes]))
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)
