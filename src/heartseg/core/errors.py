"""Every error that heartseg raises on purpose.

HeartsegError
├── InputError            what arrived cannot be used
│   ├── FormatError       a file is not what its name or header promises
│   ├── GeometryError     grids, spacings or positions that do not fit together
│   ├── LabelError        a label number that means no anatomy
│   └── StudyError        files that do not make a heart study
├── ConfigError           a setting that does not exist or is out of bounds
├── ModelError            a model bundle that cannot be trusted or used
├── OutputError           a result that could not be written
├── MeasureError          a number that cannot be had from this segmentation
└── MissingExtraError     an optional part is not installed

The library raises; only the doors (cli, web, pacs) print.
"""


class HeartsegError(Exception):
    """The root: a message that says what, got, allowed, and what to do, in that order.

    Example:
        >>> str(LabelError("seg.nii.gz", got="label 7", allowed="0, 1, 2, 3", do="pass --scheme"))
        'seg.nii.gz: got label 7; allowed: 0, 1, 2, 3; pass --scheme'
    """

    def __init__(self, what: str, *, got: str = "", allowed: str = "", do: str = "") -> None:
        parts = [f"got {got}" if got else "", f"allowed: {allowed}" if allowed else "", do]
        said = "; ".join(part for part in parts if part)
        super().__init__(f"{what}: {said}" if said else what)


class InputError(HeartsegError):
    """What arrived cannot be used."""


class FormatError(InputError):
    """A file is not what its name or header promises."""


class GeometryError(InputError):
    """Grids, spacings or positions that do not fit together."""


class LabelError(InputError):
    """A label number that means no anatomy."""


class StudyError(InputError):
    """Files that do not make a heart study."""


class ConfigError(HeartsegError):
    """A setting that does not exist or is out of bounds."""


class ModelError(HeartsegError):
    """A model bundle that cannot be trusted or used."""


class OutputError(HeartsegError):
    """A result that could not be written."""


class MeasureError(HeartsegError):
    """A number that cannot be had from this segmentation."""


class MissingExtraError(HeartsegError):
    """An optional part is not installed; the message holds the install line."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, do=f"install it with: pip install 'heartseg[{extra}]'")
