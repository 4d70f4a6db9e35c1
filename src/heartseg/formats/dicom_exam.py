"""Write the series of a whole MR examination: classic MR, a file a frame, and a screenshot.

Standard: DICOM PS3.3 A.4 (MR), A.8.1 (secondary capture). `dicom_enhanced` writes the same series
as Enhanced MR. Made for phantoms: nothing in it comes from a patient.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage, SecondaryCaptureImageStorage, generate_uid

from heartseg.core.image import Image
from heartseg.core.study import Body
from heartseg.formats.dicom_write import (
    add_body,
    add_meta,
    add_pixels,
    add_place,
    decimal,
    require_planes,
    stored_values,
)

DATE = "20200101"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop:
    """What is acquired in one breath-hold: one plane, at one or several times.

    Attributes:
        image: (t, 1, y, x), whole numbers within 16 bits, with the time of each frame.
        rr_ms: length of the heart's cycle meanwhile.
        taken_s: time of the day, in seconds.
        gated: whether frames follow the heart's clock; else a frame a heart beat is taken.
        inversion_ms: inversion time, where the sequence inverts.
    """

    image: Image
    rr_ms: float
    taken_s: float
    gated: bool = True
    inversion_ms: float | None = None

    def frame_taken_s(self, frame: int) -> float:
        """Time of the day of a frame: that of the breath-hold, unless each has its own beat."""
        return self.taken_s if self.gated else self.taken_s + frame * self.rr_ms / 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExamSeries:
    """A series as it lies in an archive.

    Attributes:
        number: SeriesNumber.
        description: SeriesDescription, helpful or not.
        loops: its breath-holds, in the order in which they were acquired.
        image_type: ImageType.
    """

    number: int
    description: str
    loops: tuple[Loop, ...]
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "OTHER")

    @property
    def is_velocity(self) -> bool:
        """Phase images, in which grey means speed."""
        return "VELOCITY MAP" in self.image_type


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamTags:
    """What all series of an examination share.

    Attributes:
        patient_id: of the phantom; every identifier follows from it and `layout`.
        body: size and weight.
        layout: told apart by their study's identifier, so that two layouts are two studies.
    """

    patient_id: str
    body: Body = field(default_factory=Body)
    layout: str = ""

    def uid(self, *parts: object) -> str:
        """The identifier of a part of the examination."""
        return generate_uid(entropy_srcs=["exam", self.patient_id, self.layout, *map(str, parts)])


def classic(series: ExamSeries, tags: ExamTags, numbers: Sequence[int]) -> Iterator[Dataset]:
    """A file a frame, ready to be saved.

    Args:
        series: its loops.
        tags: of the examination.
        numbers: InstanceNumber of each frame, loop by loop, in any order.

    Raises:
        OutputError: voxels that are no 16-bit whole numbers.
        GeometryError: a grid that DICOM planes cannot hold.
    """
    count = 0
    for hold, loop in enumerate(series.loops, start=1):
        require_planes(loop.image)
        stored = stored_values(loop.image.voxels)
        for t in range(loop.image.frames):
            ds = common(tags, series)
            ds.SOPClassUID = MRImageStorage
            ds.SOPInstanceUID = tags.uid("image", series.number, count)
            ds.InstanceNumber, ds.AcquisitionNumber = str(numbers[count]), str(hold)
            _add_acquisition(ds, loop, t)
            add_place(ds, loop.image, 0)
            del ds.SpacingBetweenSlices  # a breath-hold knows of no other slice
            add_pixels(ds, stored[t, 0])
            add_meta(ds)
            count += 1
            yield ds


def _add_acquisition(ds: Dataset, loop: Loop, t: int) -> None:
    times = loop.image.times_ms or (0.0,)
    ds.ScanningSequence = ["GR", "IR"] if loop.inversion_ms is not None else "GR"
    ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SS", "CG", "2D"
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle = "3", "1.5", "45"
    ds.EchoTrainLength, ds.MagneticFieldStrength = "1", "1.5"
    if loop.inversion_ms is not None:
        ds.InversionTime = decimal(loop.inversion_ms)
    ds.AcquisitionTime = ds.ContentTime = clock_time(loop.frame_taken_s(t))
    ds.NominalInterval, ds.HeartRate = str(round(loop.rr_ms)), str(round(60_000 / loop.rr_ms))
    ds.TriggerTime = decimal(times[t] if loop.gated else 0.0)
    if loop.gated:
        ds.CardiacNumberOfImages = str(loop.image.frames)
    elif loop.image.frames > 1:
        ds.TemporalPositionIdentifier = str(t + 1)
        ds.NumberOfTemporalPositions = str(loop.image.frames)


def common(tags: ExamTags, series: ExamSeries) -> Dataset:
    """Patient, study, series, frame of reference and equipment."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = list(series.image_type)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = DATE
    ds.StudyTime = "120000"
    taken = series.loops[0].taken_s if series.loops else 0.0
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = clock_time(taken)
    ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.StudyID, ds.StudyDescription = "1", "synthetic heart"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "MR", "heartseg", "phantom"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "1", "1"
    ds.PatientName, ds.PatientID = f"Phantom^{tags.patient_id}", tags.patient_id
    ds.PatientBirthDate = ""
    add_body(ds, tags.body)
    ds.SeriesNumber, ds.SeriesDescription = str(series.number), series.description
    ds.PatientPosition, ds.BodyPartExamined = "HFS", "HEART"
    ds.StudyInstanceUID = tags.uid("study")
    ds.SeriesInstanceUID = tags.uid("series", series.number)
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = tags.uid("frame of reference"), ""
    return ds


def screenshot(number: int, picture: NDArray[np.uint8], tags: ExamTags) -> Dataset:
    """A colour picture of (rows, columns, 3) as secondary capture, as viewers save them."""
    ds = common(tags, ExamSeries(number=number, description="screen save", loops=()))
    ds.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator"):
        delattr(ds, keyword)
    ds.Modality, ds.ConversionType = "OT", "WSD"
    ds.PatientOrientation = ""
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = tags.uid("screenshot", number)
    ds.InstanceNumber = "1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns = picture.shape[:2]
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.BurnedInAnnotation = "NO"
    ds.PixelData = picture.tobytes() + b"\0" * (picture.size % 2)
    ds["PixelData"].VR = "OB"
    add_meta(ds)
    return ds


def clock_time(seconds: float) -> str:
    """DICOM TM of a time of the day."""
    whole, micro = divmod(round(seconds * 1e6), 1_000_000)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{micro:06d}"
