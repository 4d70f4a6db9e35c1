import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage

from heartseg.core.errors import GeometryError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Body, Modality, View
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.read import read_study
from tests import foreign

TIMES = (0.0, 40.25, 81.5)


def cine(dtype: str = "int16", low: int = -50) -> Image:
    values = np.random.default_rng(1).integers(low, 4000, (3, *foreign.SHAPE)).astype(dtype)
    return Image(values, Geometry(foreign.SHAPE, foreign.affine_lps()), TIMES)


@pytest.mark.parametrize(("dtype", "low"), [("int16", -50), ("uint16", 0), ("float32", 0)])
def test_reading_back_is_exact(dtype, low, tmp_path):
    image = cine(dtype, low)
    body = Body(sex="F", age_years=44, height_cm=171, weight_kg=60.5, heart_rate_bpm=80)
    files = write_cine(tmp_path / "a", image, CineTags(body=body, interval_ms=750))
    assert len(files) == 15
    study = read_study(tmp_path / "a")
    back = study.images[View.SAX]
    assert np.array_equal(back.voxels, image.voxels)
    np.testing.assert_allclose(back.geometry.affine, image.geometry.affine, atol=1e-9)
    assert back.times_ms == pytest.approx(TIMES)
    assert study.body == body


def test_ct_reads_back_as_ct(tmp_path):
    image = cine(low=-1024)
    tags = CineTags(modality=Modality.CT, description="CT SAX")
    first = write_cine(tmp_path / "a", image, tags)[0]
    study = read_study(tmp_path / "a")
    assert study.modality is Modality.CT
    assert np.array_equal(study.images[View.SAX].voxels, image.voxels)
    header = pydicom.dcmread(first)
    assert header.SOPClassUID == header.file_meta.MediaStorageSOPClassUID == CTImageStorage
    assert (header.RescaleSlope, header.RescaleIntercept, header.RescaleType) == (1, 0, "HU")
    assert "RepetitionTime" not in header
    with pytest.raises(OutputError, match="MR, CT"):
        write_cine(tmp_path / "b", image, CineTags(modality=Modality.US))


def test_same_cine_gives_the_same_files(tmp_path):
    first = write_cine(tmp_path / "a", cine())
    second = write_cine(tmp_path / "b", cine())
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_left_handed_grid_keeps_every_voxel_at_its_place(tmp_path):
    image = cine()
    affine = image.geometry.affine.copy()
    affine[:3, 0] *= -1
    image = Image(image.voxels, Geometry(foreign.SHAPE, affine), TIMES)
    write_cine(tmp_path / "a", image)
    back = read_study(tmp_path / "a").images[View.SAX]
    assert np.array_equal(back.voxels[:, ::-1], image.voxels)
    np.testing.assert_allclose(
        back.geometry.point((4, 3, 2)), image.geometry.point((0, 3, 2)), atol=1e-9
    )


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
def test_a_foreign_validator_finds_no_error(tmp_path):
    for file in write_cine(tmp_path / "a", cine())[:2]:
        said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr + said.stdout, said.stderr


def test_what_dicom_cannot_hold_is_refused(tmp_path):
    image = cine("float32", 0)
    with pytest.raises(OutputError, match="whole numbers"):
        write_cine(tmp_path / "a", image.like(image.voxels + 0.5))
    with pytest.raises(OutputError, match="16 bits"):
        write_cine(tmp_path / "a", image.like(image.voxels * 100))
    sheared = foreign.affine_lps()
    sheared[:3, 0] += 2 * sheared[:3, 1]
    with pytest.raises(GeometryError, match="sheared"):
        write_cine(tmp_path / "a", Image(image.voxels, Geometry(foreign.SHAPE, sheared)))
    with pytest.raises(GeometryError, match="spacing"):
        write_cine(tmp_path / "a", Image(image.voxels, Geometry.from_pixels(foreign.SHAPE)))


def test_nothing_is_overwritten(tmp_path):
    write_cine(tmp_path / "a", cine())
    with pytest.raises(OutputError, match="exists"):
        write_cine(tmp_path / "a", cine())
