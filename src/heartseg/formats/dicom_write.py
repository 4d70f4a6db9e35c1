"""Write a cine as classic MR or CT Image Storage, a file a plane (DICOM PS3.3 A.3, A.4).

Made for phantoms: nothing in it comes from a patient. Identifiers follow from the voxels and the
geometry, so the same cine gives the same files.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from heartseg.core.errors import GeometryError, OutputError
from heartseg.core.image import Image
from heartseg.core.study import Body, Modality

_RIGHT_ANGLE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class CineTags:
    """What the headers say beside the geometry.

    Attributes:
        patient_id, patient_name: of the phantom.
        description: SeriesDescription; readers find the view in it.
        series_number: names the written masks.
        interval_ms: R to R; frames share it evenly where the image has no times.
        date, time: of everything, DICOM DA and TM.
        seed: makes other identifiers for the same voxels.
        modality: MR, or CT, whose voxels are Hounsfield units.
    """

    patient_id: str = "PHANTOM"
    patient_name: str = "Phantom^Heart"
    description: str = "cine SAX phantom"
    series_number: int = 1
    interval_ms: float = 1000.0
    body: Body = field(default_factory=Body)
    date: str = "20200101"
    time: str = "120000"
    seed: str = ""
    modality: Modality = Modality.MR


def write_cine(folder: Path, image: Image, tags: CineTags = CineTags()) -> list[Path]:
    """Write a file a plane, `IM0001.dcm` onwards, slice by slice.

    Reading the folder gives the voxels and places back exactly, slices in the order of their
    normal (row direction x column direction).

    Args:
        folder: made if it is not there; must hold no such files yet.
        image: whole numbers within 16 bits, on a grid at right angles, in mm.
        tags: what else the headers say.

    Raises:
        OutputError: voxels that are no 16-bit whole numbers, a modality that has no cine here, or a
            folder that cannot be written.
        GeometryError: a grid in pixels, or one that DICOM planes cannot hold.
    """
    if tags.modality not in _ACQUIRED:
        raise OutputError("DICOM cine", got=tags.modality, allowed=", ".join(_ACQUIRED))
    stored = stored_values(image.voxels)
    require_planes(image)
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, dataset in enumerate(_datasets(image, stored, tags), start=1):
            file = folder / f"IM{number:04d}.dcm"
            if file.exists():
                raise OutputError(file.name, got="a file that exists", do="choose an empty folder")
            dataset.save_as(file, enforce_file_format=True)
            files.append(file)
    except OSError as fault:
        raise OutputError(
            folder.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault
    return files


def stored_values(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same values in 16 bits.

    Raises:
        OutputError: they are no 16-bit whole numbers.
    """
    low, high = float(voxels.min()), float(voxels.max())
    for dtype in (np.uint16, np.int16):
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            stored = voxels.astype(dtype)
            if (stored == voxels).all():
                return stored
    raise OutputError(
        "DICOM cine",
        got=f"voxels of {voxels.dtype} from {low:g} to {high:g}",
        allowed="whole numbers within 16 bits",
        do="scale and round them first",
    )


def require_planes(image: Image) -> None:
    """Refuse a grid that DICOM planes cannot hold.

    Raises:
        GeometryError: in pixels, or sheared.
    """
    image.geometry.require_mm("a DICOM cine")
    directions = image.geometry.directions
    if not np.allclose(directions.T @ directions, np.eye(3), atol=_RIGHT_ANGLE):
        raise GeometryError("DICOM cine", got="a sheared grid", allowed="axes at right angles")


def _datasets(image: Image, stored: NDArray[np.generic], tags: CineTags) -> Iterator[Dataset]:
    key = hashlib.sha256(stored.tobytes() + image.geometry.affine.tobytes()).hexdigest() + tags.seed
    times = image.times_ms or tuple(
        tags.interval_ms * frame / image.frames for frame in range(image.frames)
    )
    number = 0
    for z in range(image.geometry.shape[0]):
        for t in range(image.frames):
            number += 1
            dataset = _series(image, tags, key)
            add_place(dataset, image, z)
            _plane(dataset, stored[t, z], times[t], number, key)
            yield dataset


def _series(image: Image, tags: CineTags, key: str) -> Dataset:
    """Patient, study, series, frame of reference, equipment, acquisition."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = tags.date
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = tags.time
    ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.StudyID = "1"
    ds.Modality, ds.Manufacturer = str(tags.modality), "heartseg"
    ds.ManufacturerModelName = "phantom"
    ds.SoftwareVersions = "1"
    ds.StudyDescription, ds.SeriesDescription = "synthetic heart", tags.description
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = tags.patient_name, tags.patient_id, ""
    add_body(ds, tags.body)
    _ACQUIRED[tags.modality](ds)
    ds.NominalInterval = str(round(tags.interval_ms))
    ds.HeartRate = str(round(60000 / tags.interval_ms))
    ds.CardiacNumberOfImages = str(image.frames)
    ds.PatientPosition, ds.BodyPartExamined = "HFS", "HEART"
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", key])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(tags.series_number), key])
    ds.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame of reference", key])
    ds.SeriesNumber, ds.AcquisitionNumber = str(tags.series_number), "1"
    ds.PositionReferenceIndicator = ""
    return ds


def _mr(ds: Dataset) -> None:
    """MR image module (C.8.3.1): a balanced gradient echo."""
    ds.SOPClassUID = MRImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "SS", "CG"
    ds.MRAcquisitionType = "2D"
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle = "3", "1.5", "45"
    ds.EchoTrainLength, ds.MagneticFieldStrength = "1", "1.5"


def _ct(ds: Dataset) -> None:
    """CT image module (C.8.2.1): planes reformatted from a gated spiral, in Hounsfield units."""
    ds.SOPClassUID = CTImageStorage
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL", "MPR"]
    ds.ScanOptions, ds.KVP = "HELIX", "120"
    ds.ContrastBolusAgent = "iodine"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "HU"


_ACQUIRED: Mapping[Modality, Callable[[Dataset], None]] = MappingProxyType(
    {Modality.MR: _mr, Modality.CT: _ct}
)


def add_body(ds: Dataset, body: Body) -> None:
    """Patient study module: what is known of the patient."""
    ds.PatientSex = body.sex or ""
    if body.age_years is not None:
        ds.PatientAge = f"{int(body.age_years):03d}Y"
    if body.height_cm is not None:
        ds.PatientSize = decimal(body.height_cm / 100)
    if body.weight_kg is not None:
        ds.PatientWeight = decimal(body.weight_kg)


def add_place(ds: Dataset, image: Image, z: int) -> None:
    """Image plane module: exact positions, as many digits as DICOM's decimal strings hold."""
    geometry = image.geometry
    slice_mm, row_mm, column_mm = geometry.spacing
    position = geometry.point((z, 0, 0))
    column, row = geometry.directions[:, 1], geometry.directions[:, 2]
    ds.SliceThickness = ds.SpacingBetweenSlices = decimal(slice_mm)
    ds.ImagePositionPatient = decimals(position.tolist())
    ds.ImageOrientationPatient = decimals([*row, *column])
    ds.SliceLocation = decimal(float(np.dot(position, np.cross(row, column))))
    ds.PixelSpacing = decimals([row_mm, column_mm])


def _plane(ds: Dataset, pixels: NDArray[np.generic], time_ms: float, number: int, key: str) -> None:
    """General image, image pixel and SOP common modules."""
    ds.SOPInstanceUID = generate_uid(entropy_srcs=["plane", str(number), key])
    ds.InstanceNumber = str(number)
    ds.TriggerTime = decimal(time_ms)
    add_pixels(ds, pixels)
    add_meta(ds)


def add_pixels(ds: Dataset, pixels: NDArray[np.generic]) -> None:
    """Image pixel module and a window, of (rows, columns) or (frames, rows, columns)."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    low, high = int(pixels.min()), int(pixels.max())
    ds.WindowCenter, ds.WindowWidth = str((low + high) // 2), str(max(1, high - low))
    ds.PixelData = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OW"


def add_meta(ds: Dataset) -> None:
    """File meta information of an uncompressed file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta = meta


def decimals(values: Sequence[float]) -> list[str]:
    """Decimal strings."""
    return [decimal(value) for value in values]


def decimal(value: float) -> str:
    """A decimal string: at most 16 characters, all the digits that fit."""
    value = float(value) + 0.0  # no negative zero
    for digits in range(15, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise OutputError("DICOM number", got=f"{value}")  # pragma: no cover - 1 digit always fits
