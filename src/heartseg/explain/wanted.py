"""What a user wants explained, and what that means for a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.study import Phases
from heartseg.explain.asked import Settings

ALL, MIDDLE = "all", "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A question to a study.

    Attributes:
        target: key of a structure or a measure.
        methods: names of methods; none for the usual ones.
        models: names or folders of bundles; none for the one of the modality and view.
        device: "auto", "cpu" or "cuda".
        frames: "all", or phases and numbers from 0 with commas between; None for end-diastole and
            end-systole where the study has them, else the first frame.
        slices: "all", "middle", or numbers from 0 in the file's own order.
        phases: given by the user, instead of the files' or the volume curve's.
        settings: of the methods.
        check: look whether each method shows the network at all.
    """

    target: str = "lv"
    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    device: str = "auto"
    frames: str | None = None
    slices: str = ALL
    phases: Phases | None = None
    settings: Settings = field(default_factory=Settings)
    check: bool = False


def chosen_frames(
    wanted: str | None, phases: Phases | None, count: int, needed: Mapping[str, int]
) -> tuple[int, ...]:
    """The frames to explain, rising.

    Args:
        wanted: as `Wanted.frames`.
        phases: of the study.
        count: frames that there are.
        needed: those that a measure is made of, by phase; none for a structure.

    Raises:
        ConfigError: no such frame, or one that is no part of the measure.
        StudyError: a phase that the study has not.
    """
    known = dict(needed) or _known(phases)
    if wanted is None:
        return tuple(sorted(set(known.values()))) or (0,)
    if wanted.strip() == ALL:
        return tuple(sorted(set(needed.values()))) or tuple(range(count))
    frames = {_frame(word.strip(), known, count) for word in wanted.split(",")}
    others = sorted(frames - set(needed.values())) if needed else []
    if others:
        allowed = ", ".join(f"{frame} ({name})" for name, frame in needed.items())
        got = f"frame {others[0]}, which is no part of the measure"
        raise ConfigError("--frames", got=got, allowed=allowed)
    return tuple(sorted(frames))


def _known(phases: Phases | None) -> dict[str, int]:
    if phases is None:
        return {}
    both = {"ed": phases.ed, "es": phases.es}
    return {name: frame for name, frame in both.items() if frame is not None}


def _frame(word: str, known: Mapping[str, int], count: int) -> int:
    if word in known:
        return known[word]
    if word in ("ed", "es"):
        raise StudyError("--frames", got=f"{word} of a study without it", do="give its number")
    return _number("--frames", word, count, f"{ALL}, ed, es")


def chosen_slices(wanted: str, held: Sequence[int], count: int) -> tuple[int, ...]:
    """The slices to explain, rising.

    Args:
        wanted: as `Wanted.slices`.
        held: slices that hold the structure; the middle is that of these.
        count: slices that there are.

    Raises:
        ConfigError: no such slice.
    """
    if wanted.strip() == ALL:
        return tuple(range(count))
    if wanted.strip() == MIDDLE:
        return (sorted(held)[len(held) // 2],) if held else (count // 2,)
    words = f"{ALL}, {MIDDLE}"
    numbers = {_number("--slices", word.strip(), count, words) for word in wanted.split(",")}
    return tuple(sorted(numbers))


def _number(option: str, word: str, count: int, words: str) -> int:
    if not word.isdecimal() or int(word) >= count:
        raise ConfigError(option, got=repr(word), allowed=f"{words}, or numbers 0 to {count - 1}")
    return int(word)
