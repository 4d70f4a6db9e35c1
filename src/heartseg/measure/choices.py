"""What a laboratory may choose beyond the contours, and what each choice changes.

Two choices differ by more than two readers do, so the change that each makes is printed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases
from heartseg.measure.base import slices_left_out, without_atrium
from heartseg.measure.conventions import Convention
from heartseg.measure.papillary import THINNEST_MM, papillary_as_wall

_MYO = Structure.LV_MYOCARDIUM

Papillary = Literal["cavity", "mass"]
Base = Literal["drawn", "scmr"]

Value = Callable[[str], float | None]
"""The value of a finding by its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How contours are taken that were drawn with papillary muscles in the cavity.

    Attributes:
        papillary: "mass" moves papillary muscles from cavity to wall by their brightness.
        base: "scmr" leaves out basal slices that are atrium by the rule of SCMR 2020.
    """

    papillary: Papillary = "cavity"
    base: Base = "drawn"

    @classmethod
    def named(cls, papillary: str, base: str) -> "Choices":
        """From the words of a setting.

        Raises:
            ConfigError: a word that means none of the choices.
        """
        for name, got, allowed in (
            ("--papillary", papillary, get_args(Papillary)),
            ("--base", base, get_args(Base)),
        ):
            if got not in allowed:
                raise ConfigError(name, got=f"'{got}'", allowed=", ".join(allowed))
        return cls(papillary=cast(Papillary, papillary), base=cast(Base, base))


AS_DRAWN = Choices()


@dataclass(frozen=True, slots=True)
class Step:
    """One choice carried out.

    Attributes:
        segmentation: after it.
        convention: after it.
        said: what was done, for the page; the change of the numbers follows it.
        applied: False where it could not be done; `said` then tells why.
    """

    segmentation: Segmentation
    convention: Convention
    said: str
    applied: bool = True


def rebased(segmentation: Segmentation, phases: Phases, convention: Convention) -> Step:
    """The basal rule carried out."""
    rule = "Base by SCMR 2020 (LV where myocardium borders half of the pool, or it shrinks)"
    both = [frame for frame in (phases.ed, phases.es) if frame is not None]
    wanting = not all((segmentation.labels[frame] == _MYO).any() for frame in both)
    if wanting or phases.es is None:
        why = "there is no end-systole" if not wanting else "there is no myocardium to judge by"
        return Step(segmentation, convention, f"{rule}: not applied, {why}", applied=False)
    after = without_atrium(segmentation, phases)
    left = [slices_left_out(segmentation, after, frame) for frame in (phases.ed, phases.es)]
    return Step(after, convention, f"{rule}: {left[0]} slices left out at ED, {left[1]} at ES")


def with_papillary_mass(
    segmentation: Segmentation, image: Image | None, convention: Convention
) -> Step:
    """Papillary muscles moved to the wall."""
    rule = (
        f"Papillary muscles (inside the contour, darker than midway between blood and wall, at"
        f" least {THINNEST_MM:.0f} mm thick) moved from cavity to mass"
    )
    if image is None or segmentation.geometry.unit != "mm":
        why = "there is no image" if image is None else "there are no millimetres"
        return Step(segmentation, convention, f"{rule}: not applied, {why}", applied=False)
    changed = replace(convention, papillary_in_cavity=False)
    return Step(papillary_as_wall(segmentation, image), changed, rule)


def change(before: Value, after: Value) -> str:
    """`EDV 140.0 to 133.1 mL, ...` of the numbers that a choice can change, or that none does."""
    parts, same = [], True
    for key, name, unit, factor in (
        ("lv_edv_ml", "EDV", "mL", 1.0),
        ("lv_esv_ml", "ESV", "mL", 1.0),
        ("lv_ef", "EF", "%", 100.0),
        ("lv_mass_g", "mass", "g", 1.0),
    ):
        old, new = before(key), after(key)
        if old is not None and new is not None:
            parts.append(f"{name} {old * factor:.1f} to {new * factor:.1f} {unit}")
        same = same and old == new
    return "nothing changes" if same else ", ".join(parts)
