"""Bundles: written and read back whole, and refused when anything does not fit."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ModelError, OutputError
from heartseg.measure.calibration import Calibration, Width
from heartseg.measure.likeness import Familiar, Group
from heartseg.prepare import Clahe, Preparation
from heartseg.segment import (
    Bundle,
    Description,
    bundle_folder,
    load_bundle,
    shipped_bundles,
    write_bundle,
)
from heartseg.segment.openvino_runtime import OpenVinoRuntime

PRESETS = Preparation.presets()


@pytest.fixture
def folder(tmp_path: Path, onnx_f16: bytes, description: Description) -> Path:
    """A fresh bundle to break."""
    write_bundle(tmp_path / "mine", onnx_f16, description)
    return tmp_path / "mine"


def edit(folder: Path, pattern: str, by: str) -> None:
    """Change model.toml."""
    text = (folder / "model.toml").read_text()
    changed = re.sub(pattern, lambda _: by, text, count=1, flags=re.MULTILINE)
    assert changed != text
    (folder / "model.toml").write_text(changed)


def test_what_is_written_is_read_back(folder: Path, description: Description) -> None:
    read = load_bundle(folder)
    for field in fields(Description):
        assert getattr(read, field.name) == getattr(description, field.name), field.name
    assert read.onnx == (folder / "model.onnx").read_bytes()


def test_a_bundle_can_be_written_again_with_new_scores(folder: Path, tmp_path: Path) -> None:
    read = load_bundle(folder)
    write_bundle(tmp_path / "again", read.onnx, replace(read, scores={"dice": 0.5}))
    again = load_bundle(tmp_path / "again")
    assert again.scores == {"dice": 0.5}
    assert again.sha256 == read.sha256


def test_a_model_without_measured_ranges_has_no_table_of_them(folder: Path) -> None:
    assert "int8_ranges" not in (folder / "model.toml").read_text()
    assert load_bundle(folder).int8_ranges == {}


CONSTANTS = Calibration(
    level=0.9,
    looks=4,
    patients=99,
    calibrated="five folds",
    findings={"lv_ef": Width(times=2.0, floor=0.0125)},
)


def test_constants_of_intervals_travel_with_the_model_and_stand_on_its_card(
    tmp_path: Path, onnx_f16: bytes, description: Description
) -> None:
    write_bundle(tmp_path / "mine", onnx_f16, replace(description, intervals=CONSTANTS))
    assert load_bundle(tmp_path / "mine").intervals == CONSTANTS
    card = (tmp_path / "mine" / "card.md").read_text()
    assert "## Intervals" in card
    assert "| calibrated | five folds |" in card
    assert "| lv_ef | +- 2 x sqrt(spread^2 + 0.0125^2) |" in card


def test_a_model_without_constants_says_nothing_of_intervals(folder: Path) -> None:
    assert load_bundle(folder).intervals is None
    assert "## Intervals" not in (folder / "card.md").read_text()
    assert "intervals" not in (folder / "model.toml").read_text()


@pytest.mark.parametrize(
    ("pattern", "by", "complaint"),
    [
        ("^level = .*$", "level = 1.5", "level"),
        ("^looks = .*$", "looks = 900", "looks: got 900"),
        ("^times = .*$", "times = nan", "times: got nan"),
        ("^floor = .*$", "flor = 1.0", "did you mean 'floor'"),
        (r"^\[intervals.findings.lv_ef\]$", "[intervals.findings.everything]", "got everything"),
    ],
)
def test_constants_that_make_no_sense_are_refused(
    tmp_path: Path,
    onnx_f16: bytes,
    description: Description,
    pattern: str,
    by: str,
    complaint: str,
) -> None:
    write_bundle(tmp_path / "mine", onnx_f16, replace(description, intervals=CONSTANTS))
    edit(tmp_path / "mine", pattern, by)
    with pytest.raises(ModelError, match=complaint):
        load_bundle(tmp_path / "mine")


def test_what_a_model_is_familiar_with_travels_along(folder: Path, tmp_path: Path) -> None:
    usual = Group(traits={"size of the LV": (3.96, 0.155)}, mean_square=1.3, farthest=3.1)
    known = Familiar(patients=60, limit=1.9, groups={"heart_at_ed": usual})
    first = load_bundle(folder)
    written = write_bundle(tmp_path / "other", first.onnx, replace(first, familiar=known))
    assert first.familiar is None
    assert load_bundle(written.folder).familiar == known


@pytest.mark.parametrize("name", PRESETS)
def test_the_preparation_travels_resolved_and_is_told_on_the_card(
    tmp_path: Path, onnx_f16: bytes, description: Description, name: str
) -> None:
    prepared = replace(description, preparation=PRESETS[name])
    if name == "sinha-2020":
        prepared = replace(prepared, preparation=replace(PRESETS[name], clahe=Clahe(clip=3.0)))
    write_bundle(tmp_path / "mine", onnx_f16, prepared)
    assert load_bundle(tmp_path / "mine").preparation == prepared.preparation
    card = (tmp_path / "mine" / "card.md").read_text()
    assert ("| locate | look apical, widen 1 |" in card) == (name == "thesis-001")
    assert ("| clahe | tiles 8, clip 3 |" in card) == (name == "sinha-2020")
    assert "None" not in card


def test_a_preset_in_a_model_toml_is_refused(folder: Path) -> None:
    """What the name means may change; what a model was trained with may not."""
    edit(folder, r"^\[preparation\]\n", '[preparation]\npreset = "sinha-2020"\n')
    with pytest.raises(ModelError, match=r"preparation: got preset = 'sinha-2020'"):
        load_bundle(folder)


def test_channels_keep_their_order(folder: Path) -> None:
    assert load_bundle(folder).structures[1] == Structure.RV_CAVITY
    assert load_bundle(folder).structures[3] == Structure.LV_CAVITY


def test_a_strangers_bundle_is_said_to_be_one(folder: Path) -> None:
    read = load_bundle(folder)
    assert not read.shipped
    assert "not shipped" in read.origin
    assert "mine" in read.origin
    assert str(folder.parent) not in read.origin


def test_a_shipped_bundle_is_found_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_folder, "_shipped_folder", lambda: folder.parent)
    assert shipped_bundles() == ("mine",)
    assert load_bundle("mine").shipped
    assert load_bundle("mine").origin == "shipped with heartseg"
    assert not load_bundle(folder).shipped


@pytest.mark.parametrize("name", shipped_bundles())
def test_what_is_shipped_loads_and_may_use_half_precision(name: str) -> None:
    shipped = load_bundle(name)
    assert shipped.bf16_safe
    assert OpenVinoRuntime(shipped).name == "openvino"


def test_no_such_model_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model") as caught:
        load_bundle(tmp_path / "nowhere")
    assert str(tmp_path) not in str(caught.value)


def test_changed_weights_are_refused(folder: Path) -> None:
    onnx = bytearray((folder / "model.onnx").read_bytes())
    onnx[len(onnx) // 2] ^= 1
    (folder / "model.onnx").write_bytes(bytes(onnx))
    with pytest.raises(ModelError, match="SHA-256"):
        load_bundle(folder)


def test_missing_weights_are_said(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        (r"^name = .*", 'name = "../../evil"', "name"),
        (r"^name = .*", 'nmae = "x"', "did you mean 'name'"),
        (r"^licence = .*", 'licence = " "', "licence"),
        (r"^licence = .*", 'licence = "a\\u001b[31m"', "licence"),
        (r"^modality = .*", 'modality = "XR"', "modality"),
        (r"^1 = .*", '1 = "liver"', "liver"),
        (r"^1 = .*", '1 = "lv"', "labels"),
        (r"^0 = .*", '0 = "pa"', "background"),
        (r"^2 = .*", '7 = "myo"', "labels"),
        (r'^3 = "lv"\n', "", r"\(n, 3, y, x\)"),
        (r"^field_px = .*", "field_px = 1000000", "1000000"),
        (r"^spacing_mm = .*", "spacing_mm = 0.0", "preparation"),
        (r"^spacing_mm = .*", "spacing_mm = nan", "preparation"),
        (r"^sha256 = .*", "", "sha256"),
        (r"^name = .*", "name = [[[", "no TOML"),
    ],
)
def test_a_model_toml_that_does_not_fit_is_refused(
    folder: Path, pattern: str, by: str, said: str
) -> None:
    edit(folder, pattern, by)
    with pytest.raises(ModelError, match=said):
        load_bundle(folder)


def test_a_huge_model_toml_is_not_read(folder: Path) -> None:
    with (folder / "model.toml").open("a") as file:
        file.write("#" * bundle_folder.LARGEST_TOML_BYTES)
    with pytest.raises(ModelError, match="at most"):
        load_bundle(folder)


def test_writing_refuses_what_would_not_load(
    tmp_path: Path, onnx_f16: bytes, description: Description
) -> None:
    fewer = replace(description, structures=description.structures[:3])
    with pytest.raises(ModelError, match="output of shape"):
        write_bundle(tmp_path / "b", onnx_f16, fewer)
    assert not (tmp_path / "b").exists()


def test_an_interrupted_writing_leaves_no_bundle(
    folder: Path, onnx_f32: bytes, description: Description, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left"):
        write_bundle(folder, onnx_f32, description)
    with pytest.raises(ModelError, match="no such model"):
        load_bundle(folder)


def test_fixed_planes_are_refused(
    tmp_path: Path, description: Description, changed_shapes: Callable[[int], bytes]
) -> None:
    with pytest.raises(ModelError, match="input of shape"):
        write_bundle(tmp_path / "b", changed_shapes(64), description)


@pytest.fixture
def changed_shapes(onnx_f16: bytes) -> Callable[[int], bytes]:
    """The model with a fixed number of rows."""
    onnx = pytest.importorskip("onnx")

    def change(rows: int) -> bytes:
        model = onnx.load_from_string(onnx_f16)
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = rows
        return bytes(model.SerializeToString())

    return change


def test_half_precision_is_safe_only_when_measured(bundle: Bundle) -> None:
    assert not bundle.bf16_safe
    for difference, safe in ((0.0005, True), (0.002, False), ("no", False), (-1.0, False)):
        scored = replace(bundle, scores={"bf16_label_difference": difference})
        assert scored.bf16_safe is safe


def test_the_card_tells_people_and_is_no_html(
    tmp_path: Path, onnx_f16: bytes, description: Description
) -> None:
    odd = replace(description, training={"data": "<script>x|y</script>\n# big"})
    written = write_bundle(tmp_path / "b", onnx_f16, odd)
    card = (tmp_path / "b" / "card.md").read_text(encoding="utf-8")
    for said in ("tiny 0.0.1", "CC0", "RV cavity", "not for diagnosis", "0.25", written.sha256):
        assert said in card
    assert "<script" not in card
    assert "\n# big" not in card
