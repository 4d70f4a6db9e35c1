"""The formats that heartseg reads, in one table. A new one is a file here and a line in `_ROWS`.

A format's module offers `read_noted(path, spacing_mm)`, which gives the image and what a reader
should know about it, `read_image` for the first of both, `read_labels(path, scheme, spacing_mm)`
where it can hold label numbers, and `stored_order(path)` where files keep their axes in an order of
their own. DICOM is no row: there a study is many files, and `read/dicom_study.py` sorts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of image files.

    Attributes:
        name: for notes and `Source.format`.
        suffixes: of its files, lower case.
        module: in `heartseg.formats`, imported when the first file of it is read.
        labels: whether it can hold label numbers: what is packed with loss cannot.
        flat: whether it holds pictures: without a place in the patient, even with millimetres, and
            with a picture for a mask where there is one plane.
        beside: suffixes of the data files that its headers name, which are no files of their own.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    labels: bool = True
    flat: bool = False
    beside: tuple[str, ...] = ()

    @property
    def door(self) -> Any:
        """The module that reads it."""
        return import_module(f"heartseg.formats.{self.module}")


_ROWS = (
    Format(name="nifti", suffixes=(".nii.gz", ".nii"), module="nifti"),
    Format(
        name="metaimage",
        suffixes=(".mhd", ".mha"),
        module="metaimage",
        beside=(".raw", ".zraw"),
    ),
    Format(
        name="nrrd",
        suffixes=(".nrrd", ".nhdr"),
        module="nrrd",
        beside=(".raw", ".raw.gz", ".raw.bz2"),
    ),
    Format(name="tiff", suffixes=(".tif", ".tiff"), module="tiff", flat=True),
    Format(name="png", suffixes=(".png",), module="raster", flat=True),
    Format(name="jpeg", suffixes=(".jpg", ".jpeg"), module="raster", flat=True, labels=False),
    Format(
        name="video",
        suffixes=(".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm"),
        module="video",
        labels=False,
    ),
)

FORMATS: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})
"""By name, in the order in which masks are looked for."""

SUFFIXES = tuple(suffix for row in _ROWS for suffix in row.suffixes)
LABEL_SUFFIXES = tuple(suffix for row in _ROWS if row.labels for suffix in row.suffixes)


def format_of(name: str) -> Format | None:
    """The format of a file by its name; None for none of the table."""
    low = name.lower()
    return next((row for row in _ROWS if low.endswith(row.suffixes)), None)


def lies_beside(name: str) -> bool:
    """True for the name of a data file that only its header can explain."""
    return name.lower().endswith(tuple(suffix for row in _ROWS for suffix in row.beside))
