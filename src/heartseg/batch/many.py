"""A run over many studies: the summary grows with them, and whoever listens hears of each."""

from collections.abc import Callable, Iterator

from heartseg.batch.found import tasks
from heartseg.batch.plan import Outcome, Plan, Tally
from heartseg.report.study_folder import require_writable
from heartseg.report.summary import NAME


def run(plan: Plan, watch: Callable[[Outcome], None]) -> Tally:
    """Do all studies; `watch` hears of each as it ends. summary.csv grows with them.

    Raises:
        OutputError: `plan.out` cannot be written at all, or holds a foreign summary.csv.
        MissingExtraError: Ray was asked for and is not installed.
        ConfigError: no cluster at that address, or one whose machines do not see the folders.
    """
    from heartseg.report.growing_summary import GrowingSummary

    require_writable(plan.out)
    studies, failed = [], 0
    with GrowingSummary(plan.out / NAME) as summary:
        for outcome in _outcomes(plan):
            summary.add(outcome.row)
            studies.append(outcome.id)
            failed += outcome.status == "failed"
            watch(outcome)
    return Tally(tuple(studies), failed)


def rows_without_study(plan: Plan, tally: Tally) -> tuple[str, ...]:
    """Ids in the table of bodies that no study of the run had: slips of the pen, most of them."""
    seen = set(tally.studies)
    return tuple(name for name in plan.bodies or () if name not in seen)


def _outcomes(plan: Plan) -> Iterator[Outcome]:
    if plan.workers is not None:
        from heartseg.batch.machines import on_cluster

        return on_cluster(plan)
    if plan.jobs > 1:
        from heartseg.batch.processes import side_by_side

        return side_by_side(plan, tasks(plan))
    from heartseg.batch.one_process import one_after_another

    return one_after_another(plan)
