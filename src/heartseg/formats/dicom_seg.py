"""DICOM Segmentation objects: somebody's segments, as anatomy on the grid of an image.

Standard: DICOM PS3.3 A.51, C.8.20. A segment is anatomy by its SNOMED CT code, never by its number
or its label. A frame holds one plane of one segment; planes without a voxel are often absent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Code, Structure
from heartseg.core.errors import FormatError, LabelError
from heartseg.core.image import Image, Segmentation
from heartseg.formats.bounds import require_memory
from heartseg.formats.dicom_codec import frames_of, require_readable
from heartseg.formats.dicom_file import DAMAGED, NATIVE, is_dicom, quiet, read, tags_of
from heartseg.formats.dicom_planes import Plane, planes_of
from heartseg.formats.dicom_seg_place import Placed, place
from heartseg.formats.dicom_values import items, number, printable, text

THRESHOLD = 0.5
"""A voxel of a fractional segment belongs to it from this probability or occupancy on."""

_STORAGES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What a file calls a segment.

    Attributes:
        number: in the file.
        label: its maker's name for it.
        code: of its property type, or of its anatomic region where that is a structure.
        structure: None where the code is none of the heart's.
        voxels: how many belong to it, over all frames.
    """

    number: int
    label: str
    code: Code | None
    structure: Structure | None
    voxels: int

    def __str__(self) -> str:
        code = f" ({self.code.scheme} {self.code.value} {self.code.meaning})" if self.code else ""
        known = self.structure.title if self.structure else "no heart structure"
        return f"segment {self.number} '{self.label}'{code}: {self.voxels} voxels, {known}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegFile:
    """A segmentation object as it is stored.

    Attributes:
        kind: `binary`, `fractional` or `labelmap`.
        segments: by number.
        planes: where each frame lies.
        masks: (frames, rows, columns), True or the number of a segment.
        numbers: segment of each frame; 0 where the values say it.
        sources: SOP instance and frame that each frame was drawn on; None where it is not said.
    """

    kind: str
    segments: Mapping[int, Segment]
    planes: tuple[Plane, ...]
    masks: NDArray[Any]
    numbers: tuple[int, ...]
    sources: tuple[tuple[str, int] | None, ...]


def is_seg(path: Path) -> bool:
    """True for a file that is a DICOM Segmentation."""
    if not path.is_file():
        return False
    with path.open("rb") as stream, quiet():
        if not is_dicom(stream):
            return False
        try:
            ds, _ = read(stream, tags_of("SOPClassUID"), pixels=False)
            return str(ds.get("SOPClassUID", "")) in _STORAGES
        except DAMAGED:
            return False


def read_seg(path: Path) -> SegFile:
    """The segments and planes of a file.

    Raises:
        FormatError: damaged, tiled, or not of the size that its header says.
    """
    with path.open("rb") as stream, quiet():
        try:
            ds, _ = read(stream)
            return _seg_file(ds, path.name)
        except DAMAGED as fault:
            raise FormatError(
                path.name,
                got=f"a damaged DICOM segmentation ({type(fault).__name__}: "
                f"{printable(str(fault))[:100]})",
                do="copy or export it again",
            ) from fault


def read_labels(
    path: Path, image: Image, clocks: Mapping[str, Mapping[str, float]] | None = None
) -> Segmentation:
    """The heart structures of a file on the grid and frames of `image`.

    Frames of a cine without a plane are not covered: most people draw end-diastole and end-systole.

    Args:
        path: a DICOM Segmentation.
        image: whose voxels the segments are.
        clocks: the times of the image's files by SOP instance, for segments of a cine that only
            name the images that they were drawn on.

    Raises:
        FormatError: as `read_seg`.
        GeometryError: planes that are not the image's, or two of a segment at one place and time.
        LabelError: segments that are no heart structure, or overlap.
    """
    seg = read_seg(path)
    _require_heart(seg, path.name)
    labels = np.zeros(image.voxels.shape, np.uint8)
    drawn: set[int] = set()
    for number_, frame, placed in place(_frames(seg), image, clocks or {}, path.name):
        drawn.add(frame)
        structure = seg.segments[number_].structure
        here = labels[placed]
        other = (here != 0) & (here != structure)
        if other.any():
            raise _overlap(structure, Structure(int(here[other][0])), int(other.sum()), path.name)
        labels[placed] = structure or Structure.BACKGROUND
    found = sorted({one.structure for one in seg.segments.values() if one.structure is not None})
    covered = tuple(sorted(drawn)) if len(drawn) < image.frames else None
    return Segmentation(labels, image.geometry, tuple(found), image.times_ms, covered)


def _frames(seg: SegFile) -> Iterator[Placed]:
    for frame, plane in enumerate(seg.planes):
        values = seg.masks[frame]
        stated = seg.numbers[frame]
        for number_ in [stated] if stated else [n for n in np.unique(values).tolist() if n]:
            mask = values == number_ if not stated else values != 0
            yield Placed(plane=plane, source=seg.sources[frame], segment=number_, mask=mask)


def _require_heart(seg: SegFile, where: str) -> None:
    strangers = [str(one) for one in seg.segments.values() if one.structure is None]
    if strangers or not seg.segments:
        known = [f"{one.title} {one.code.value}" for one in Structure if one.code]
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        raise LabelError(
            where,
            got="; ".join(strangers[:5]) + more if strangers else "no segments",
            allowed="SNOMED CT codes of " + ", ".join(known),
            do="export the segments of the heart only, with their codes",
        )


def _overlap(mine: Structure | None, other: Structure, voxels: int, where: str) -> LabelError:
    return LabelError(
        where,
        got=f"{mine.title if mine else ''} and {other.title} in the same {voxels} voxels",
        allowed="one structure a voxel",
        do="take one of them away where they overlap, and export again",
    )


# The file


def _seg_file(ds: Any, where: str) -> SegFile:
    syntax = str(ds.file_meta.TransferSyntaxUID)
    require_readable(where, syntax)
    if str(ds.get("SOPClassUID", "")) not in _STORAGES:
        raise FormatError(where, got="no DICOM Segmentation", do="name the segmentation's file")
    if "TotalPixelMatrixRows" in ds:
        raise FormatError(
            where, got="a tiled segmentation, as of microscopy", allowed="planes of a patient"
        )
    frames = max(1, int(ds.get("NumberOfFrames", 1) or 1))
    size = int(ds.Rows), int(ds.Columns)
    require_memory(where, (frames, *size), 1)
    kind = text(ds, "SegmentationType").lower() or "binary"
    masks = _masks(ds, (frames, *size), kind, where)
    planes, _ = planes_of(where, ds, frames=frames, size=size, echo=False)
    groups = items(ds, "PerFrameFunctionalGroupsSequence")[:frames]  # some files keep more
    if len(groups) < frames:
        raise FormatError(where, got=f"{len(groups)} descriptions of {frames} frames")
    shared = items(ds, "SharedFunctionalGroupsSequence")[:1]
    numbers = tuple(0 if kind == "labelmap" else _number_of([one, *shared]) for one in groups)
    return SegFile(
        kind=kind,
        segments=_segments(ds, masks, numbers, where),
        planes=planes,
        masks=masks,
        numbers=numbers,
        sources=tuple(_source(one) for one in groups),
    )


def _masks(ds: Any, shape: tuple[int, int, int], kind: str, where: str) -> NDArray[Any]:
    """(frames, rows, columns); bits are packed without gaps over all frames (PS3.5 8.1.1)."""
    bits = int(ds.BitsAllocated)
    allowed = {"binary": (1, 8), "fractional": (8,), "labelmap": (8, 16)}.get(kind, ())
    if bits not in allowed:
        raise FormatError(
            where, got=f"a {kind} segmentation of {bits} bits", allowed="binary 1, fractional 8"
        )
    if str(ds.file_meta.TransferSyntaxUID) not in NATIVE:
        values = np.stack(list(frames_of(ds, shape[0])))
    else:
        values = _unpacked(bytes(ds.PixelData), shape, bits, where)
    if kind == "fractional":
        top = number(ds, "MaximumFractionalValue") or 255.0
        fractions: NDArray[Any] = values >= THRESHOLD * top
        return fractions
    return values if kind == "labelmap" else values != 0


def _unpacked(data: bytes, shape: tuple[int, int, int], bits: int, where: str) -> NDArray[Any]:
    voxels = int(np.prod(shape, dtype=np.int64))
    needed = (voxels * bits + 7) // 8
    if not needed <= len(data) <= needed + 1:
        raise FormatError(
            where,
            got=f"{len(data)} bytes for {voxels} voxels of {bits} bits",
            allowed=f"{needed}",
            do="the file is damaged: copy or export it again",
        )
    if bits == 1:
        packed = np.frombuffer(data, np.uint8)
        return np.unpackbits(packed, count=voxels, bitorder="little").reshape(shape)
    return np.frombuffer(data, f"<u{bits // 8}", count=voxels).reshape(shape)


def _number_of(groups: list[Any]) -> int:
    for group in groups:
        for item in items(group, "SegmentIdentificationSequence")[:1]:
            found = number(item, "ReferencedSegmentNumber")
            if found:
                return int(found)
    raise ValueError("a frame of no segment")


def _source(group: Any) -> tuple[str, int] | None:
    """The first image that a frame was derived from: its SOP instance and frame, from 0."""
    for derivation in items(group, "DerivationImageSequence"):
        for source in items(derivation, "SourceImageSequence"):
            frame = number(source, "ReferencedFrameNumber") or 1
            return text(source, "ReferencedSOPInstanceUID"), int(frame) - 1
    return None


def _segments(
    ds: Any, masks: NDArray[Any], numbers: tuple[int, ...], where: str
) -> dict[int, Segment]:
    found: dict[int, Segment] = {}
    of_frame = np.array(numbers)
    for item in items(ds, "SegmentSequence"):
        which = int(number(item, "SegmentNumber") or 0)
        mine = masks[of_frame == which] if of_frame.any() else masks == which
        code, structure = _meaning(item)
        found[which] = Segment(
            number=which,
            label=text(item, "SegmentLabel"),
            code=code,
            structure=structure,
            voxels=int(np.count_nonzero(mine)),
        )
    stated = set(numbers) if of_frame.any() else set(np.unique(masks).tolist())
    unknown = sorted(stated - set(found) - {0})
    if unknown:
        raise FormatError(where, got=f"frames of segments {unknown[:5]}, which are not described")
    return found


_CODES = ("SegmentedPropertyTypeCodeSequence", "AnatomicRegionSequence")


def _meaning(item: Any) -> tuple[Code | None, Structure | None]:
    """The code of a segment, and the structure it means; old SNOMED identifiers included."""
    from pydicom.sr.coding import Code as Concept

    codes = [code for keyword in _CODES for one in items(item, keyword)[:1] if (code := _code(one))]
    for code in codes:
        concept = Concept(code.value, code.scheme, code.meaning)
        for structure in Structure:
            mine = structure.code
            if mine and concept == Concept(mine.value, mine.scheme, mine.meaning):
                return code, structure
    return (codes[0] if codes else None), None


def _code(item: Any) -> Code | None:
    value, scheme = text(item, "CodeValue"), text(item, "CodingSchemeDesignator")
    return Code(scheme, value, text(item, "CodeMeaning")) if value else None
