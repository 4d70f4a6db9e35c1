"""Which patients train, validate and test: by patient number, the same everywhere."""

import re
from typing import Literal

from heartseg.core.errors import ConfigError

Part = Literal["train", "validate", "test"]


def part_of(patient: str) -> Part:
    """The part of a patient, from the number in the id: % 5 == 0 tests, == 1 validates.

    Raises:
        ConfigError: the id holds no number.
    """
    found = re.search(r"\d+", patient)
    if found is None:
        raise ConfigError("patient id", got=repr(patient), allowed="a name with a number in it")
    remainder = int(found.group()) % 5
    return "test" if remainder == 0 else "validate" if remainder == 1 else "train"
