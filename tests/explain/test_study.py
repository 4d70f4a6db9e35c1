"""A study is explained, from its files to maps on its own grid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import heartseg as hs
from heartseg.core.errors import ConfigError, MissingExtraError, ModelError, StudyError
from heartseg.core.study import Study, View
from heartseg.explain.asked import Settings
from heartseg.explain.study import Explanation, explained
from heartseg.explain.target import target_of
from heartseg.explain.wanted import Wanted
from tests import doors
from tests.explain.conftest import WriteModel


@pytest.fixture(scope="module")
def study(patient: Path) -> Study:
    return hs.read_study(patient)


@pytest.fixture(scope="module")
def of_ef(study: Study, model: Path) -> Explanation:
    return hs.explain_study(study, "lv_ef", methods=["saliency", "entropy"], model=str(model))


def test_the_map_of_a_structure_lies_on_the_study_s_own_grid(
    study: Study, model: Path, lv: np.ndarray
) -> None:
    (map_,) = hs.explain_study(study, "lv", methods=["saliency"], model=str(model)).maps
    assert (map_.frames, map_.slices) == ((0, 1), (0, 1, 2, 3))
    assert map_.values.shape == study.images[View.SAX].voxels.shape
    assert map_.values.dtype == np.float32
    assert np.isnan(map_.values[:, 3]).all(), "there is no LV in the last slice"
    # This network sees each pixel alone: only those of the LV can move its odds of LV.
    assert ((np.abs(map_.values[:, :3]) > 1e-6) == lv[:, :3]).all()
    assert map_.unit == "log-odds per unit of grey"


def test_slices_and_frames_that_were_not_asked_about_hold_no_number(
    study: Study, model: Path
) -> None:
    found = hs.explain_study(
        study, "rv", methods=["saliency"], model=str(model), frames="es", slices="2"
    )
    (map_,) = found.maps
    assert map_.frames == (1,)
    assert np.isfinite(map_.values[0, 2]).all()
    assert np.isnan(map_.values[0, [0, 1, 3]]).all()


def test_ef_moves_as_the_map_says(study: Study, write_model: WriteModel) -> None:
    """A grey value is changed in the study itself, before everything, and EF asked again.

    One of the wall: the darkest and brightest values decide what grey means, and must stay.
    """
    model = write_model("unsure", 15.0)
    found = hs.explain_study(study, "lv_ef", methods=["saliency"], model=str(model))
    (map_,) = found.maps
    assert map_.unit == "EF points per unit of grey"
    image = study.images[View.SAX]
    walls = doors.cine((8, 5)) == 2
    for frame, sign in ((0, 1), (1, -1)):
        z, y, x = np.argwhere(walls[frame])[7]
        assert map_.values[frame, z, y, x] * sign > 0.01, "more LV at ED raises EF, at ES lowers it"
        changed = []
        for step in (-9.0, 9.0):
            voxels = image.voxels.astype(np.float32)
            voxels[frame, z, y, x] += step
            other = replace(study, images={View.SAX: image.like(voxels)})
            again = hs.explain_study(
                other, "lv_ef", methods=["saliency"], model=str(model), slices="0"
            )
            changed.append(again.soft[View.SAX].value)
        a_unit = 900.0  # from the darkest to the brightest
        slope = (changed[1] - changed[0]) / 18.0 * a_unit
        assert slope == pytest.approx(float(map_.values[frame, z, y, x]), rel=0.05)


def test_soft_ef_stands_beside_that_of_the_masks(of_ef: Explanation, lv: np.ndarray) -> None:
    soft = of_ef.soft[View.SAX]
    counted = lv.sum(axis=(1, 2, 3))
    assert soft.hard == pytest.approx(100 * (1 - counted[1] / counted[0]))
    assert soft.value == pytest.approx(soft.hard, abs=1.0)
    assert soft.value != soft.hard
    assert soft.volumes_ml["ed"] == pytest.approx(counted[0] * 9 * 1.5 * 1.5 / 1000, rel=0.02)


def test_entropy_does_not_ask_for_a_target(of_ef: Explanation) -> None:
    map_ = of_ef.maps[1]
    assert (map_.method, map_.unit, map_.signed, map_.asks) == ("entropy", "bits", False, False)
    assert np.nanmax(map_.values) > 0


def test_several_models_are_explained_together(
    study: Study, model: Path, write_model: WriteModel
) -> None:
    both = [str(model), str(write_model("softer", 15.0))]
    names = ("saliency", "disagreement", "spread")
    one, other, together = (
        explained(
            study,
            Wanted(methods=names[: 1 if len(models) == 1 else 3], models=tuple(models), slices="1"),
        )
        for models in ([both[0]], [both[1]], both)
    )
    mean = (one.maps[0].values + other.maps[0].values) / 2
    assert np.nanmax(np.abs(together.maps[0].values - mean)) < 1e-6
    for map_ in together.maps[1:]:
        assert np.nanmax(map_.values) > 0.001
        assert np.isfinite(map_.values[:, 1]).all()
        assert np.isnan(map_.values[:, 0]).all()


def test_what_cannot_be_explained_is_said(study: Study, model: Path) -> None:
    def ask(**wanted: object) -> None:
        explained(study, Wanted(models=(str(model),), **wanted))  # type: ignore[arg-type]

    with pytest.raises(
        StudyError, match="no LV cavity in the frames and slices .* hold it: 0, 1, 2"
    ):
        ask(slices="3")
    with pytest.raises(ConfigError, match="a model without left atrium; allowed: rv, myo, lv"):
        ask(target="la")
    with pytest.raises(ModelError, match="a network without attention"):
        ask(methods=("attention",), slices="1")
    with pytest.raises(ConfigError, match="got 'nowhere'"):
        ask(methods=("grad-cam",), slices="1", settings=Settings(layer="nowhere"))
    alone = replace(
        study,
        images={View.SAX: study.images[View.SAX].part((0,))},
        phases={},
        sources={View.SAX: ()},
    )
    with pytest.raises(StudyError, match="a study without ES"):
        explained(alone, Wanted(target="lv_ef", models=(str(model),)))


def test_a_card_that_is_not_there_is_refused(model: Path, study: Study) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ConfigError, match="no usable card"):
        explained(study, Wanted(models=(str(model),), device="cuda"))


def test_without_torch_the_install_line_is_said(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heartseg.explain.NEEDED", ("torch", "nowhere_to_be_found"))
    with pytest.raises(MissingExtraError, match=r"pip install 'heartseg\[train\]'"):
        hs.explain_study(study)


def test_checks_are_made_when_asked_for(study: Study, model: Path) -> None:
    wanted = Wanted(
        methods=("saliency", "entropy"), models=(str(model),), slices="middle", check=True
    )
    saliency, entropy = explained(study, wanted).checks[View.SAX]
    assert (saliency.method, entropy.method) == ("saliency", "entropy")
    assert saliency.curves is not None
    assert entropy.curves is None
    assert target_of("lv").measure is None
