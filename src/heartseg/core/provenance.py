"""Where a result came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Filled once, at the start of the pipeline; carried by every report and object.

    Attributes:
        version: heartseg's.
        commit: of the source tree, where it is known.
        created: ISO 8601, UTC.
        inputs: base names of the files, never paths.
        settings: the resolved settings of the run.
        person: who corrected the result, where someone did.
    """

    version: str
    created: str
    commit: str | None = None
    inputs: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    person: str | None = None


def now() -> str:
    """This second, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def source_commit() -> str | None:
    """The commit of the checkout that this module runs from; None for an installed package."""
    git = Path(__file__).parents[3] / ".git"
    try:
        if git.is_file():  # a worktree: the file names the real folder
            git = Path(git.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head
        common = git / "commondir"
        shared = git / common.read_text(encoding="utf-8").strip() if common.is_file() else git
        return _resolved(shared, head.removeprefix("ref:").strip())
    except OSError:
        return None


def _resolved(git: Path, ref: str) -> str | None:
    if (git / ref).is_file():
        return (git / ref).read_text(encoding="utf-8").strip()
    for line in (git / "packed-refs").read_text(encoding="utf-8").splitlines():
        if line.endswith(f" {ref}"):
            return line.split()[0]
    return None
