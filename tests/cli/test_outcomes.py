"""What is said of studies as they end: a list for machines is whole however a run ends."""

import json

import pytest
import typer

from heartseg.batch import Outcome, Plan, Tally, many
from heartseg.cli import outcomes
from heartseg.core.errors import ConfigError, OutputError
from heartseg.pipeline import Settings


def failed(name: str) -> Outcome:
    return Outcome(name, "failed", "no slices", {"study": name, "error": "no slices"})


@pytest.fixture
def plan(tmp_path) -> Plan:
    return Plan(inputs=(tmp_path,), out=tmp_path / "out", settings=Settings())


def test_the_list_for_machines_is_printed_study_by_study(plan, monkeypatch, capsys) -> None:
    printed = []

    def two(_: Plan, watch) -> Tally:
        for name in ("a", "b"):
            watch(failed(name))
            printed.append(capsys.readouterr().out)
        return Tally(("a", "b"), 2)

    monkeypatch.setattr("heartseg.batch.run", two)
    with pytest.raises(typer.Exit):
        outcomes.run(plan, json=True)
    printed.append(capsys.readouterr().out)
    assert '"a"' in printed[0]
    assert '"b"' in printed[1]
    rows = [
        {"study": name, "status": "failed", "said": "no slices", "report": None} for name in "ab"
    ]
    assert json.loads("".join(printed)) == rows
    assert "".join(printed) == json.dumps(rows, indent=2) + "\n"


def test_a_run_that_stops_leaves_a_list_that_can_be_read(plan, monkeypatch, capsys) -> None:
    def full(_: Plan, watch) -> Tally:
        watch(failed("a"))
        raise OutputError("summary.csv", got="No space left on device")

    monkeypatch.setattr("heartseg.batch.run", full)
    with pytest.raises(OutputError):
        outcomes.run(plan, json=True)
    assert [row["study"] for row in json.loads(capsys.readouterr().out)] == ["a"]


def test_a_run_that_never_began_prints_no_list(plan, monkeypatch, capsys) -> None:
    def refused(_: Plan, watch) -> Tally:
        raise OutputError("output folder", got="Permission denied")

    monkeypatch.setattr("heartseg.batch.run", refused)
    with pytest.raises(OutputError):
        outcomes.run(plan, json=True)
    assert capsys.readouterr().out == ""


def test_workers_are_a_cluster_and_go_without_jobs() -> None:
    from heartseg.cli import options

    assert options.workers(None, 4) is None
    assert options.workers("ray://local", 1) == "ray://local"
    with pytest.raises(ConfigError, match="--workers: got 4; allowed: ray://local or ray://HOST"):
        options.workers("4", 1)
    with pytest.raises(ConfigError, match="--jobs too"):
        options.workers("ray://local", 2)


def test_workers_without_ray_say_what_to_install(plan, monkeypatch) -> None:
    import sys
    from dataclasses import replace

    from heartseg.core.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"heartseg\[scale\]"):
        many.run(replace(plan, workers="ray://local"), lambda _: None)
