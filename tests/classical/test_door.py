"""A traditional method in the place of a model: the same outputs, and it says what it is."""

import json

import numpy as np
import pytest

import heartseg as hs
from heartseg.choice import METHOD_PREFIX
from heartseg.classical import (
    METHODS,
    PREFIX,
    cautious,
    method_named,
    resolved,
    segment_image,
    segment_views,
)
from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.finding import Quality
from heartseg.core.geometry import Orientation
from heartseg.core.image import Image
from heartseg.core.study import Modality, Study, View
from heartseg.formats.nifti import write_image
from heartseg.measure.overlap import dice
from heartseg.pipeline import Settings
from heartseg.read.image_file import read_labels
from tests.cli.door import heartseg


@pytest.fixture(scope="module")
def image(heart, tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "p_sax.nii.gz"
    write_image(path, heart[0])
    return path


def segmented(image, out, *options):
    done = heartseg("segment", image, "-o", out, "--formats", "nifti,json", *options)
    assert done.code == 0, done.err
    (folder,) = [one for one in out.iterdir() if one.is_dir()]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    (mask,) = folder.glob("*_seg.nii.gz")
    return report, read_labels(mask, SCHEMES["acdc"])


def test_segment_writes_masks_and_a_report_that_says_no_network(image, heart, tmp_path):
    report, mask = segmented(image, tmp_path, "--model", "classical:otsu", "--set", "reach=0.9")
    assert dice(mask.labels == Structure.LV_CAVITY, heart[1].labels == Structure.LV_CAVITY) > 0.9
    assert report["model"]["name"] == "classical:otsu"
    assert report["model"]["sha256"] is None
    assert "no network" in report["strategy"]["model for sax"]
    assert "Otsu 1979" in report["strategy"]["model for sax"]
    assert "reach 0.9" in report["strategy"]["settings of the method"]
    assert report["strategy"]["seeds of the method"] == "found by the localiser"
    assert report["quality"]["verdict"] != "pass"
    assert "no network" in report["quality"]["reasons"][0]
    assert report["provenance"]["settings"]["method"] == {"reach": "0.9", "shift": "0.0"}
    by_key = {one["key"]: one["value"] for one in report["findings"]}
    assert by_key.get("lv_mass_g") is None  # the wall was not looked for: absent, not 0
    assert by_key.get("rv_edv_ml") is None


def test_seeds_of_the_user_lead_to_where_they_point(image, heart, tmp_path):
    rv = np.argwhere(heart[1].mask(Structure.RV_CAVITY, 0)[1])
    y, x = rv[len(rv) // 2].tolist()
    seeds = f"seeds=[[1, {y}, {x}]]"
    report, mask = segmented(image, tmp_path, "--model", "classical:otsu", "--set", seeds)
    assert report["strategy"]["seeds of the method"] == "given by the user"
    found = mask.mask(Structure.LV_CAVITY, 0)[1]
    assert found[y, x]  # what the user calls the cavity is taken for it, wherever it is
    assert dice(found, heart[1].mask(Structure.LV_CAVITY, 0)[1]) < 0.3


def test_a_seed_of_an_image_stored_otherwise_means_the_same_voxel(heart):
    lv = np.argwhere(heart[1].mask(Structure.LV_CAVITY, 0)[1])
    y, x = lv.mean(axis=0).round().tolist()
    turn = Orientation((0, 2, 1), (True, False, True))
    place = turn.place((1, y, x), heart[0].geometry.shape)
    turned = Image(turn.apply(heart[0].voxels), heart[0].geometry.oriented(turn))
    one = segment_image(heart[0], method_named("otsu", [f"seeds=[[1, {y}, {x}]]"]), "short-axis")
    seeds = f"seeds=[{list(place)}]"
    other = segment_image(turned, method_named("otsu", [seeds]), "short-axis")
    np.testing.assert_array_equal(turn.undo(other.labels), one.labels)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "classical:otsi"], "allowed: otsu, k-means"),
        (["--model", "classical:otsu", "--set", "reach=99"], "reach: got 99; allowed: 0.2 to 3"),
        (["--model", "classical:otsu", "--set", "rech=1"], "did you mean 'reach'"),
        (["--model", "classical:otsu", "--set", "seeds=[[1,2]]"], "a list of 3"),
        (["--model", "classical:otsu", "--set", "seeds=[]"], "at least one"),
        (["--model", "classical:otsu", "--turns", "4"], "--turns"),
        (["--model", "classical:otsu", "--device", "cuda"], "--device"),
        (["--model", "classical:otsu", "--save-probabilities"], "--save-probabilities"),
        (["--model", "classical:otsu", "--model", "cine-mr"], "one method alone"),
        (["--set", "reach=1"], "add --model classical:NAME"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(image, tmp_path, options, said):
    done = heartseg("segment", image, "-o", tmp_path / "out", *options)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [(["seeds=[[1, 400, 3]]"], "a seed"), (["seeds=[[9, 4, 3]]"], "a voxel of the image")],
)
def test_a_seed_outside_of_the_image_is_refused(study, changes, said):
    with pytest.raises(StudyError, match=said):
        segment_views(study, method_named("otsu", changes))


def test_an_atlas_without_a_folder_and_one_without_labels_say_so(study, image):
    pytest.importorskip("SimpleITK")
    with pytest.raises(ConfigError, match="--set folder=FOLDER"):
        segment_views(study, METHODS["atlas"])
    with pytest.raises(StudyError, match="no labelled studies"):
        segment_views(study, method_named("atlas", [f"folder={image.parent}"]))


def test_of_a_folder_only_the_name_is_told(tmp_path):
    told = resolved(method_named("atlas", [f"folder={tmp_path / 'mine'}"]))
    assert told["folder"] == "mine"


def test_views_that_the_localiser_does_not_know_are_refused(heart):
    other = Study(id="p", modality=Modality.CT, images={View.VOLUME: heart[0]}, sources={})
    with pytest.raises(StudyError, match="short-axis MR and apical echo"):
        segment_views(other, METHODS["otsu"])


def test_python_has_it_by_the_same_name(study):
    masks = hs.segment_study(study, model="classical:k-means")
    assert masks[View.SAX].structures == (Structure.LV_CAVITY,)
    report = hs.measure_study(study, masks)
    assert report.model.name == "classical:k-means"
    assert report.quality.verdict != "pass"


def test_a_method_never_passes_and_never_mends_a_verdict():
    assert cautious(Quality(verdict="pass")).verdict == "review"
    rejected = cautious(Quality(verdict="reject", reasons=("why",)))
    assert (rejected.verdict, rejected.reasons[-1]) == ("reject", "why")


def test_the_list_names_every_method():
    rows = heartseg("methods", "--json").json()
    assert [row["name"] for row in rows] == list(METHODS)
    assert next(row for row in rows if row["name"] == "watershed")["short axis"] == "lv, myo, rv"


def test_settings_of_a_run_stay_without_a_method():
    assert PREFIX == METHOD_PREFIX
    assert Settings().traditional is None
    assert Settings(model="cine-mr").traditional is None
