"""Segmentations are made by highdicom or by hand, and read back on the grid of an image."""

import copy
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError, LabelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, View
from heartseg.formats.dicom_seg import is_seg, read_labels, read_seg
from heartseg.formats.dicom_write import write_cine
from heartseg.given import GivenLabels, given
from heartseg.measure.agreement import agreement_table
from heartseg.read import read_study
from heartseg.read.inspect import inspect
from heartseg.read.masks import study_masks
from tests import foreign
from tests.formats.dicom_files import data_set, save

LV, MYO, LIVER = ("87878005", "left ventricle"), ("49848007", "muscle"), ("10200004", "Liver")


def image(frames: int = 1) -> Image:
    values = np.random.default_rng(1).integers(0, 900, (frames, *foreign.SHAPE)).astype(np.int16)
    times = tuple(40.0 * t for t in range(frames)) if frames > 1 else None
    return Image(values, Geometry(foreign.SHAPE, foreign.affine_lps()), times)


def drawn(seed: int = 3) -> NDArray:
    """(z, y, x) bool without symmetry; the first and the last slice hold none."""
    mask = np.random.default_rng(seed).random(foreign.SHAPE) > 0.8
    mask[[0, -1]] = False
    return mask


def code(value: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return [item]


def by_hand(
    masks: dict[tuple[str, str], NDArray],
    *,
    fractional: bool = False,
    turned: bool = False,
    **groups: object,
) -> Dataset:
    """(z, y, x) masks by code, a frame for each plane with a voxel; `turned` in the plane."""
    _, ydir, xdir = foreign.rotation().T
    affine = foreign.affine_lps()
    frames, per_frame = [], []
    for number, mask in enumerate(masks.values(), start=1):
        for z, plane in enumerate(mask):
            if not plane.any():
                continue
            start = affine @ [z, 0, 0, 1]
            rows, columns = xdir, ydir
            if turned:  # columns from the far side, and rows and columns exchanged
                start = affine @ [z, 0, plane.shape[1] - 1, 1]
                plane, rows, columns = plane[:, ::-1].T, ydir, -xdir
            frames.append(plane)
            group, place, orientation, which = Dataset(), Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = [float(f"{v:.10g}") for v in start[:3]]
            orientation.ImageOrientationPatient = [float(f"{v:.12g}") for v in (*rows, *columns)]
            which.ReferencedSegmentNumber = number
            group.PlanePositionSequence, group.PlaneOrientationSequence = [place], [orientation]
            group.SegmentIdentificationSequence = [which]
            for keyword, value in groups.items():
                setattr(group, keyword, value)
            per_frame.append(group)
    stack = np.stack(frames)
    ds = data_set(stack.astype(np.uint8))
    ds.SOPClassUID, ds.Modality = SegmentationStorage, "SEG"
    ds.PerFrameFunctionalGroupsSequence = per_frame
    measures, shared = Dataset(), Dataset()
    spacing = foreign.SPACING[1:]
    measures.PixelSpacing = list(spacing[::-1] if turned else spacing)
    shared.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.SegmentationType = "FRACTIONAL" if fractional else "BINARY"
    if fractional:
        ds.MaximumFractionalValue = 200
        ds.PixelData = (stack * 100 + ~stack * 99).astype(np.uint8).tobytes()  # 0.5 and 0.495
    else:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
        packed = np.packbits(stack.ravel(), bitorder="little").tobytes()
        ds.PixelData = packed + bytes(len(packed) % 2)
    ds.SegmentSequence = []
    for number, (value, meaning) in enumerate(masks, start=1):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, f"mine {number}"
        segment.SegmentedPropertyTypeCodeSequence = code(value, meaning)
        ds.SegmentSequence.append(segment)
    return ds


@pytest.mark.parametrize("fractional", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_segments_lie_where_their_planes_say(fractional, turned, tmp_path):
    lv, rest = drawn(), drawn(4) & ~drawn()
    ds = by_hand({LV: lv, MYO: rest}, fractional=fractional, turned=turned)
    path = save(tmp_path / "a.dcm", ds)
    seg = read_labels(path, image())
    assert np.array_equal(seg.labels[0], lv * Structure.LV_CAVITY + rest * Structure.LV_MYOCARDIUM)
    assert seg.structures == (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    assert [one.voxels for one in read_seg(path).segments.values()] == [lv.sum(), rest.sum()]


def test_segmentation_by_highdicom_of_a_series_is_measured_on_its_study(tmp_path):
    import highdicom as hd
    from pydicom.sr.codedict import codes

    picture = image()
    files = write_cine(tmp_path / "a", picture)
    sources = [pydicom.dcmread(file) for file in files]
    for ds in sources:
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20200101", "120000", "", ""
    mask = drawn()
    segments = [
        hd.seg.SegmentDescription(
            segment_number=1,
            segment_label="left",
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=hd.sr.CodedConcept(LV[0], "SCT", LV[1]),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
    ]
    seg = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=mask.astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=hd.UID(),
        series_number=9,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=True,
    )
    seg.save_as(tmp_path / "seg.dcm")
    study = read_study(tmp_path / "a")
    (found,) = study_masks(study, tmp_path / "seg.dcm", "acdc").values()
    assert np.array_equal(found.labels[0], mask * np.uint8(Structure.LV_CAVITY))


def cine_seg(frames: int, **groups: object) -> Dataset:
    """The same LV in every frame, told apart by what is in `groups` of each frame."""
    ds = by_hand({LV: drawn()})
    single = list(ds.PerFrameFunctionalGroupsSequence)
    bits = np.unpackbits(
        np.frombuffer(ds.PixelData, np.uint8), bitorder="little", count=len(single) * 14 * 19
    )
    bits = np.tile(bits, frames)
    everything = []
    for t in range(frames):
        for group in single:
            mine = copy.deepcopy(group)
            for keyword, make in groups.items():
                setattr(mine, keyword, make(t, mine))
            everything.append(mine)
    ds.PerFrameFunctionalGroupsSequence = everything
    ds.NumberOfFrames = len(everything)
    packed = np.packbits(bits, bitorder="little").tobytes()
    ds.PixelData = packed + bytes(len(packed) % 2)
    return ds


def _sync(t: int, _: Dataset) -> list[Dataset]:
    item = Dataset()
    item.NominalCardiacTriggerDelayTime = 40.0 * t + 3
    return [item]


def test_frames_of_a_cine_are_found_by_their_time(tmp_path):
    path = save(tmp_path / "a.dcm", cine_seg(3, CardiacSynchronizationSequence=_sync))
    seg = read_labels(path, image(3))
    assert np.array_equal(seg.labels, np.stack([drawn() * np.uint8(1)] * 3))


def test_frames_of_a_cine_are_found_by_the_images_they_were_drawn_on(tmp_path):
    picture = image(3)
    files = write_cine(tmp_path / "a", picture)
    instances = {}
    for file in files:
        ds = pydicom.dcmread(file)
        position = np.array(ds.ImagePositionPatient, float)
        z = round(float(np.linalg.norm(position - foreign.ORIGIN_LPS) / foreign.SPACING[0]))
        instances[round(float(ds.TriggerTime) / 40), z] = ds.SOPInstanceUID

    def derived(t: int, group: Dataset) -> list[Dataset]:
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        z = round(float(np.linalg.norm(position - foreign.ORIGIN_LPS) / foreign.SPACING[0]))
        derivation, source = Dataset(), Dataset()
        source.ReferencedSOPInstanceUID = instances[t, z]
        derivation.SourceImageSequence = [source]
        return [derivation]

    path = save(tmp_path / "seg.dcm", cine_seg(3, DerivationImageSequence=derived))
    study = read_study(tmp_path / "a")
    (seg,) = study_masks(study, path, "acdc").values()
    assert np.array_equal(seg.labels, np.stack([drawn() * np.uint8(1)] * 3))


def test_cine_without_times_is_refused(tmp_path):
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn()}))
    with pytest.raises(GeometryError, match="does not say which of the image's 3 frames"):
        read_labels(path, image(3))


def loop_seg(masks: NDArray, numbers: tuple[int, ...]) -> tuple[Dataset, Image]:
    """Planes without a place, drawn on these frames of a loop of four; and the loop."""
    ds = by_hand({LV: masks})
    for group, number in zip(ds.PerFrameFunctionalGroupsSequence, numbers, strict=True):
        del group.PlanePositionSequence
        derivation, source = Dataset(), Dataset()
        source.ReferencedSOPInstanceUID, source.ReferencedFrameNumber = "1.2.3", number
        derivation.SourceImageSequence = [source]
        group.DerivationImageSequence = [derivation]
    loop = np.random.default_rng(1).integers(0, 255, (4, 1, *foreign.SHAPE[1:])).astype(np.uint8)
    return ds, Image(loop, Geometry.from_pixels((1, *foreign.SHAPE[1:])))


def test_planes_without_a_place_go_by_the_frame_that_they_were_drawn_on(tmp_path):
    """An echo loop: one file of many frames, which a reference counts from 1."""
    masks = drawn()[1:3]
    ds, loop = loop_seg(masks, (1, 3))
    seg = read_labels(save(tmp_path / "a.dcm", ds), loop)
    assert seg.covered == (0, 2)
    assert np.array_equal(seg.labels[[0, 2], 0], masks * np.uint8(Structure.LV_CAVITY))


@pytest.mark.parametrize("number", [5, -1, -9])
def test_frame_that_the_loop_does_not_have_is_refused(number, tmp_path):
    ds, loop = loop_seg(drawn()[1:3], (1, number))
    with pytest.raises(GeometryError, match="does not say which of the image's 4 frames"):
        read_labels(save(tmp_path / "a.dcm", ds), loop)


def test_temporal_positions_count_from_1(tmp_path):
    def placed(t: int, _: Dataset) -> list[Dataset]:
        item = Dataset()
        item.TemporalPositionIndex = t + 1
        return [item]

    path = save(tmp_path / "a.dcm", cine_seg(2, FrameContentSequence=placed))
    untimed = Image(image(3).voxels, image(3).geometry)
    seg = read_labels(path, untimed)
    assert seg.covered == (0, 1)
    one_less = Image(image(3).voxels[:1].repeat(2, 0)[:2], image(3).geometry)
    assert read_labels(path, one_less).covered is None


def test_plane_before_the_first_slice_is_refused(tmp_path):
    ds = by_hand({LV: drawn()})
    before = foreign.affine_lps() @ [-1, 0, 0, 1]
    place = [float(f"{value:.10g}") for value in before[:3]]
    ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = place
    with pytest.raises(GeometryError, match="outside of the image's voxels"):
        read_labels(save(tmp_path / "a.dcm", ds), image())


def test_frames_of_a_cine_that_nobody_drew_are_not_covered(tmp_path):
    def late(t: int, group: Dataset) -> list[Dataset]:
        return _sync(2 * t, group)  # the first and the third of four

    path = save(tmp_path / "a.dcm", cine_seg(2, CardiacSynchronizationSequence=late))
    seg = read_labels(path, image(4))
    assert seg.covered == (0, 2)
    assert [seg.covers(t) for t in range(4)] == [True, False, True, False]
    assert np.array_equal(seg.labels[[0, 2]], np.stack([drawn() * np.uint8(1)] * 2))
    assert not seg.labels[[1, 3]].any()
    assert seg.part([2, 3]).covered == (0,)
    assert read_labels(path, image(4)).part([1]).covered == ()
    whole = save(tmp_path / "b.dcm", cine_seg(3, CardiacSynchronizationSequence=_sync))
    assert read_labels(whole, image(3)).covered is None


def test_segments_at_ed_and_es_of_a_cine_are_measured_and_agree_there_only(tmp_path):
    def late(t: int, group: Dataset) -> list[Dataset]:
        return _sync(2 * t, group)

    write_cine(tmp_path / "a", image(4))
    path = save(tmp_path / "seg.dcm", cine_seg(2, CardiacSynchronizationSequence=late))
    study = read_study(tmp_path / "a")
    masks, strategy, _ = given(study, GivenLabels(path, "acdc"))
    (seg,) = masks.values()
    assert "drawn in frames 1, 3 of 4 only" in strategy["segmentation"]
    whole = Segmentation(
        np.stack([drawn() * np.uint8(1)] * 4), seg.geometry, seg.structures, seg.times_ms
    )
    rows = agreement_table(seg, whole)
    assert [(row.frame, row.dice) for row in rows] == [(0, 1.0), (2, 1.0)]
    assert [row.frame for row in agreement_table(whole, seg)] == [0, 2]
    with pytest.raises(GeometryError, match="none drawn in both"):
        agreement_table(seg, whole, phases=Phases(ed=1, es=3, how="given"))


def test_time_between_two_frames_of_a_cine_is_the_nearer_and_beyond_them_is_none(tmp_path):
    path = save(tmp_path / "a.dcm", cine_seg(3, CardiacSynchronizationSequence=_sync))
    slow = Image(image(3).voxels, image(3).geometry, (0.0, 400.0, 800.0))  # not 3, 43 and 83 ms
    with pytest.raises(GeometryError, match=r"two planes of segment 1 .* frame 1 of 3"):
        read_labels(path, slow)
    beside = Image(image(3).voxels, image(3).geometry, (-30.0, 10.0, 50.0))  # 83 is none of them
    with pytest.raises(GeometryError, match="does not say which"):
        read_labels(path, beside)
    other = Image(image(3).voxels, image(3).geometry, (300.0, 340.0, 380.0))
    with pytest.raises(GeometryError, match="does not say which"):
        read_labels(path, other)


def test_segments_that_are_no_heart_structure_are_named(tmp_path):
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn(), LIVER: drawn(4) & ~drawn()}))
    with pytest.raises(LabelError, match=r"segment 2 'mine 2' \(SCT 10200004 Liver\).*LV cavity"):
        read_labels(path, image())


def test_overlapping_structures_are_refused_with_their_count(tmp_path):
    both = int((drawn() & drawn(4)).sum())
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn(), MYO: drawn(4)}))
    with pytest.raises(LabelError, match="LV myocardium and LV cavity in the same"):
        read_labels(path, image())
    assert both > 10


def test_another_grid_is_refused(tmp_path):
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn()}))
    affine = foreign.affine_lps()
    affine[:3, 3] += affine[:3, 2] * 0.4  # by 0.4 pixels
    moved = Image(image().voxels, Geometry(foreign.SHAPE, affine))
    with pytest.raises(GeometryError, match="outside of the image's voxels.*resample"):
        read_labels(path, moved)
    smaller = Image(image().voxels[:, :3], Geometry((3, 14, 19), foreign.affine_lps()))
    with pytest.raises(GeometryError, match="outside of the image's voxels"):
        read_labels(path, smaller)


def test_old_identifiers_and_regions_are_understood(tmp_path):
    ds = by_hand(
        {("T-32600", "Left ventricle"): drawn(), ("85756007", "Tissue"): drawn(4) & ~drawn()}
    )
    ds.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator = "SRT"
    ds.SegmentSequence[1].AnatomicRegionSequence = code("53085002", "Right ventricle")
    seg = read_labels(save(tmp_path / "a.dcm", ds), image())
    assert seg.structures == (Structure.LV_CAVITY, Structure.RV_CAVITY)


@pytest.mark.parametrize("change", [-2, 40])
def test_pixels_that_are_not_of_the_stated_size_are_refused(change, tmp_path):
    ds = by_hand({LV: drawn()})
    ds.PixelData = ds.PixelData[:change] if change < 0 else ds.PixelData + bytes(change)
    with pytest.raises(FormatError, match="bytes for 798 voxels of 1 bits"):
        read_seg(save(tmp_path / "a.dcm", ds))


def test_size_is_checked_before_memory_is_taken_and_tiles_are_refused(tmp_path):
    ds = by_hand({LV: drawn()})
    ds.Rows = ds.Columns = 60000
    ds.NumberOfFrames = 100
    with pytest.raises(FormatError, match="claims 100 x 60000 x 60000"):
        read_seg(save(tmp_path / "a.dcm", ds))
    ds = by_hand({LV: drawn()})
    ds.TotalPixelMatrixRows = 100
    with pytest.raises(FormatError, match="tiled"):
        read_seg(save(tmp_path / "b.dcm", ds))


def test_frame_of_a_segment_without_description_is_refused(tmp_path):
    ds = by_hand({LV: drawn()})
    group = ds.PerFrameFunctionalGroupsSequence[1]
    group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 7
    with pytest.raises(FormatError, match=r"segments \[7\], which are not described"):
        read_seg(save(tmp_path / "a.dcm", ds))


def test_segmentation_named_as_an_image_says_where_it_belongs(tmp_path):
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn()}))
    assert is_seg(path)
    with pytest.raises(FormatError, match="a DICOM segmentation and no image.*--labels-from"):
        read_study(path)


def test_inspect_lists_the_segments(tmp_path):
    path = save(tmp_path / "a.dcm", by_hand({LV: drawn(), LIVER: drawn(4)}, fractional=True))
    (seen,) = inspect(path)
    assert seen.layout == "dicom-seg"
    lines = list(seen.notes)
    assert lines[0] == "fractional segments in 6 planes, counted from 0.5 on"
    assert lines[1] == (
        f"segment 1 'mine 1' (SCT 87878005 left ventricle): {drawn().sum()} voxels, LV cavity"
    )
    assert "no heart structure" in lines[2]


# Real ones


REAL = {
    "liver.dcm": "Liver",
    "liver_1frame.dcm": "Liver",
    "seg_image_ct_binary.dcm": "Bone",
    "seg_image_ct_binary_fractional.dcm": "Bone",
    "seg_image_ct_binary_overlap.dcm": "Bone",
    "seg_image_ct_binary_single_frame.dcm": "Bone",
    "seg_image_ct_true_fractional.dcm": "Bone",
}


@pytest.mark.parametrize("name", REAL)
def test_real_segmentations_are_listed_as_pydicom_counts_them(name, real_data):
    path: Path = real_data / "dicom" / name
    ds = pydicom.dcmread(path)
    pixels = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
    groups = ds.PerFrameFunctionalGroupsSequence[: len(pixels)]
    numbers = [g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in groups]
    seg = read_seg(path)
    assert seg.segments[1].code is not None
    assert seg.segments[1].code.meaning == REAL[name]
    for number, segment in seg.segments.items():
        mine = pixels[np.array(numbers) == number]
        cut = ds.MaximumFractionalValue / 2 if ds.SegmentationType == "FRACTIONAL" else 0.5
        assert segment.voxels == (mine >= cut).sum()
    with pytest.raises(LabelError, match=REAL[name]):
        read_labels(path, image())


def test_view_of_a_study_with_a_segmentation_beside_it_is_unharmed(tmp_path):
    write_cine(tmp_path / "a", image())
    save(tmp_path / "a" / "seg.dcm", by_hand({LV: drawn()}))
    study = read_study(tmp_path / "a")
    assert study.images[View.SAX].voxels.shape == (1, *foreign.SHAPE)
    assert "SEG objects are not images and are left out" in study.notes
