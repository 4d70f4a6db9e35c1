"""What other models say is learnt by the formula, from models that fit, and by nobody else's."""

from dataclasses import replace

import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.segment import Description, load_bundle, write_bundle
from heartseg.segment.window import Window
from tests.doors import STRUCTURES

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from heartseg.models import build_network  # noqa: E402
from heartseg.train.export import export_onnx  # noqa: E402
from heartseg.train.segment_task import Segment  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402
from heartseg.train.teacher import Teacher, Teaching  # noqa: E402
from tests.train import tiny  # noqa: E402


class Says(nn.Module):
    """Gives the same logits to every pixel."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, pixels):
        n, _, y, x = pixels.shape
        return self.logits[None, :, None, None].expand(n, -1, y, x)


CROPS = torch.zeros(2, 1, 4, 5)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a small network's bundle."""
    torch.manual_seed(3)
    description = Description(
        name="small",
        version="1",
        licence="CC0",
        modality=Modality.MR,
        view=View.SAX,
        structures=STRUCTURES,
        architecture={"name": "unet", "widths": [2]},
        preparation=Preparation(stride=4),
    )
    folder = tmp_path_factory.mktemp("models") / "small"
    onnx = export_onnx(build_network("unet", 1, 4, widths=(2,)).eval(), 1, (8, 12))
    write_bundle(folder, onnx, description)
    return folder


def test_the_divergence_is_that_of_the_formula():
    teacher = Teacher([Says(2.0, 0.0)], share=0.25, temperature=2.0)
    answer = torch.tensor([0.0, 1.0])[None, :, None, None].expand(2, -1, 4, 5)
    p = torch.tensor([2.0, 0.0]).div(2).softmax(0)
    q = torch.tensor([0.0, 1.0]).div(2).softmax(0)
    wanted = 4 * float((p * (p / q).log()).sum())
    apart = teacher.judge(answer, CROPS)
    assert float(apart) == pytest.approx(wanted, rel=1e-5)
    assert float(teacher.judge(Says(2.0, 0.0)(CROPS).detach(), CROPS)) == pytest.approx(0, abs=1e-6)
    assert float(teacher.beside(torch.tensor(8.0), apart).detach()) == pytest.approx(
        6 + 0.25 * wanted
    )


def test_several_teach_by_the_mean_of_their_probabilities():
    teacher = Teacher([Says(9.0, 0.0), Says(0.0, 9.0), Says(0.0, 9.0)], share=1.0, temperature=1.0)
    assert teacher.says(CROPS)[0, :, 0, 0].tolist() == pytest.approx([1 / 3, 2 / 3], abs=1e-3)


def test_a_teacher_never_learns():
    network = Says(1.0, 2.0).train()
    teacher = Teacher([network], share=0.5, temperature=2.0)
    answer = torch.zeros(2, 2, 4, 5, requires_grad=True)
    teacher.judge(answer, CROPS).backward()
    assert answer.grad is not None
    assert network.logits.grad is None
    assert not network.training


def test_a_task_learns_from_both_and_says_so():
    plain = tiny.task()
    taught = tiny.task()
    taught._criterion.teacher = Teacher([Says(0.0, 5.0, 0.0)], share=0.9, temperature=1.0)
    first, second = plain.step(1.0), taught.step(1.0)
    assert second["cross_entropy"] == pytest.approx(first["cross_entropy"])
    assert second["loss"] == pytest.approx(first["loss"])  # of the labels, as on validated frames
    assert second["teacher"] > 0.1
    moved = zip(plain.network.parameters(), taught.network.parameters(), strict=True)
    assert any(not mine.equal(theirs) for mine, theirs in moved)  # the teacher moved it


def test_who_teaches_is_named_in_the_run(model, tmp_path):
    bundle = load_bundle(model)
    teacher = Teaching(models=(str(model),)).teacher(
        tmp_path, bundle.preparation, bundle.structures, torch.device("cpu")
    )
    pixels = torch.rand(1, 1, 16, 16)
    assert teacher.says(pixels).sum(1).allclose(torch.ones(1, 16, 16))
    assert Teaching().teacher(tmp_path, Preparation(), (), torch.device("cpu")) is None


def test_paths_are_taken_from_the_run_and_size_of_planes_is_of_no_matter(model):
    bundle = load_bundle(model)
    larger = replace(bundle.preparation, stride=64, field_px=640)
    found = Teaching(models=(model.name,)).teacher(
        model.parent, larger, bundle.structures, torch.device("cpu")
    )
    assert found is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"structures": (Structure.BACKGROUND, Structure.LV_CAVITY)}, "a model of"),
        ({"spacing_mm": 9.0}, "prepared by"),
    ],
)
def test_models_that_do_not_fit_are_refused(model, tmp_path, change, said):
    bundle = load_bundle(model)
    structures = change.get("structures", bundle.structures)
    preparation = replace(bundle.preparation, spacing_mm=change.get("spacing_mm", 1.5))
    if "spacing_mm" not in change:
        preparation = bundle.preparation
    with pytest.raises(ConfigError, match=said):
        Teaching(models=(str(model),)).teacher(
            tmp_path, preparation, structures, torch.device("cpu")
        )


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}, {"temperature": 0.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="teaching"):
        Teaching(models=("one",), **wrong)


def test_channels_that_do_not_exclude_each_other_are_not_taught():
    from heartseg.train.objective import Objective

    with pytest.raises(ConfigError, match="softmax"):
        RunSettings(
            name="one",
            folder=".",
            teaching=Teaching(models=("one",)),
            loss=Objective(activation="sigmoid"),
        )


def test_a_task_without_a_teacher_logs_none():
    assert isinstance(task := tiny.task(), Segment)
    assert "teacher" not in task.step(1.0)


def test_a_window_is_refused(model, tmp_path):
    bundle = load_bundle(model)
    folder = tmp_path / "windowed"
    window = Window(margin_px=(0, 0), smallest_px=(16, 16), stride_px=(4, 4), largest_px=(32, 32))
    write_bundle(folder, bundle.onnx, replace(bundle, name="windowed", window=window))
    with pytest.raises(ConfigError, match="window"):
        Teaching(models=(str(folder),)).teacher(
            tmp_path, bundle.preparation, bundle.structures, torch.device("cpu")
        )
