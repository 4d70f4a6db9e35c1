"""Models that predict together: the mean on the study's own grid, or a reason why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.prepare.localise import Location
from heartseg.segment import Bundle, frames
from heartseg.segment.ensemble import Ensemble, members_at, require_agreement

IMAGE = Image(
    np.random.default_rng(2).random((2, 3, 21, 26), np.float32),
    Geometry.from_pixels((3, 21, 26), (8.0, 1.5, 1.25)),
)


class Ramp:
    """A runtime that gives channel c of a pixel p the weight c + p, the same on every grid."""

    name = "ramp"

    def __init__(self, weights: tuple[float, ...], precision: str = "f32") -> None:
        self.weights, self.precision = weights, precision

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        total = np.concatenate([pixels + weight for weight in self.weights], axis=1)
        return total / total.sum(axis=1, keepdims=True)


def other(bundle: Bundle, **changes: object) -> Bundle:
    return replace(bundle, sha256="f" * 64, **changes)


def test_the_answer_is_the_mean_on_the_images_grid_each_with_its_own_preparation(
    bundle: Bundle,
) -> None:
    finer = other(bundle, preparation=Preparation(spacing_mm=1.0, stride=8, field_px=96))
    pair = ((bundle, Ramp((1, 2, 3, 4))), (finer, Ramp((9, 1, 1, 5))))
    apart = [list(frames(IMAGE, *one)) for one in pair]
    together = list(Ensemble(pair).frames(IMAGE))
    assert len(together) == 2
    for mean, one, two in zip(together, *apart, strict=True):
        assert mean.shape == (4, 3, 21, 26)
        np.testing.assert_allclose(mean, (one + two) / 2, atol=1e-6)
        assert np.abs(one - two).max() > 0.05


def test_channels_in_another_order_are_put_in_the_first_ones(bundle: Bundle) -> None:
    order = [0, 3, 1, 2]
    moved = other(bundle, structures=tuple(bundle.structures[one] for one in order))
    weights = (1.0, 2.0, 3.0, 4.0)
    pair = ((bundle, Ramp(weights)), (moved, Ramp(tuple(weights[one] for one in order))))
    for mean, alone in zip(Ensemble(pair).frames(IMAGE), frames(IMAGE, *pair[0]), strict=True):
        np.testing.assert_allclose(mean, alone, atol=1e-6)


def test_one_model_answers_to_the_bit_as_it_does_alone(bundle: Bundle) -> None:
    one = (bundle, Ramp((1, 2, 3, 4)))
    ensemble = Ensemble((one,))
    for mine, alone in zip(
        ensemble.frames(IMAGE, turns=4), frames(IMAGE, *one, turns=4), strict=True
    ):
        assert (mine == alone).all()
    assert (ensemble.name, ensemble.use().members) == (bundle.name, ())
    assert ensemble.use().sha256 == bundle.sha256


def test_what_is_said_names_all(bundle: Bundle) -> None:
    pair = (
        (bundle, Ramp((1, 2, 3, 4))),
        (other(bundle, name="b", version="2", licence="MIT"), Ramp((1, 2, 3, 4), "bf16")),
    )
    use = Ensemble(pair).use()
    assert (use.name, use.version, use.sha256) == ("ensemble of 2: tiny, b", "", None)
    assert (use.licence, use.precision) == ("CC0; MIT", "f32, bf16")
    assert [(one.name, one.sha256) for one in use.members] == [
        ("tiny", bundle.sha256),
        ("b", "f" * 64),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"view": View.LAX_4CH}, "view sax of 'tiny' and 4ch of 'tiny'.*no. 2"),
        ({"modality": Modality.US}, "modality MR of 'tiny' and US"),
        (
            {"structures": (Structure.BACKGROUND, Structure.LV_CAVITY)},
            "structures lv, myo, rv of 'tiny' and lv of",
        ),
    ],
)
def test_models_whose_answers_mean_other_things_are_refused(
    bundle: Bundle, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError, match=said + ".*allowed: the same structures.*alone"):
        require_agreement([bundle, other(bundle, **changes)])


def test_the_same_weights_twice_and_no_model_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="the same weights twice"):
        require_agreement([bundle, bundle])
    with pytest.raises(ModelError, match="none; allowed: at least one"):
        Ensemble(())


def test_a_folder_stands_for_the_bundles_in_it(tmp_path: Path) -> None:
    for name in ("b", "a/bundle", "c/deep/bundle", "d"):
        (tmp_path / name).mkdir(parents=True)
        if name != "d":
            (tmp_path / name / "model.toml").touch()
    assert members_at(str(tmp_path)) == (str(tmp_path / "a" / "bundle"), str(tmp_path / "b"))
    assert members_at(str(tmp_path / "a")) == (str(tmp_path / "a" / "bundle"),)
    for itself in (tmp_path / "b", tmp_path / "d", tmp_path / "nothing"):
        assert members_at(str(itself)) == (str(itself),)


def test_each_model_sees_the_place_in_its_own_way(bundle: Bundle) -> None:
    finer = other(bundle, preparation=Preparation(spacing_mm=1.0, stride=4, field_px=96))
    pair = ((bundle, Ramp((1, 2, 3, 4))), (finer, Ramp((9, 1, 1, 5))))
    place = Location((slice(2, 9), slice(11, 20)), 0.8, found=True)
    apart = [list(frames(IMAGE, *one, place=place)) for one in pair]
    for mean, one, two in zip(Ensemble(pair).frames(IMAGE, place=place), *apart, strict=True):
        np.testing.assert_allclose(mean, (one + two) / 2, atol=1e-6)
    beyond = mean[:, :, -1, 0]
    np.testing.assert_array_equal(beyond[0], 1)
    np.testing.assert_array_equal(beyond[1:], 0)
