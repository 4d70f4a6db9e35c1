"""Where a result came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
