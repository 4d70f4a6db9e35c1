"""From nnU-Net's names of labels to anatomy."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from heartseg.core.anatomy import STRUCTURES_BY_KEY, Scheme, Structure
from heartseg.core.errors import LabelError

_WORDS: Mapping[Structure, str] = MappingProxyType(
    {
        Structure.LV_CAVITY: "lvc, lvbp, lv blood pool, lv endocardium, left ventricle, left "
        "ventricular cavity, left ventricle cavity, left ventricle blood cavity, left ventricular "
        "blood pool, endocardium, lv endo",
        Structure.LV_MYOCARDIUM: "lvm, mlv, myocardium, lv myo, lvmyo, left ventricular "
        "myocardium, left ventricle myocardium, myocardium of the left ventricle, lv epicardium, "
        "epicardium, lv epi",
        Structure.RV_CAVITY: "rvc, rvbp, rv blood pool, right ventricle, right ventricular cavity, "
        "right ventricle cavity, right ventricle blood cavity, rv endocardium",
        Structure.LEFT_ATRIUM: "left atrium blood cavity, left atrial cavity",
        Structure.RIGHT_ATRIUM: "right atrium blood cavity, right atrial cavity",
        Structure.AORTA: "aa, ascending aorta",
        Structure.PULMONARY_ARTERY: "pulmonary trunk",
        Structure.SCAR: "infarct, infarction, myocardial infarction, lge scar",
        Structure.NO_REFLOW: "no reflow, mvo",
        Structure.CELL: "cells",
    }
)

SYNONYMS: Mapping[str, Structure] = MappingProxyType(
    {
        **{word: s for s, words in _WORDS.items() for word in words.split(", ")},
        **{key.replace("_", " "): s for key, s in STRUCTURES_BY_KEY.items()},
        **{s.title.lower(): s for s in Structure},
    }
)
"""Lower-case names, with spaces for whatever stood between the words. `left ventricle` is its
cavity, as in every public heart data set that uses the word beside a myocardium."""

_IGNORED = "ignore"


def scheme_of_names(where: str, labels: Mapping[str, Any]) -> Scheme:
    """What the numbers of a `dataset.json` mean.

    Args:
        where: for messages.
        labels: name -> number or list of numbers (a region), or number -> name. A number in several
            regions belongs to the smallest: `{"lv epicardium": [1, 2], "lv": 1}` makes 2 the
            myocardium. `ignore` has no meaning, and a mask that holds its number is refused.

    Raises:
        LabelError: a name that is no structure, or labels of no such form.
    """
    numbers: dict[int, Structure] = {}
    for number, name in _smallest_regions(where, labels).items():
        structure = SYNONYMS.get(_plain(name))
        if structure is None:
            raise LabelError(
                where,
                got=f"label {number} '{name[:40]}', which is no structure that heartseg knows",
                allowed="names such as " + ", ".join(s.title for s in Structure if s),
                do="write labels.toml beside it, with a table [labels] of number = structure",
            )
        numbers[number] = structure
    numbers[0] = Structure.BACKGROUND
    return Scheme(where, MappingProxyType(dict(sorted(numbers.items()))))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def _smallest_regions(where: str, labels: Mapping[str, Any]) -> dict[int, str]:
    """Name by number."""
    regions: list[tuple[int, str, list[int]]] = []
    for key, value in labels.items():
        name, numbers = _region(where, key, value)
        if _plain(name) != _IGNORED:
            regions.append((len(numbers), name, numbers))
    found: dict[int, str] = {}
    for _, name, numbers in sorted(regions, key=lambda one: -one[0]):
        found |= dict.fromkeys(numbers, name)
    return found


def _region(where: str, key: str, value: object) -> tuple[str, list[int]]:
    if isinstance(value, str) and key.isdecimal():  # version 1: number -> name
        return value, [int(key)]
    given = value if isinstance(value, list) else [value]
    numbers = [n for n in given if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
    if numbers and len(numbers) == len(given):
        return key, numbers
    raise LabelError(
        where,
        got=f"label '{key[:40]}': {str(value)[:40]}",
        allowed="a number, a list of numbers, or a name for a number",
        do="correct the file, or write labels.toml beside it",
    )
