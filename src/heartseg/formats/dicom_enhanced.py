"""Write a series of an MR examination as one Enhanced MR object (DICOM PS3.3 A.36.2, C.8.13).

Frames may be stored in any order: what each shows is in its functional groups.
"""

from collections.abc import Sequence
from itertools import starmap

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from heartseg.core.errors import GeometryError
from heartseg.formats.dicom_exam import DATE, ExamSeries, ExamTags, Loop, clock_time, common
from heartseg.formats.dicom_write import add_meta, add_pixels, decimals, require_planes
from heartseg.formats.dicom_write import stored_values as stored_values_of


def enhanced(series: ExamSeries, tags: ExamTags, order: Sequence[int]) -> Dataset:
    """The whole series in one object, ready to be saved.

    Args:
        series: loops of one size.
        tags: of the examination.
        order: which frame is stored when; frames are counted loop by loop.

    Raises:
        OutputError: voxels that are no 16-bit whole numbers.
        GeometryError: grids of unequal sizes, or that DICOM planes cannot hold.
    """
    frames = [(loop, t) for loop in series.loops for t in range(loop.image.frames)]
    sizes = {loop.image.geometry.shape[1:] for loop in series.loops}
    if len(sizes) > 1:
        raise GeometryError("enhanced MR", got=f"planes of {sorted(sizes)}", allowed="one size")
    for loop in series.loops:
        require_planes(loop.image)
    ds = common(tags, series)
    _add_object(ds, series, tags, len(frames))
    _add_dimensions(ds, tags)
    ds.SharedFunctionalGroupsSequence = [_shared(series)]
    places = {id(loop): _place_index(series.loops, loop) for loop in series.loops}
    ds.PerFrameFunctionalGroupsSequence = [
        _frame(loop, t, places[id(loop)]) for loop, t in (frames[i] for i in order)
    ]
    pixels = np.stack([frames[i][0].image.voxels[frames[i][1], 0] for i in order])
    add_pixels(ds, stored_values_of(pixels))
    del ds.WindowCenter, ds.WindowWidth
    add_meta(ds)
    return ds


def _add_object(ds: Dataset, series: ExamSeries, tags: ExamTags, count: int) -> None:
    """Enhanced MR image, pulse sequence and cardiac synchronisation modules."""
    loop = series.loops[0]
    ds.SOPClassUID = EnhancedMRImageStorage
    ds.SOPInstanceUID = tags.uid("enhanced", series.number)
    ds.InstanceNumber = ds.AcquisitionNumber = "1"
    ds.NumberOfFrames = str(count)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]
    for keyword, value in _description(series).items():
        setattr(ds, keyword, value)
    ds.AcquisitionDateTime = DATE + clock_time(loop.taken_s)
    ds.AcquisitionDuration = 10.0 * len(series.loops)
    ds.ContentQualification, ds.ResonantNucleus = "RESEARCH", "1H"
    ds.KSpaceFiltering, ds.MagneticFieldStrength = "NONE", 1.5
    ds.ApplicableSafetyStandardAgency = "IEC"
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.PresentationLUTShape = "IDENTITY"
    ds.AcquisitionContextSequence = []
    for keyword, value in _PULSE_SEQUENCE.items():
        setattr(ds, keyword, value)
    ds.PhaseContrast = "YES" if series.is_velocity else "NO"
    if series.is_velocity:
        ds.VelocityEncodingAcquisitionSequence = [_item(VelocityEncodingDirection=_ACROSS)]
    ds.CardiacSynchronizationTechnique = "RETROSPECTIVE" if loop.gated else "PROSPECTIVE"
    ds.CardiacSignalSource, ds.CardiacBeatRejectionTechnique = "ECG", "NONE"
    ds.CardiacRRIntervalSpecified = float(loop.rr_ms)
    ds.LowRRValue, ds.HighRRValue = int(0.8 * loop.rr_ms), int(1.2 * loop.rr_ms)
    ds.IntervalsAcquired, ds.IntervalsRejected = 10, 0


_ACROSS = [0.0, 0.0, 1.0]
"""Direction of flow that is measured: to the head."""

_PULSE_SEQUENCE: dict[str, object] = {
    "PulseSequenceName": "cine",
    "MRAcquisitionType": "2D",
    "EchoPulseSequence": "GRADIENT",
    "MultiPlanarExcitation": "NO",
    "TimeOfFlightContrast": "NO",
    "SteadyStatePulseSequence": "FREE_PRECESSION",
    "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO",
    "SpectrallySelectedSuppression": "NONE",
    "OversamplingPhase": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "RectilinearPhaseEncodeReordering": "LINEAR",
    "SegmentedKSpaceTraversal": "PARTIAL",
    "NumberOfKSpaceTrajectories": 1,
}


def _description(series: ExamSeries) -> dict[str, object]:
    """MR image description macro, of the object and of its frames."""
    velocity = series.is_velocity
    return {
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": "NONE",
        "ComplexImageComponent": "PHASE" if velocity else "MAGNITUDE",
        "AcquisitionContrast": "FLOW_ENCODED" if velocity else "UNKNOWN",
    }


def _add_dimensions(ds: Dataset, tags: ExamTags) -> None:
    organization = tags.uid("dimensions", ds.SeriesNumber)
    ds.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organization)]
    ds.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=0x00209111,
        )
        for pointer in (0x00209056, 0x00209057)  # StackID, InStackPositionNumber
    ]
    ds.DimensionIndexSequence.append(
        _item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=0x00209153,  # NominalCardiacTriggerDelayTime
            FunctionalGroupPointer=0x00189118,
        )
    )


def _shared(series: ExamSeries) -> Dataset:
    loop = series.loops[0]
    slice_mm, row_mm, column_mm = loop.image.geometry.spacing
    rows, columns = loop.image.geometry.shape[1:]
    groups = {
        "PixelMeasuresSequence": _item(
            PixelSpacing=decimals([row_mm, column_mm]), SliceThickness=decimals([slice_mm])[0]
        ),
        "FrameAnatomySequence": _item(
            FrameLaterality="U", AnatomicRegionSequence=[_code("80891009", "SCT", "Heart")]
        ),
        "MRImageFrameTypeSequence": _item(
            FrameType=["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"], **_description(series)
        ),
        "PixelValueTransformationSequence": _item(
            RescaleIntercept="0", RescaleSlope="1", RescaleType="US"
        ),
        "FrameVOILUTSequence": _item(WindowCenter="300", WindowWidth="600"),
        "MRFOVGeometrySequence": _item(
            InPlanePhaseEncodingDirection="ROW",
            MRAcquisitionFrequencyEncodingSteps=columns,
            MRAcquisitionPhaseEncodingStepsInPlane=rows,
            PercentSampling="100",
            PercentPhaseFieldOfView="100",
        ),
        **_sequence_groups(series),
    }
    if series.is_velocity:
        groups["MRVelocityEncodingSequence"] = _item(
            VelocityEncodingDirection=_ACROSS,
            VelocityEncodingMinimumValue=-150.0,
            VelocityEncodingMaximumValue=150.0,
        )
    shared = Dataset()
    for keyword, item in groups.items():
        setattr(shared, keyword, [item])
    return shared


def _sequence_groups(series: ExamSeries) -> dict[str, Dataset]:
    """What the sequence and the coils did, the same for every frame."""
    return {
        "MRTimingAndRelatedParametersSequence": _timing(),
        "MREchoSequence": _item(EffectiveEchoTime=1.5),
        "MRModifierSequence": _modifier(series.loops[0].inversion_ms),
        "MRImagingModifierSequence": _item(
            MagnetizationTransfer="NONE",
            BloodSignalNulling="NO",
            Tagging="NONE",
            TransmitterFrequency=63.87,
            PixelBandwidth="976",
        ),
        "MRReceiveCoilSequence": _item(
            ReceiveCoilName="CARDIAC",
            ReceiveCoilManufacturerName="",
            ReceiveCoilType="MULTICOIL",
            QuadratureReceiveCoil="NO",
            MultiCoilDefinitionSequence=[
                _item(MultiCoilElementName="1", MultiCoilElementUsed="YES")
            ],
        ),
        "MRTransmitCoilSequence": _item(
            TransmitCoilName="BODY", TransmitCoilManufacturerName="", TransmitCoilType="BODY"
        ),
        "MRAveragesSequence": _item(NumberOfAverages="1"),
    }


def _timing() -> Dataset:
    absorption = _item(SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY")
    absorption.SpecificAbsorptionRateValue = 1.0
    modes = (("STATIC FIELD", "IEC_NORMAL"), ("RF", "IEC_NORMAL"))
    return _item(
        RepetitionTime="3",
        FlipAngle="45",
        EchoTrainLength="1",
        RFEchoTrainLength=0,
        GradientEchoTrainLength=1,
        SpecificAbsorptionRateSequence=[absorption],
        GradientOutputType="DB_DT",
        GradientOutput=0.0,
        OperatingModeSequence=list(starmap(_mode, modes)),
    )


def _modifier(inversion_ms: float | None) -> Dataset:
    modifier = _item(
        InversionRecovery="NO" if inversion_ms is None else "YES",
        FlowCompensation="NONE",
        Spoiling="NONE",
        T2Preparation="NO",
        SpectrallySelectedExcitation="NONE",
        SpatialPresaturation="NONE",
        PartialFourier="NO",
        ParallelAcquisition="NO",
    )
    if inversion_ms is not None:
        modifier.InversionTimes = [float(inversion_ms)]
    return modifier


def _mode(kind: str, level: str) -> Dataset:
    return _item(OperatingModeType=kind, OperatingMode=level)


def _frame(loop: Loop, t: int, place: int) -> Dataset:
    geometry, times = loop.image.geometry, loop.image.times_ms or (0.0,)
    column, row = geometry.directions[:, 1], geometry.directions[:, 2]
    taken = DATE + clock_time(loop.frame_taken_s(t))
    content = _item(
        FrameAcquisitionNumber=1,
        FrameReferenceDateTime=taken,
        FrameAcquisitionDateTime=taken,
        FrameAcquisitionDuration=1000.0,
        StackID="1",
        InStackPositionNumber=place,
        DimensionIndexValues=[1, place, t + 1],
    )
    if loop.gated:
        content.CardiacCyclePosition = "UNDETERMINED"
    else:
        content.TemporalPositionIndex = t + 1
    groups = Dataset()
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [
        _item(ImagePositionPatient=decimals(geometry.point((0, 0, 0)).tolist()))
    ]
    groups.PlaneOrientationSequence = [_item(ImageOrientationPatient=decimals([*row, *column]))]
    groups.CardiacSynchronizationSequence = [
        _item(
            NominalCardiacTriggerDelayTime=float(times[t]) if loop.gated else 0.0,
            RRIntervalTimeNominal=float(loop.rr_ms),
        )
    ]
    return groups


def _place_index(loops: Sequence[Loop], loop: Loop) -> int:
    """1 for the first place; a plane that is acquired again has the same."""
    places = [tuple(np.round(one.image.geometry.affine.ravel(), 3)) for one in loops]
    return sorted(set(places)).index(places[list(map(id, loops)).index(id(loop))]) + 1


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
