"""Whole studies, in memory and as files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.study import Modality, View
from heartseg.formats.nifti import read_image, read_labels
from heartseg.phantom import (
    Acquisition,
    Attenuation,
    CtScanner,
    make_ct_study,
    make_study,
    write,
    write_study,
)
from heartseg.read import find_studies

TINY = Acquisition(
    slices=5, frames=6, matrix=(84, 96), spacing_mm=(2.5, 2.25), slice_distance_mm=16.0, seed=4
)


@pytest.fixture(scope="module")
def made():
    return make_study(21, acquisition=TINY)


def test_a_seed_is_a_study(made):
    again = make_study(21, acquisition=TINY)
    np.testing.assert_array_equal(again[0].images[View.SAX].voxels, made[0].images[View.SAX].voxels)
    np.testing.assert_array_equal(again[1].labels, made[1].labels)
    assert again[2] == made[2]
    other = make_study(22, acquisition=TINY)
    assert other[2] != made[2]


@pytest.fixture(scope="module")
def ct():
    return make_ct_study(21, acquisition=TINY)


def test_the_ct_of_a_seed_is_the_scene_of_its_cine(made, ct):
    assert (made[0].modality, ct[0].modality) == (Modality.MR, Modality.CT)
    assert ct[0].id == made[0].id
    assert ct[0].body == made[0].body
    np.testing.assert_array_equal(ct[1].labels, made[1].labels)
    assert ct[2] == made[2]
    cine, dense = made[0].images[View.SAX], ct[0].images[View.SAX]
    assert dense.geometry.same_grid(cine.geometry)
    assert dense.times_ms == cine.times_ms
    blood = (made[1].labels == Structure.LV_CAVITY) | (made[1].labels == Structure.RV_CAVITY)
    # Whether there is blood, a voxel says in both; moved by two voxels, it would not.
    there = dense.voxels > 150
    agree = [(np.roll(there, way, axis=3) & blood).sum() for way in (-2, 0, 2)]
    assert agree[1] > 0.9 * blood.sum()
    assert agree[1] > max(agree[0], agree[2])
    again = make_ct_study(21, acquisition=TINY)
    np.testing.assert_array_equal(again[0].images[View.SAX].voxels, dense.voxels)


def test_every_seed_has_a_bolus_of_its_own():
    still = replace(TINY, frames=1)
    found = []
    for seed in (20, 21):
        study, drawn, _ = make_ct_study(seed, acquisition=still, scanner=CtScanner.clean())
        cavity = drawn.labels == Structure.LV_CAVITY
        found.append(np.median(study.images[View.SAX].voxels[cavity]))
        bolus = Attenuation.random(np.random.default_rng([seed, 5]))
        assert found[-1] == pytest.approx(bolus.lv_blood, abs=20.0)  # the border takes some
    assert abs(found[0] - found[1]) > 50


def test_image_labels_and_truth_belong_together(made):
    study, seg, exact = made
    image = study.images[View.SAX]
    assert image.geometry.same_grid(seg.geometry)
    assert image.times_ms == seg.times_ms
    assert len(exact.lv_ml) == len(exact.rv_ml) == image.frames == seg.frames
    counted = [np.count_nonzero(frame == Structure.LV_CAVITY) for frame in seg.labels]
    assert np.argmin(counted) == exact.es
    assert np.corrcoef(counted, exact.lv_ml)[0, 1] > 0.98
    assert study.body.heart_rate_bpm == pytest.approx(60_000.0 / TINY.rr_ms)


def test_summed_discs_come_near_the_truth_at_clinical_spacing():
    thick = replace(Acquisition.clean(frames=1), slice_distance_mm=8.0, slices=16)
    _, seg, exact = make_study(3, acquisition=thick)
    summed = np.count_nonzero(seg.labels == Structure.LV_CAVITY) * seg.geometry.voxel_ml
    assert summed == pytest.approx(exact.lv_edv_ml, rel=0.10)


def test_random_studies_do_not_all_start_at_ed_nor_end_at_one_frame():
    from heartseg.phantom import draw_heart, truth

    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        heart = draw_heart(rng)
        scan = Acquisition.random(rng, heart)
        exact = truth(heart, scan.phases.tolist())
        found.append((exact.ed, exact.es))
    assert len({ed for ed, _ in found}) > 1
    assert len({es for _, es in found}) > 2


def test_a_random_stack_holds_the_whole_heart_and_shows_atria():
    from heartseg.phantom import draw_heart

    for seed in range(30):
        rng = np.random.default_rng(seed)
        heart = draw_heart(rng)
        scan = Acquisition.random(rng, heart)
        geometry = scan.geometry(heart)
        axis, half = heart.directions[:, 2], 0.5 * heart.length_mm
        centre = [(n - 1) / 2 for n in geometry.shape]
        lowest = axis @ geometry.point([-0.5, *centre[1:]]) + half
        highest = axis @ geometry.point([scan.slices - 1, *centre[1:]]) + half
        assert lowest < 0.0
        assert highest > heart.length_mm


def test_written_nifti_reads_back(made, tmp_path):
    folder = write_study(tmp_path, made)
    study, seg, exact = made
    image = read_image(folder / "phantom-0021_sax.nii.gz")
    np.testing.assert_array_equal(image.voxels, study.images[View.SAX].voxels)
    assert image.geometry.same_grid(seg.geometry)
    found = read_labels(folder / "phantom-0021_sax_gt.nii.gz", SCHEMES["acdc"])
    np.testing.assert_array_equal(found.labels, seg.labels)
    told = json.loads((folder / "truth.json").read_text())
    assert told["lv_ef"] == pytest.approx(exact.lv_ef)
    assert told["lv_ml"] == pytest.approx(exact.lv_ml)
    assert told["scheme"] == "acdc"


def test_labels_are_not_taken_for_another_study(made, tmp_path):
    folder = write_study(tmp_path, made)
    assert [c.id for c in find_studies(folder)] == ["phantom-0021_sax"]


def test_written_dicom_reads_back(made, tmp_path):
    folder = write_study(tmp_path, made, file_format="dicom")
    (candidate,) = find_studies(folder)
    study = candidate.load()
    assert study.body.height_cm == pytest.approx(made[0].body.height_cm)
    assert study.body.heart_rate_bpm == pytest.approx(made[0].body.heart_rate_bpm, abs=1)
    image = study.images[View.SAX]
    ours = made[0].images[View.SAX]
    np.testing.assert_array_equal(image.voxels, ours.voxels)
    assert image.geometry.same_grid(ours.geometry)
    np.testing.assert_allclose(image.times_ms, ours.times_ms, atol=0.1)


def test_written_ct_reads_back_as_ct(ct, tmp_path):
    folder = write_study(tmp_path, ct)
    assert {one.name for one in folder.iterdir()} == {
        "phantom-0021_sax_ct.nii.gz",
        "phantom-0021_sax_ct_gt.nii.gz",
        "truth.json",
    }
    (candidate,) = find_studies(folder)
    study = candidate.load()
    assert study.modality is Modality.CT
    np.testing.assert_array_equal(study.images[View.SAX].voxels, ct[0].images[View.SAX].voxels)


def test_written_ct_series_reads_back_in_whole_hounsfield_units(ct, tmp_path):
    folder = write_study(tmp_path, ct, file_format="dicom")
    (candidate,) = find_studies(folder)
    study = candidate.load()
    assert study.modality is Modality.CT
    image, ours = study.images[View.SAX], ct[0].images[View.SAX]
    np.testing.assert_array_equal(image.voxels, np.rint(ours.voxels))
    assert image.voxels.min() < -990
    assert image.geometry.same_grid(ours.geometry)


def test_each_study_has_a_folder_and_none_is_overwritten(made, tmp_path):
    write_study(tmp_path, made)
    with pytest.raises(OutputError, match="new folder"):
        write_study(tmp_path, made)


def test_what_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"kind 'echo'.*cine-mr, ct"):
        write(tmp_path, kind="echo")
    with pytest.raises(ConfigError, match="at least 1"):
        write(tmp_path, count=0)
    with pytest.raises(ConfigError, match=r"'mha'.*nifti, dicom"):
        write(tmp_path, file_format="mha")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        write(tmp_path / "file")


def test_write_makes_one_folder_a_seed(tmp_path, monkeypatch):
    from heartseg.phantom import study

    small = {"cine-mr": lambda seed: make_study(seed, acquisition=TINY)}
    monkeypatch.setattr(study, "PHANTOMS", small)
    folders = write(tmp_path, count=2, seed=40)
    assert [folder.name for folder in folders] == ["phantom-0040", "phantom-0041"]
    edvs = {json.loads((f / "truth.json").read_text())["lv_edv_ml"] for f in folders}
    assert len(edvs) == 2


def test_written_studies_say_what_their_labels_mean_and_can_be_trained_on(tmp_path, monkeypatch):
    from heartseg.phantom import study

    small = {"cine-mr": lambda seed: make_study(seed, acquisition=TINY)}
    monkeypatch.setattr(study, "PHANTOMS", small)
    write(tmp_path, count=1, seed=40)
    (candidate,) = find_studies(tmp_path)
    truth = candidate.reference()[View.SAX]
    made = make_study(40, acquisition=TINY)[1]
    np.testing.assert_array_equal(truth.labels, made.labels)
    assert candidate.patient == "phantom-0040"
    (tmp_path / "labels.toml").write_text("mine")
    write(tmp_path, count=1, seed=41)
    assert (tmp_path / "labels.toml").read_text() == "mine"


def test_written_ct_can_be_trained_on_as_ct_of_its_patient(tmp_path, monkeypatch):
    from heartseg.phantom import study

    small = {"ct": lambda seed: make_ct_study(seed, acquisition=TINY)}
    monkeypatch.setattr(study, "PHANTOMS", small)
    write(tmp_path, count=1, seed=40, kind="ct")
    (candidate,) = find_studies(tmp_path)
    assert candidate.patient == "phantom-0040"
    loaded = candidate.load()
    assert (loaded.modality, list(loaded.images)) == (Modality.CT, [View.SAX])
    truth = candidate.reference()[View.SAX]
    made = make_ct_study(40, acquisition=TINY)[1]
    np.testing.assert_array_equal(truth.labels, made.labels)
