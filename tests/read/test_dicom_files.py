"""Every real DICOM file at hand, as what it is; pixels against pydicom's own."""

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import apply_color_lut

from heartseg.core.errors import FormatError
from heartseg.core.study import Modality, View
from heartseg.read import find_studies, read_study
from heartseg.read.inspect import inspect

US, MR, CT = Modality.US, Modality.MR, Modality.CT

IMAGES = {
    # modality, view, (t, z, y, x), spacing (y, x), unit, last time in ms
    "JPGLosslessP14SV1_1s_1f_8b.dcm": (US, View.UNKNOWN, (1, 1, 768, 1024), 0.25477, "mm", None),
    "OBXXXX1A_rle_2frame.dcm": (US, View.UNKNOWN, (2, 1, 600, 800), 0.26229, "mm", None),
    "eCT_Supplemental.dcm": (CT, View.VOLUME, (1, 2, 512, 512), 0.38867, "mm", None),
    "emri_small.dcm": (MR, View.OTHER, (10, 1, 64, 64), 1.0, "px", None),
    "examples_jpeg2k.dcm": (US, View.UNKNOWN, (1, 1, 480, 640), 1.0, "px", None),
    "examples_palette.dcm": (US, View.UNKNOWN, (1, 1, 350, 800), 0.26229, "mm", None),
    "examples_rgb_color.dcm": (US, View.UNKNOWN, (1, 1, 240, 320), 1.0, "px", None),
    "examples_ybr_color.dcm": (US, View.UNKNOWN, (30, 1, 240, 320), 0.51050, "mm", 966.657),
}


@pytest.mark.parametrize("name", IMAGES)
def test_real_image_is_read_as_what_it_is(name, real_data):
    modality, view, shape, spacing, unit, last = IMAGES[name]
    study = read_study(real_data / "dicom" / name)
    assert study.modality == modality
    assert list(study.images) == [view]
    image = study.images[view]
    assert image.voxels.shape == shape
    assert image.geometry.spacing[1:] == pytest.approx((spacing, spacing), abs=1e-4)
    assert image.geometry.unit == unit
    assert (image.times_ms[-1] if image.times_ms else None) == (last and pytest.approx(last))
    assert (unit == "px") == any("lengths are in pixels" in note for note in study.notes)
    (seen,) = inspect(real_data / "dicom" / name)
    assert seen.problem is None


def as_pydicom_shows(path) -> np.ndarray:
    """(frames, rows, columns): grey values, or the brightness of the colours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path)
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            colours = apply_color_lut(ds.pixel_array, ds).astype(float) * 255 / 65535
        else:
            colours = pixel_array(ds)
        if ds.SamplesPerPixel == 3 or ds.PhotometricInterpretation == "PALETTE COLOR":
            colours = np.rint(colours @ [0.299, 0.587, 0.114])
        frames = colours.reshape(-1, ds.Rows, ds.Columns)
        if (
            ds.Modality == "CT"
        ):  # two planes, stored from foot to head; their normal points to the feet
            scale = ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0]
            frames = frames[::-1] * float(scale.RescaleSlope) + float(scale.RescaleIntercept)
        return frames


@pytest.mark.parametrize("name", IMAGES)
def test_real_pixels_are_those_that_pydicom_decodes(name, real_data):
    (image,) = read_study(real_data / "dicom" / name).images.values()
    expected = as_pydicom_shows(real_data / "dicom" / name)
    assert np.array_equal(image.voxels.reshape(expected.shape), expected)


def test_every_real_file_is_an_image_or_a_segmentation(real_data):
    for path in sorted((real_data / "dicom").iterdir()):
        (seen,) = inspect(path)
        if path.name in IMAGES:
            continue
        assert seen.layout == "dicom-seg", path.name
        assert "planes" in seen.notes[0]
        with pytest.raises(FormatError, match="a DICOM segmentation and no image"):
            find_studies(path)


def test_folder_of_them_all_is_their_studies(real_data):
    found = find_studies(real_data / "dicom")
    assert len(found) == 6  # two of them hold two of the files
    notes = found[0].load().notes
    assert "SEG objects are not images and are left out" in notes


def test_reduced_picture_is_not_believed_without_a_word(real_data):
    notes = read_study(real_data / "dicom" / "examples_ybr_color.dcm").notes
    assert any("reaches to column 595, row 414 of a picture of 320 x 240" in note for note in notes)
