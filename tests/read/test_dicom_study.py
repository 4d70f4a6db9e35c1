import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Body, View
from heartseg.formats import nifti
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.read import find_studies, read_study
from heartseg.read.dicom_study import body_of_header, study_id
from tests import foreign


def cine(slices: slice = slice(None), seed: int = 1) -> Image:
    values = np.random.default_rng(seed).integers(0, 900, (4, *foreign.SHAPE)).astype(np.int16)
    geometry = Geometry(foreign.SHAPE, foreign.affine_lps())
    first = range(foreign.SHAPE[0])[slices][0]
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.point((first, 0, 0))
    part = values[:, slices]
    return Image(part, Geometry(part.shape[1:], affine), (0.0, 50.0, 100.0, 150.0))


def test_study_is_named_by_modality_and_a_keyed_hash():
    assert study_id("MR", "1.2.3") == "MR-0b02571b"
    assert study_id("MR", "1.2.4") != study_id("MR", "1.2.3")


def test_zip_is_the_same_study_as_its_folder(tmp_path):
    write_cine(tmp_path / "a", cine())
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (tmp_path / "a").iterdir():
            archive.write(file, f"deep/er/{file.stem}")
    folder, packed = read_study(tmp_path / "a"), read_study(tmp_path / "a.zip")
    assert np.array_equal(folder.images[View.SAX].voxels, packed.images[View.SAX].voxels)
    assert folder.id == packed.id
    assert packed.sources[View.SAX][0].path == tmp_path / "a.zip"


def test_one_file_is_read(tmp_path):
    file = write_cine(tmp_path / "a", cine())[0]
    assert read_study(file).images[View.SAX].voxels.shape == (1, 1, *foreign.SHAPE[1:])


def _save_slices(folder: Path, tags: CineTags) -> None:
    """Each slice as a series of its own, in one study, as some scanners do."""
    import pydicom

    for z in range(foreign.SHAPE[0]):
        sub = folder / f"s{z}"
        for file in write_cine(sub, cine(slice(z, z + 1)), tags):
            ds = pydicom.dcmread(file)
            ds.StudyInstanceUID, ds.SeriesNumber = "1.2.3", str(10 + z)
            ds.save_as(file)


def test_series_of_one_slice_each_make_one_stack(tmp_path):
    _save_slices(tmp_path / "a", CineTags())
    study = read_study(tmp_path / "a")
    image = study.images[View.SAX]
    assert np.array_equal(image.voxels, cine().voxels)
    assert image.geometry.same_grid(cine().geometry)
    assert study.sources[View.SAX][0].stem == "10"
    assert "5 series of one slice each make one stack" in study.notes


def test_slice_that_was_acquired_again_replaces_the_first_and_is_said(tmp_path):
    import pydicom

    _save_slices(tmp_path / "a", CineTags())
    again = cine(slice(2, 3), seed=5)
    for file in write_cine(tmp_path / "a" / "again", again):
        ds = pydicom.dcmread(file)
        ds.StudyInstanceUID, ds.SeriesNumber = "1.2.3", "33"
        ds.save_as(file)
    study = read_study(tmp_path / "a")
    expected = cine().voxels.copy()
    expected[:, 2] = again.voxels[:, 0]
    assert np.array_equal(study.images[View.SAX].voxels, expected)
    assert "series 12 was acquired again: the later one is used" in study.notes


def test_smaller_series_of_the_same_view_is_left_out_and_said(tmp_path):
    import pydicom

    write_cine(tmp_path / "a", cine())
    for file in write_cine(tmp_path / "a" / "b", cine(slice(0, 2)), CineTags(series_number=9)):
        ds = pydicom.dcmread(file)
        ds.StudyInstanceUID = pydicom.dcmread(tmp_path / "a" / "IM0001.dcm").StudyInstanceUID
        ds.save_as(file)
    study = read_study(tmp_path / "a")
    assert study.images[View.SAX].voxels.shape[1] == 5
    said = "series 1 chosen over series 9 (sax, 8 images): "
    assert any(note.startswith(said) for note in study.notes)


def test_two_studies_in_a_folder_are_two(tmp_path):
    write_cine(tmp_path / "a" / "one", cine())
    write_cine(tmp_path / "a" / "two", cine(seed=2))
    found = find_studies(tmp_path / "a")
    assert len({candidate.id for candidate in found}) == 2
    with pytest.raises(StudyError, match="2 studies.*one.*name one of them"):
        read_study(tmp_path / "a")


def test_missing_slice_is_said(tmp_path):
    files = write_cine(tmp_path / "a", cine())
    for file in files[8:12]:
        file.unlink()
    with pytest.raises(GeometryError, match="slice may be missing"):
        read_study(tmp_path / "a")


def test_one_truncated_file_is_left_out_and_said_and_the_rest_is_read(tmp_path):
    file = write_cine(tmp_path / "a", cine())[7]  # the last of the second from the apex
    file.write_bytes(file.read_bytes()[:-50])
    study = read_study(tmp_path / "a")
    expected = cine().voxels.copy()
    expected[3, 1] = expected[2, 1]
    assert np.array_equal(study.images[View.SAX].voxels, expected)
    assert any("IM0008.dcm: got a truncated file" in note for note in study.notes)
    assert any("slice 4 has 3 phases, not 4: the nearest are used" in n for n in study.notes)


def test_damaged_frame_is_left_out_when_it_is_decoded(tmp_path):
    import pydicom

    for number, file in enumerate(write_cine(tmp_path / "a", cine())):
        ds = pydicom.dcmread(file)
        ds.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        if number == 9:  # the second phase of the third slice
            ds.PixelData = ds.PixelData[:60] + bytes(len(ds.PixelData) - 60)
        ds.save_as(file)
    study = read_study(tmp_path / "a")
    expected = cine().voxels.copy()
    expected[1, 2] = expected[0, 2]
    assert np.array_equal(study.images[View.SAX].voxels, expected)
    assert any(
        note.startswith("left out: IM0010.dcm: got pixels that cannot") for note in study.notes
    )


def test_slice_whose_only_file_is_damaged_is_missing_and_not_bridged(tmp_path):
    still = Image(cine().voxels[:1], cine().geometry)
    file = write_cine(tmp_path / "a", still)[2]
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(GeometryError, match=r"slice may be missing.*left out: IM0003\.dcm"):
        read_study(tmp_path / "a")


@pytest.mark.parametrize("number", [0, 2])
def test_stack_that_lost_an_end_says_so_and_one_with_a_hole_names_the_file(number, tmp_path):
    import pydicom

    still = Image(cine().voxels[:1], cine().geometry)
    file = write_cine(tmp_path / "a", still)[number]
    ds = pydicom.dcmread(file)
    ds.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    ds.PixelData = ds.PixelData[:60] + bytes(len(ds.PixelData) - 60)
    ds.save_as(file)
    if number == 2:
        with pytest.raises(GeometryError, match=r"may be missing.*left out: IM0003\.dcm: got pix"):
            read_study(tmp_path / "a")
        return
    study = read_study(tmp_path / "a")
    assert np.array_equal(study.images[View.SAX].voxels, still.voxels[:, 1:])
    assert any("left out: IM0001.dcm" in note for note in study.notes)
    said = "sax has 4 of 5 slices without the damaged files: its volumes may be too low"
    assert said in study.notes
    assert study.doubts == {View.SAX: (said,)}


def test_damaged_dicom_and_zip_beside_good_files_do_not_stop_these(tmp_path):
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    nifti.write_image(tmp_path / "good.nii", Image(values[None], Geometry((3, 4, 5), np.eye(4))))
    for file in write_cine(tmp_path, cine())[:2]:
        file.write_bytes(file.read_bytes()[:-50])
    for file in sorted(tmp_path.glob("*.dcm"))[2:]:
        file.unlink()
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.write(tmp_path / "IM0001.dcm", "IM0001.dcm")
    found = {one.id: one for one in find_studies(tmp_path)}
    assert set(found) == {"bad", "good", tmp_path.name}
    assert found["good"].load().images
    with pytest.raises(FormatError, match=r"IM0001\.dcm: got a truncated.*1 more files like it"):
        found[tmp_path.name].load()
    with pytest.raises(FormatError, match=r"IM0001\.dcm: got a truncated"):
        found["bad"].load()
    (tmp_path / "good.nii").unlink()
    with pytest.raises(FormatError, match=r"IM0001\.dcm: got a truncated"):
        find_studies(tmp_path)


def test_study_of_damaged_files_only_is_refused(tmp_path):
    file = write_cine(tmp_path / "a", cine())[7]
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(FormatError, match=r"IM0008\.dcm: got a truncated file"):
        read_study(file)


def test_size_is_in_metres_and_what_cannot_be_is_noted():
    facts = {"PatientSize": "1.62", "PatientWeight": "58", "PatientSex": "F", "PatientAge": "031Y"}
    body, notes = body_of_header(facts)
    assert body == Body(sex="F", age_years=31, height_cm=162, weight_kg=58)
    assert notes == ()
    body, notes = body_of_header({"PatientSize": "162", "PatientWeight": "0", "PatientSex": "O"})
    assert body == Body()
    assert [note.partition(":")[0] for note in notes] == [
        "sex 'O' is neither F nor M",
        "height 162 m (16200 cm) is outside 30 to 250 cm",
        "weight 0 kg means that it was not asked",
    ]


def test_age_follows_from_legal_dates_only():
    assert (
        body_of_header({"PatientBirthDate": "19600615", "StudyDate": "20200614"})[0].age_years == 59
    )
    assert body_of_header({"PatientBirthDate": "00000000", "StudyDate": "20120000"})[0] == Body()


def test_heart_rate_follows_from_the_interval():
    assert body_of_header({"NominalInterval": "750"})[0].heart_rate_bpm == 80


# The archive as it is


def test_sunnybrook_becomes_one_study_in_order(real_data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = read_study(real_data / "sunnybrook" / "SC-HF-I-1" / "dicom")
    image = study.images[View.SAX]
    assert image.voxels.shape == (20, 12, 256, 256)
    assert image.geometry.spacing == pytest.approx((10, 1.367188, 1.367188), abs=1e-3)
    assert image.times_ms is not None
    assert np.all(np.diff(image.times_ms) > 30)
    assert (study.id[:3], len(study.id)) == ("MR-", 11)
    assert study.sources[View.SAX][0].stem == "300"
    assert study.body.heart_rate_bpm == 79  # median of 75 to 82 over the slices
    assert "series 300, 12 slices x 20 phases" in study.reasons[View.SAX]


def test_sunnybrook_planes_are_where_their_files_say(real_data):
    import pydicom

    folder = real_data / "sunnybrook" / "SC-HF-I-1" / "dicom"
    image = read_study(folder).images[View.SAX]
    for number in (1, 77, 240):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = pydicom.dcmread(folder / f"{number}.dcm")
            position, pixels = np.array(ds.ImagePositionPatient, float), ds.pixel_array
        z = np.linalg.inv(image.geometry.affine) @ [*position, 1]
        np.testing.assert_allclose(z[:3], np.rint(z[:3]), atol=1e-3)
        t = (number - 1) % 20  # of this archive; read by trigger time
        assert np.array_equal(image.voxels[t, round(z[0])], pixels)


def test_sunnybrook_contours_become_a_reference(real_data):
    (candidate,) = find_studies(real_data / "sunnybrook" / "SC-HF-I-1")
    study = candidate.load()
    assert study.id == "SC-HF-I-1"
    assert (study.phases[View.SAX].ed, study.phases[View.SAX].es) == (18, 7)
    seg = candidate.reference()[View.SAX]
    assert seg.geometry.same_grid(study.images[View.SAX].geometry)
    both = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    assert candidate.covered()[View.SAX] == {7: both[:1], 18: both}
    ml = (seg.labels == Structure.LV_CAVITY).sum((1, 2, 3)) * seg.geometry.voxel_ml
    assert ml[18] == pytest.approx(191.4, abs=2)
    assert ml[7] == pytest.approx(141.1, abs=2)
    mass_g = (seg.labels[18] == Structure.LV_MYOCARDIUM).sum() * seg.geometry.voxel_ml * 1.05
    assert 90 < mass_g < 180


def test_unequal_phases_of_a_real_study_are_aligned(real_data):
    study = read_study(real_data / "rvsc_p09" / "P09dicom")
    assert study.images[View.SAX].voxels.shape == (20, 3, 256, 216)
    assert study.images[View.SAX].times_ms[:2] == (0, 48.75)
    aligned = [note for note in study.notes if "the nearest are used" in note]
    assert len(aligned) == 2
    assert all("do not trust its volumes there" in note for note in aligned)
    assert study.doubts[View.SAX] == tuple(aligned)
    assert study.body == Body(sex="M", age_years=60, height_cm=175, weight_kg=62, heart_rate_bpm=65)


def test_every_transfer_syntax_at_hand_is_read_or_refused_clearly(real_data):
    found = find_studies(real_data / "dicom")
    assert len(found) >= 6
    for candidate in found:
        assert candidate.load().images
