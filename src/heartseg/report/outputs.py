"""What can be written of a report. A new output is one file, and one line in `OUTPUTS`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.report.atomic import write_atomically
from heartseg.report.html import html_page
from heartseg.report.json_file import json_text
from heartseg.report.masks import part_of
from heartseg.report.overview import heart_picture, jpeg_bytes, overview_picture, png_bytes
from heartseg.report.page import Page, page
from heartseg.report.printing import Printing

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from heartseg.report.surface import Mesh


@dataclass(frozen=True)
class Material:
    """All that a writer may use; pictures are drawn once, when first asked for."""

    report: Report
    study: Study | None
    segmentations: Mapping[View, Segmentation]
    printing: Printing = field(default_factory=Printing)

    @cached_property
    def page(self) -> Page:
        """What HTML and PDF say."""
        picture, structures = self.heart or (None, ())
        patient = self.study.patient if self.study and self.printing.identified else None
        return page(
            self.report,
            language=self.printing.spoken,
            patient=patient,
            mosaic=None if picture is None else (jpeg_bytes(picture), structures),
        )

    @cached_property
    def heart(self) -> "tuple[Picture, tuple[Structure, ...]] | None":
        """The mosaic and the structures in it; None without images or segmentations."""
        if self.study is None or not set(self.segmentations) & set(self.study.images):
            return None
        return heart_picture(self.report, self.study, self.segmentations, self.printing.hand)

    def parts(self) -> Iterator[tuple[str, View, Segmentation]]:
        """The stem of each file of the study, its view, and what was found in its frames; of a
        view without files, all of it under the view's name."""
        self.require_masks()
        for view, segmentation in self.segmentations.items():
            sources = () if self.study is None else self.study.sources.get(view, ())
            for source in sources:
                yield source.stem, view, part_of(segmentation, source)
            if not sources:
                yield view.value, view, segmentation

    def require_masks(self) -> None:
        """Raise OutputError where there is nothing to take points or surfaces of."""
        if not self.segmentations:
            raise OutputError(
                "points and surfaces", got="no segmentation", do="pass segmentations="
            )

    @cached_property
    def meshes(self) -> "Mapping[str, Mapping[Structure, Mesh]]":
        """Surfaces by `<stem>_ed` or `<stem>_es` and structure, of the views with phases; a view
        of several files goes by its own name."""
        from heartseg.report.surface_files import phase_meshes

        self.require_masks()
        found: dict[str, dict[Structure, Mesh]] = {}
        for view, phases in self.report.phases.items():
            if view in self.segmentations:
                sources = () if self.study is None else self.study.sources.get(view, ())
                stem = sources[0].stem if len(sources) == 1 else view.value
                for phase, structure, mesh in phase_meshes(self.segmentations[view], phases):
                    found.setdefault(f"{stem}_{phase}", {})[structure] = mesh
        return found


Files = Mapping[str, bytes]
Writer = Callable[[Material], Files]
"""Makes the content of an output's files, by name."""


def _json(material: Material) -> Files:
    return {"report.json": json_text(material.report).encode()}


def _html(material: Material) -> Files:
    return {"report.html": html_page(material.page).encode()}


def _pdf(material: Material) -> Files:
    from heartseg.report.lettering import Lettering
    from heartseg.report.pdf import pdf_bytes

    return {"report.pdf": pdf_bytes(material.page, Lettering(material.printing.font))}


def _png(material: Material) -> Files:
    if material.heart is None:
        raise OutputError(
            "overview.png",
            got="no images with a segmentation",
            do="pass study= and segmentations=, or leave png out of the formats",
        )
    picture = overview_picture(material.report, *material.heart, material.printing.hand)
    return {"overview.png": png_bytes(picture)}


def _csv(material: Material) -> Files:
    from heartseg.report.points import areas_csv, contours_csv

    files = {}
    for stem, _, part in material.parts():
        files[f"{stem}_areas.csv"] = areas_csv(part).encode()
        files[f"{stem}_contours.csv"] = contours_csv(part).encode()
    return files


def _osirix(material: Material) -> Files:
    from heartseg.report.foreign_points import osirix_csv

    return {f"{stem}_osirix.csv": osirix_csv(part).encode() for stem, _, part in material.parts()}


def _sunnybrook(material: Material) -> Files:
    from heartseg.report.foreign_points import sunnybrook_texts

    material.require_masks()
    files = {}
    for series, segmentation in enumerate(material.segmentations.values(), start=1):
        for name, text in sunnybrook_texts(segmentation, series).items():
            files[name] = text.encode()
    return files


def _stl(material: Material) -> Files:
    from heartseg.report.surface_files import stl_bytes

    return {
        f"{name}_{structure.key}.stl": stl_bytes(mesh, f"{structure.key} {name[-2:]}")
        for name, meshes in material.meshes.items()
        for structure, mesh in meshes.items()
    }


def _glb(material: Material) -> Files:
    from heartseg.report.surface_files import glb_bytes

    return {f"{name}.glb": glb_bytes(meshes) for name, meshes in material.meshes.items()}


OUTPUTS: Mapping[str, Writer] = MappingProxyType(
    {
        **{"json": _json, "html": _html, "png": _png, "pdf": _pdf},
        **{"csv": _csv, "osirix": _osirix, "sunnybrook": _sunnybrook},
        **{"stl": _stl, "glb": _glb},
    }
)
"""By the name that `--formats` knows."""

PAGES = ("json", "html", "png")
"""What is written unless told otherwise."""

_NOTHING: Mapping[View, Segmentation] = MappingProxyType({})


def save_report(
    report: Report,
    folder: Path | str,
    *,
    study: Study | None = None,
    segmentations: Mapping[View, Segmentation] = _NOTHING,
    formats: Iterable[str] | None = None,
    printing: Printing = Printing(),  # noqa: B008 (it never changes)
) -> tuple[Path, ...]:
    """Write a report into a folder, which is made when missing; the paths written.

    Each file appears whole or not at all. All are made before the first is written.

    Args:
        report: what to say.
        folder: where.
        study: the images, for pictures.
        segmentations: by view, on the grid and frames of the study's images.
        formats: names in `OUTPUTS`; None for those of `PAGES` that the arguments allow.
        printing: language and font of the pages, and whether they name the patient.

    Raises:
        ConfigError: a format that is not in `OUTPUTS`, or no such language or font.
        OutputError: a file could not be written, or a picture is asked for without images, or
            points or surfaces without segmentations, or no font prints a character of the PDF.
        GeometryError: points or surfaces are asked for of a grid without millimetres.
    """
    material = Material(report, study, segmentations, printing)
    if formats is None:
        formats = [name for name in PAGES if name != "png" or material.heart is not None]
    files: dict[str, bytes] = {}
    for name in formats:
        if name not in OUTPUTS:
            raise ConfigError("report format", got=f"'{name}'", allowed=", ".join(OUTPUTS))
        files |= OUTPUTS[name](material)
    for name, content in files.items():
        write_atomically(Path(folder) / name, content)
    return tuple(Path(folder) / name for name in files)
