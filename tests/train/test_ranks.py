"""Two processes learn what one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError
from tests.train.test_train_model import RUN, write_patient

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
from heartseg.config import load  # noqa: E402
from heartseg.models import build_network  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint  # noqa: E402
from heartseg.train.objective import Criterion, Objective  # noqa: E402
from heartseg.train.ranks import Ranks, Several, several  # noqa: E402
from heartseg.train.run import train  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402

CHANGES = [
    "start.freeze=['*.running_*']",  # a batch normalisation that does not look at the batch
    *("learning.batch=4", "learning.accumulate=2", "learning.optimiser=sgd", "learning.rate=0.2"),
    *("schedule.steps=4", "schedule.warm_up=0", "schedule.validate_every=2"),
    *("schedule.log_every=1", "log.curves=false"),
]


class Pretended:
    """A Fabric of two processes, seen from the second."""

    global_rank, world_size, device = 1, 2, torch.device("cpu")

    def __init__(self, other: "torch.Tensor") -> None:
        self.other = other

    def all_gather(self, mine: "torch.Tensor") -> "torch.Tensor":
        return torch.stack([self.other, mine])


def test_shares_make_the_whole_and_only_the_own_one_learns():
    batch = torch.arange(6.0)[:, None]
    first = Several(Pretended(batch))
    first.rank = 0
    mine = Several(Pretended(first.share(batch)))
    own = mine.share(batch).requires_grad_()
    assert own[:, 0].tolist() == [1, 3, 5]
    (whole,) = mine.whole([own])
    assert torch.equal(whole.detach(), batch)
    (whole * batch).sum().backward()
    assert own.grad[:, 0].tolist() == [1, 3, 5]


def test_a_loss_is_that_of_the_whole_batch_and_of_all_processes():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 3, 5, 6, generator=generator)
    truth = torch.randint(0, 3, (4, 5, 6), generator=generator)
    wanted = Criterion(Objective(), 3).judge(logits, truth)[0]
    two = Criterion(Objective(), 3, ranks=Several(Pretended(logits[0::2])))
    total, parts = two.judge(logits[1::2], truth)
    torch.testing.assert_close(total, 2 * wanted)  # gradients become means over the processes
    torch.testing.assert_close(parts["loss"], wanted)
    torch.testing.assert_close(two.alone().judge(logits, truth)[0], wanted)


def test_alone_everything_is_the_own():
    batch = torch.arange(6.0)
    assert Ranks().share(batch) is batch
    assert Ranks().leads
    assert Ranks().agreed(7) == 7


def test_less_than_one_process_is_refused():
    with pytest.raises(ConfigError, match="got 0 processes on 1 nodes"):
        several("cpu", 0, 1)


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    from heartseg.train.run import build_task
    from tests.train import tiny

    (tmp_path / "run.toml").write_text(RUN)
    settings = load(RunSettings, tmp_path / "run.toml", ["learning.batch=5"])
    two = Ranks()
    two.count = 2
    with pytest.raises(ConfigError, match="learning.batch: got 5; allowed: a multiple of 2"):
        build_task(settings, [tiny.frame(1)], [], torch.device("cpu"), ranks=two)


def test_two_processes_learn_what_one_does(tmp_path):
    for number in (1, 2, 3):
        write_patient(tmp_path / "patients", number)
    (tmp_path / "run.toml").write_text(RUN, encoding="utf-8")
    told = [word for change in CHANGES for word in ("--set", change)]
    command = [sys.executable, "-m", "heartseg", "train", str(tmp_path / "run.toml"), *told]
    command += ["-o", str(tmp_path / "two"), "--processes", "2", "--device", "cpu"]
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("wrote the model") == 1
    settings = load(RunSettings, tmp_path / "run.toml", CHANGES)
    train(settings, tmp_path, tmp_path / "one", device=torch.device("cpu"))
    torch.manual_seed(settings.seed)
    begun = build_network("unet", 1, 4, widths=(6, 12)).state_dict()
    one, two = (load_checkpoint(tmp_path / name / "last.pt")["task"] for name in ("one", "two"))
    moved = (one["network"]["output.weight"] - begun["output.weight"]).abs().max()
    assert moved > 0.01
    for name, value in one["network"].items():
        torch.testing.assert_close(two["network"][name], value, atol=1e-5, rtol=0)
    assert torch.equal(one["generator"], two["generator"])
    scores = [load_checkpoint(tmp_path / name / "last.pt")["best"] for name in ("one", "two")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert len((tmp_path / "two" / "log.jsonl").read_text().splitlines()) == 6
    assert (tmp_path / "two" / "bundle" / "model.toml").exists()
