"""`heartseg train` tells how it goes; `heartseg doctor --train` how long it will take."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.door import heartseg

pytest.importorskip("torch")
from heartseg.cli.training import Telling

RUN = """
name = "tiny"
folder = "nowhere"
[model]
widths = [2, 4]
[preparation]
stride = 8
field_px = 32
[spatial]
size_px = 16
[learning]
batch = 2
[schedule]
steps = 600
validate_every = 100
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def begin(folder: Path, steps: int, planned: int | None = None) -> None:
    record = {"commit": None, "settings": {"schedule": {"steps": steps}}, "data": {}}
    (folder / "run.json").write_text(json.dumps(record))
    line = {"step": 0, "seconds": 0.0, "planned_steps": planned}
    (folder / "log.jsonl").write_text(json.dumps(line) + "\n" if planned else "")


def told(folder: Path, steps: range) -> None:
    with Telling(folder) as telling:
        for step in steps:
            telling(step, {"loss": 0.25, "planned_steps": 12345})


def test_no_bar_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(tmp_path, 40)
    told(tmp_path, range(10, 20, 5))
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "    10  loss 0.2500  planned_steps 12345",
        "    15  loss 0.2500  planned_steps 12345",
    ]


@pytest.mark.parametrize(("planned", "total"), [(None, 40), (33, 33)])
def test_a_terminal_gets_a_bar_of_the_steps_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: int | None, total: int
) -> None:
    begin(tmp_path, 40, planned)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    told(tmp_path, range(10, 31, 10))
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())  # colours
    assert f"30/{total} steps" in said
    assert "left" in said
    assert "loss 0.2500" in said


def test_the_doctor_says_how_long_a_training_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heartseg.cli.examination.PROBE_SECONDS", 0.05)
    (tmp_path / "run.toml").write_text(RUN)
    said = heartseg("doctor", "--train", tmp_path / "run.toml", "--runs", "90", "--json")
    assert said.code == 0, said.err
    found = said.json()["training"]
    assert (found["run"], found["steps"], found["runs"]) == ("tiny", 600, 90)
    assert found["validated_studies"] == 0
    assert found["minutes"] == pytest.approx(600 * found["seconds_a_step"] / 60, abs=0.06, rel=0.1)
    assert found["hours_for_all_runs"] == pytest.approx(90 * found["minutes"] / 60, abs=0.1)


def test_plan_writes_a_file_and_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import doors

    monkeypatch.setattr("heartseg.train.plan.MEASURED_S", 0.01)

    for number in (1, 2, 3):
        doors.write_patient(tmp_path / "hearts" / f"patient00{number}")
    toml = tmp_path / "run.toml"
    done = heartseg("train", "--plan", tmp_path / "hearts", "-o", toml, "--device", "cpu")
    assert done.code == 0, done.err
    assert f"heartseg train {toml}" in done.out
    assert 'folder = "hearts"' in toml.read_text(encoding="utf-8")
    for wrong in (("train",), ("train", toml, "--plan", tmp_path / "hearts")):
        done = heartseg(*wrong)
        assert (done.code, "a RUN.toml or folder to train, or --plan" in done.err) == (2, True)
