"""Every metric of two masks: its name, its unit, its function, what it says of empty masks.

This is the one list. Adding a metric is a function, of two masks (`overlap.py`) or of a `Pair`
(`pair.py`), and its line here; the tests of `tests/measure/test_metric_contract.py`, the tables of
`heartseg evaluate` and the reference find it by this line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from heartseg.measure import overlap, pair
from heartseg.measure.overlap import Mask
from heartseg.measure.pair import Pair


class Empty(NamedTuple):
    """What a metric says when both masks, only the prediction, or only the truth is empty.

    A number is a rule, None is no value, "as defined" is whatever the definition gives.
    """

    both: float | Literal["as defined"] | None
    pred: float | Literal["as defined"] | None
    truth: float | Literal["as defined"] | None


OVERLAP, DISTANCE = Empty(1.0, 0.0, 0.0), Empty(None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A line of the table.

    Attributes:
        title: as papers print it.
        of: the function.
        unit: "1", "mm", "mL" or "pieces".
        perfect: of two equal masks that are not empty.
        empty: by which rule.
        absent: why there is no value, where there is none for another reason than millimetres.
        calibrated: whether it needs millimetres.
        exchange: what exchanging both masks does: "same" value, "negated", or "another" one.
        better: the "higher", the "lower", or the nearer to "zero".
    """

    title: str
    of: Callable[[Pair], float | None]
    unit: str = "1"
    perfect: float = 1.0
    empty: Empty = OVERLAP
    absent: str = ""
    calibrated: bool = False
    exchange: Literal["same", "negated", "another"] = "same"
    better: Literal["higher", "lower", "zero"] = "higher"

    def value(self, masks: Pair) -> tuple[float | None, str | None]:
        """The value, or None and the reason."""
        if self.calibrated and masks.spacing_mm is None:
            return None, NO_MILLIMETRES
        value = self.of(masks)
        return value, None if value is not None else self.absent


NO_MILLIMETRES = "no millimetres"
NO_SURFACE = "an empty mask has no surface"
NO_TRUTH = "there is nothing to find"


def _masks(function: Callable[[Mask, Mask], float | None]) -> Callable[[Pair], float | None]:
    """A function of two masks as one of their pair."""

    def of(masks: Pair) -> float | None:
        return function(masks.pred, masks.truth)

    of.__doc__ = function.__doc__
    return of


def _distance(title: str, of: Callable[[Pair], float | None]) -> Metric:
    """Of surfaces, in millimetres, the smaller the better."""
    return Metric(
        title=title,
        of=of,
        unit="mm",
        perfect=0.0,
        empty=DISTANCE,
        absent=NO_SURFACE,
        calibrated=True,
        better="lower",
    )


def _count(title: str, of: Callable[[Mask, Mask], float]) -> Metric:
    """By how many pieces or holes two masks differ."""
    return Metric(
        title=title,
        of=_masks(of),
        unit="pieces",
        perfect=0.0,
        better="lower",
        empty=Empty(0.0, "as defined", "as defined"),
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "dice": Metric(title="Dice", of=_masks(overlap.dice)),
        "jaccard": Metric(title="Jaccard", of=_masks(overlap.jaccard)),
        "accuracy": Metric(
            title="Accuracy",
            of=_masks(overlap.accuracy),
            empty=Empty(1.0, "as defined", "as defined"),
        ),
        "precision": Metric(
            title="Precision",
            of=_masks(overlap.precision),
            empty=Empty(None, None, 0.0),
            absent="nothing was predicted",
            exchange="another",
        ),
        "recall": Metric(
            title="Recall (sensitivity)",
            of=_masks(overlap.recall),
            empty=Empty(None, 0.0, None),
            absent=NO_TRUTH,
            exchange="another",
        ),
        "specificity": Metric(
            title="Specificity",
            of=_masks(overlap.specificity),
            empty=Empty(1.0, 1.0, "as defined"),
            absent="the reference fills the image",
            exchange="another",
        ),
        "sa_pixels": Metric(
            title="SA, wrong pixels",
            of=_masks(overlap.sa_of_pixels),
            empty=Empty(None, 0.0, None),
            absent=NO_TRUTH,
            exchange="another",
        ),
        "sa_areas": Metric(
            title="SA, areas",
            of=_masks(overlap.sa_of_areas),
            empty=Empty(None, 0.0, None),
            absent=NO_TRUTH,
            exchange="another",
        ),
        "volume_difference_ml": Metric(
            title="Volume difference",
            of=pair.volume_difference,
            unit="mL",
            perfect=0.0,
            empty=Empty(0.0, "as defined", "as defined"),
            absent="a plane has no volume",
            calibrated=True,
            exchange="negated",
            better="zero",
        ),
        "volume_difference": Metric(
            title="Relative volume difference",
            of=_masks(overlap.relative_volume_difference),
            perfect=0.0,
            empty=Empty(None, -1.0, None),
            absent=NO_TRUTH,
            exchange="another",
            better="zero",
        ),
        "hausdorff_mm": _distance("HD", pair.hausdorff),
        "hausdorff95_mm": _distance("HD95", pair.hausdorff95),
        "assd_mm": _distance("ASSD", pair.assd),
        "surface_dice_2mm": Metric(title="NSD at 2 mm", of=pair.surface_dice, calibrated=True),
        "boundary_iou_2mm": Metric(
            title="Boundary IoU, 2 mm", of=pair.boundary_iou, calibrated=True
        ),
        "component_error": _count("Components", overlap.component_error),
        "hole_error": _count("Holes", overlap.hole_error),
    }
)
"""By key, the unit in it, in the order of the tables."""

HEADLINE = ("dice", "hausdorff95_mm", "assd_mm")
"""What the screen shows and methods are compared by; the files hold all of them."""


def empty_mask_rule(keys: Sequence[str] = tuple(METRICS)) -> str:
    """In words, what some metrics say of empty masks.

    Raises:
        KeyError: a key that is not in `METRICS`.
    """
    groups: dict[Empty, list[str]] = {}
    for key in keys:
        groups.setdefault(METRICS[key].empty, []).append(METRICS[key].title)
    said = [f"{', '.join(titles)}: {_rule_in_words(rule)}" for rule, titles in groups.items()]
    return "Empty masks. " + ". ".join(said) + f". {LEFT_OUT}"


LEFT_OUT = "Values that do not exist are left out of means, and counted."


def _rule_in_words(rule: Empty) -> str:
    cases = {"both empty": rule.both, "nothing predicted": rule.pred, "nothing to find": rule.truth}
    said = {
        case: "no value" if value is None else value if isinstance(value, str) else f"{value:g}"
        for case, value in cases.items()
    }
    if len(set(said.values())) == 1:
        return f"{said['both empty']} when either is empty"
    return ", ".join(f"{case} {value}" for case, value in said.items())
