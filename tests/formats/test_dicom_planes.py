"""Enhanced multi-frame files, in an order that says nothing, and what a stored value means."""

import copy

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, ParametricMapStorage

from heartseg.core.image import Image
from heartseg.core.study import View
from heartseg.read import read_study
from tests import foreign
from tests.formats.dicom_files import data_set, header_of, pixels_of, save

FRAMES = 3


def item(**values: object) -> list[Dataset]:
    found = Dataset()
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return [found]


def values(frames: int = FRAMES) -> NDArray:
    """(t, z, y, x), all different."""
    return np.random.default_rng(2).integers(0, 4000, (frames, *foreign.SHAPE)).astype(np.uint16)


def group(z: int, t: int, *, clock: str = "delay", stack: str = "1") -> Dataset:
    """The functional groups of one frame."""
    found = Dataset()
    start = foreign.affine_lps() @ [z, 0, 0, 1]
    found.PlanePositionSequence = item(ImagePositionPatient=[float(f"{v:.10g}") for v in start[:3]])
    content = item(StackID=stack, InStackPositionNumber=z + 1)
    if clock == "index":
        content[0].TemporalPositionIndex = t + 1
    found.FrameContentSequence = content
    if clock == "delay":
        found.CardiacSynchronizationSequence = item(NominalCardiacTriggerDelayTime=31.5 * t)
    if clock == "percent":
        found.CardiacSynchronizationSequence = item(NominalPercentageOfCardiacPhase=10.0 * t)
    return found


def enhanced(
    voxels: NDArray, *, clock: str = "delay", kind: str = EnhancedMRImageStorage, seed: int = 3
) -> Dataset:
    """(t, z, y, x) in one file, frames shuffled."""
    places = [(t, z) for t in range(voxels.shape[0]) for z in range(voxels.shape[1])]
    places = [places[i] for i in np.random.default_rng(seed).permutation(len(places))]
    ds = data_set(np.stack([voxels[t, z] for t, z in places]))
    ds.SOPClassUID = kind
    ds.Modality = "CT" if kind == EnhancedCTImageStorage else "MR"
    shared = Dataset()
    _, ydir, xdir = foreign.rotation().T
    cosines = [float(f"{v:.12g}") for v in (*xdir, *ydir)]
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=cosines)
    shared.PixelMeasuresSequence = item(PixelSpacing=list(foreign.SPACING[1:]))
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [group(z, t, clock=clock) for t, z in places]
    return ds


def read(tmp_path, ds: Dataset) -> Image:
    (image,) = read_study(save(tmp_path / "a.dcm", ds)).images.values()
    return image


@pytest.mark.parametrize("clock", ["delay", "index", "percent"])
def test_frames_in_any_order_are_sorted_in_space_and_time(clock, tmp_path):
    image = read(tmp_path, enhanced(values(), clock=clock))
    assert np.array_equal(image.voxels, values())
    np.testing.assert_allclose(image.geometry.affine, foreign.affine_lps(), atol=1e-6)
    assert image.times_ms == ((0.0, 31.5, 63.0) if clock == "delay" else None)


def test_three_dimensional_ct_of_shared_geometry_is_a_volume(tmp_path):
    ds = enhanced(values(1), clock="", kind=EnhancedCTImageStorage)
    study = read_study(save(tmp_path / "a.dcm", ds))
    assert list(study.images) == [View.VOLUME]
    assert np.array_equal(study.images[View.VOLUME].voxels, values(1))


def test_one_frame_is_a_plane(tmp_path):
    image = read(tmp_path, enhanced(values(1)[:, 2:3]))
    assert np.array_equal(image.voxels, values(1)[:, 2:3])


def test_scale_of_each_frame_is_its_own(tmp_path):
    ds = enhanced(values())
    for number, one in enumerate(ds.PerFrameFunctionalGroupsSequence):
        one.PixelValueTransformationSequence = item(
            RescaleSlope=str(number + 1), RescaleIntercept=str(-number), RescaleType="US"
        )
    stored = ds.pixel_array
    found = {
        np.sort((frame * np.float32(n + 1) - n).ravel()).tobytes() for n, frame in enumerate(stored)
    }
    image = read(tmp_path, ds)
    planes = image.voxels.reshape(-1, *foreign.SHAPE[1:])
    assert {np.sort(plane.ravel().astype(np.float64)).tobytes() for plane in planes} == {
        np.sort((frame * np.float64(n + 1) - n).ravel()).tobytes() for n, frame in enumerate(stored)
    }
    assert len(found) == len(planes)


def test_stacks_at_one_place_in_one_file_are_told_apart(tmp_path):
    small = enhanced(values()[:, :3])
    both = enhanced(values())
    for one in small.PerFrameFunctionalGroupsSequence:
        one.FrameContentSequence[0].StackID = "2"
    both.PerFrameFunctionalGroupsSequence += copy.deepcopy(
        list(small.PerFrameFunctionalGroupsSequence)
    )
    both.PixelData = both.PixelData + small.PixelData
    both.NumberOfFrames = len(both.PerFrameFunctionalGroupsSequence)
    study = read_study(save(tmp_path / "a.dcm", both))
    (image,) = study.images.values()
    assert np.array_equal(image.voxels, values())
    assert any("chosen over" in note and "9 images" in note for note in study.notes)


def test_phase_images_of_an_enhanced_file_are_not_mixed_with_magnitude(tmp_path):
    ds, phase = enhanced(values()), enhanced(values()[:, :2])
    for one, component in ((ds, "MAGNITUDE"), (phase, "PHASE")):
        for each in one.PerFrameFunctionalGroupsSequence:
            each.MRImageFrameTypeSequence = item(ComplexImageComponent=component)
    ds.PerFrameFunctionalGroupsSequence += list(phase.PerFrameFunctionalGroupsSequence)
    ds.PixelData += phase.PixelData
    ds.NumberOfFrames = len(ds.PerFrameFunctionalGroupsSequence)
    assert np.array_equal(read(tmp_path, ds).voxels, values())


def test_fewer_descriptions_than_frames_are_said(tmp_path):
    ds = enhanced(values(1))
    del ds.PerFrameFunctionalGroupsSequence[-1]
    _, notes = header_of(save(tmp_path / "a.dcm", ds))
    assert notes == ["a.dcm: 5 frames and 4 descriptions: the last have none"]


# Stored values


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_bits_beside_the_value_are_cleared_and_the_sign_is_kept(dtype, tmp_path):
    low = -2048 if dtype == "int16" else 0
    true = (np.arange(2 * 9 * 11).reshape(2, 9, 11) * 17 % 4096 + low).astype(dtype)
    overlaid = (true.view("uint16") & 0x0FFF) | 0xA000
    ds = data_set(overlaid.view(dtype), bits=12)
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), true)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 32), ("float64", 64)])
def test_floating_point_images_are_read(dtype, bits, tmp_path):
    true = np.random.default_rng(1).random((2, 9, 11)).astype(dtype)
    ds = data_set(np.zeros((2, 9, 11), "uint16"))
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(ds, keyword)
    ds.SOPClassUID, ds.BitsAllocated = ParametricMapStorage, bits
    setattr(ds, "FloatPixelData" if bits == 32 else "DoubleFloatPixelData", true.tobytes())
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.array_equal(found, true)
    assert found.dtype == true.dtype


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_inverted_grey_is_turned_within_its_own_range(dtype, tmp_path):
    true = (np.arange(2 * 9 * 11).reshape(2, 9, 11) % 200).astype(dtype)
    bits = 8 if dtype == "uint8" else 12
    ds = data_set(true, bits=bits, kind="MONOCHROME1")
    top = -1 if dtype == "int16" else 2**bits - 1  # lowest + highest value of the type
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), top - true.astype(int))


def test_densities_of_ct_stay_what_they_are_however_they_are_shown(tmp_path):
    true = np.arange(2 * 9 * 11, dtype=np.int16).reshape(2, 9, 11)
    ds = data_set(true, kind="MONOCHROME1")
    ds.Modality = "CT"
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), true)


@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_becomes_the_darkest_pixel(limit, tmp_path):
    true = np.arange(2 * 9 * 11, dtype=np.int16).reshape(2, 9, 11) - 50
    padded = true.copy()
    padded[:, :2] = -2000 if limit is None else [[-2000], [-1990]]
    ds = data_set(padded)
    ds.add_new("PixelPaddingValue", "SS", -2000)
    if limit is not None:
        ds.add_new("PixelPaddingRangeLimit", "SS", limit)
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.array_equal(found[:, 2:], true[:, 2:])
    assert np.all(found[:, :2] == true[:, 2:].min())
