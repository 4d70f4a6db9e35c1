"""The loss of borders comes through the ordinary loop, and counts as its settings say."""

import pytest

from heartseg.config import from_table, to_table
from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, SpatialChange  # noqa: E402
from heartseg.losses import IGNORED, balanced_edge_loss, edge_bands  # noqa: E402
from heartseg.models import build_network  # noqa: E402
from heartseg.models.answer import RegionsAndEdges  # noqa: E402
from heartseg.train.batches import Planes  # noqa: E402
from heartseg.train.data import PreparedSet  # noqa: E402
from heartseg.train.edges import EdgeLoss  # noqa: E402
from heartseg.train.loop import Schedule, fit  # noqa: E402
from heartseg.train.objective import Criterion, Objective  # noqa: E402
from heartseg.train.ranks import Ranks  # noqa: E402
from heartseg.train.segment_task import Learning, Segment  # noqa: E402
from tests.train import tiny  # noqa: E402

TRUTH = torch.tensor([[[0, 0, 1, 1, 2], [0, 1, 1, 2, 2], [0, 0, 0, 2, 2]]])


def answer(channels: int = 3, seed: int = 1) -> RegionsAndEdges:
    generator = torch.Generator().manual_seed(seed)
    fine, edges = (torch.randn(1, channels, 3, 5, generator=generator) for _ in range(2))
    return RegionsAndEdges((fine,), edges)


def test_borders_are_one_term_more_and_loss_goes_on_to_mean_the_regions():
    said = answer()
    regions, _ = Criterion(Objective(), 3).judge(said.regions, TRUTH)
    edges = balanced_edge_loss(said.edges, edge_bands(TRUTH, range(3), 3))
    objective = Objective(edges=EdgeLoss(width_px=3, weight=0.25))
    total, parts = Criterion(objective, 3).judge(said, TRUTH)
    torch.testing.assert_close(total, regions + 0.25 * edges)
    torch.testing.assert_close(parts["edge_loss"], edges)
    assert torch.equal(parts["loss"], regions)


def test_without_settings_the_defaults_judge_and_without_borders_nothing_does():
    said = answer()
    default, _ = Criterion(Objective(edges=EdgeLoss()), 3).judge(said, TRUTH)
    assert torch.equal(Criterion(Objective(), 3).judge(said, TRUTH)[0], default)
    _, parts = Criterion(Objective(edges=EdgeLoss()), 3).judge(said.regions[0], TRUTH)
    assert "edge_loss" not in parts


def test_sigmoid_channels_have_no_border_of_the_background():
    said = answer(channels=2)
    _, parts = Criterion(Objective(activation="sigmoid"), 3).judge(said, TRUTH)
    wanted = balanced_edge_loss(said.edges, edge_bands(TRUTH, range(1, 3), EdgeLoss().width_px))
    torch.testing.assert_close(parts["edge_loss"], wanted)


def test_what_nobody_annotated_moves_no_border():
    truth, edges = TRUTH.clone(), answer().edges.requires_grad_()
    truth[:, :, 4] = IGNORED
    EdgeLoss(width_px=1).of(edges, truth, 3).backward()
    assert not edges.grad[..., 3:].any()
    assert edges.grad[..., :3].any()


def test_several_processes_judge_the_borders_of_the_whole_batch():
    class Two(Ranks):
        """The other process answered the same, upside down."""

        count = 2

        def whole(self, answers):
            return [torch.cat([one, one.flip(2)]) for one in answers]

    both = torch.cat([TRUTH, TRUTH.flip(1)])
    total, parts = Criterion(Objective(), 3, ranks=Two()).judge(answer(), both)
    said = RegionsAndEdges(*[
        (torch.cat([part, part.flip(2)]),) if fine else torch.cat([part, part.flip(2)])
        for part, fine in ((answer().regions[0], True), (answer().edges, False))
    ])  # fmt: skip
    alone, alone_parts = Criterion(Objective(), 3).judge(said, both)
    torch.testing.assert_close(parts["edge_loss"], alone_parts["edge_loss"])
    torch.testing.assert_close(total, 2 * alone)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width_px": 0}, "loss.edges.width_px.*1 to 31"),
        ({"width_px": 32}, "got 32"),
        ({"weight": 0.0}, "above 0.*edge-attention-fusion"),
    ],
)
def test_borders_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        EdgeLoss(**wrong)


def test_it_is_written_as_toml_has_it():
    objective = from_table(Objective, {"edges": {"width_px": 4, "weight": 1}})
    assert objective.edges == EdgeLoss(width_px=4, weight=1.0)
    assert from_table(Objective, to_table(objective)) == objective
    assert "edges" not in to_table(Objective())


def edge_task(name: str, objective: Objective = Objective()) -> Segment:  # noqa: B008
    torch.manual_seed(5)
    return Segment(
        build_network(name, 1, 3, widths=(6, 8)),
        Planes(PreparedSet([tiny.frame(number) for number in (2, 3, 4)], tiny.CPU)),
        [tiny.frame(10)],
        criterion=Criterion(objective, 3),
        learning=Learning(batch=4, average=0.9, rate=1e-2),
        spatial=SpatialChange(size_px=16, shift_px=4.0, elastic_px=0.5),
        intensity=IntensityChange(),
        seed=5,
    )


def test_the_loop_learns_regions_and_borders_and_validates_regions_alone(tmp_path):
    task = edge_task("edge-attention")
    first = task.step(0.0)
    fit(task, Schedule(steps=30, warm_up=3, validate_every=30), tmp_path, resume=False)
    last = task.step(0.0)
    assert last["edge_loss"] < 0.9 * first["edge_loss"]
    assert last["loss"] < 0.8 * first["loss"]
    scores = task.validate()
    assert scores["validation_loss"] > 0
    assert "edge_loss" not in scores


def test_the_weight_of_the_borders_is_what_moves_the_branch():
    moved = []
    for weight in (0.5, 50.0):
        task = edge_task("edge-attention-edges", Objective(edges=EdgeLoss(weight=weight)))
        task.step(0.0)
        (branch,) = [w for n, w in task.network.named_parameters() if n == "edge_output.weight"]
        moved.append(branch.grad.abs().sum().item())
    assert moved[1] > moved[0]
