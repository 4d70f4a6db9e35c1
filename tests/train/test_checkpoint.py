"""Whole or not at all, and never code."""

import os
import pickle
from pathlib import Path

import pytest

from heartseg.core.errors import ModelError, OutputError

torch = pytest.importorskip("torch")
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402

STATE = {"step": 7, "best": 0.25, "task": {"weight": torch.arange(500.0), "name": "a"}}


def test_what_is_saved_is_loaded(tmp_path):
    save_checkpoint(tmp_path / "last.pt", STATE)
    state = load_checkpoint(tmp_path / "last.pt")
    assert (state["step"], state["best"], state["task"]["name"]) == (7, 0.25, "a")
    assert torch.equal(state["task"]["weight"], torch.arange(500.0))
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_leaves_the_last_whole_one(tmp_path):
    save_checkpoint(tmp_path / "last.pt", STATE)
    (tmp_path / "last.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"last\.pt.*free some space"):
        save_checkpoint(tmp_path / "last.pt", {**STATE, "step": 8})
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_write_that_breaks_off_leaves_the_last_whole_one(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "last.pt", STATE)

    def break_off(state, file):
        file.write(b"PK half")
        raise RuntimeError("")  # torch wraps what the disk says, sometimes in nothing

    monkeypatch.setattr(torch, "save", break_off)
    with pytest.raises(OutputError, match="RuntimeError"):
        save_checkpoint(tmp_path / "last.pt", {**STATE, "step": 8})
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_the_old_one_stays_until_the_new_one_is_on_the_disk(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "last.pt", STATE)
    seen = []

    def flush(number):
        seen.append(load_checkpoint(tmp_path / "last.pt")["step"])

    monkeypatch.setattr(os, "fsync", flush)
    save_checkpoint(tmp_path / "last.pt", {**STATE, "step": 8})
    assert seen == [7]
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 8


def test_a_cut_checkpoint_is_refused_wherever_it_is_cut(tmp_path):
    save_checkpoint(tmp_path / "last.pt", STATE)
    whole = (tmp_path / "last.pt").read_bytes()
    for length in (0, 1, 4, 100, len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        (tmp_path / "last.pt").write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"checkpoint last\.pt"):
            load_checkpoint(tmp_path / "last.pt")


@pytest.mark.parametrize(
    "content",
    [b"not a checkpoint", b"\x80\x04.", b"\x80\x02}q\x00.", b"PK\x03\x04" + bytes(60), bytes(1000)],
)
def test_another_kind_of_file_is_refused(tmp_path, content):
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint last\.pt"):
        load_checkpoint(tmp_path / "last.pt")


@pytest.mark.parametrize("state", [{"step": 1}, [1, 2], {**STATE, "more": 1}, torch.zeros(3)])
def test_other_tensors_are_no_checkpoint(tmp_path, state):
    torch.save(state, tmp_path / "last.pt")
    with pytest.raises(ModelError, match="another kind of file"):
        load_checkpoint(tmp_path / "last.pt")


def test_no_file_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"checkpoint last\.pt"):
        load_checkpoint(tmp_path / "last.pt")
    with pytest.raises(ModelError):
        load_checkpoint(tmp_path)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("write", ["zip", "old", "plain"])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, write):
    state = {**STATE, "task": Bomb(tmp_path / "gone off")}
    path = tmp_path / "last.pt"
    if write == "plain":
        path.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=write == "zip")
    with pytest.raises(ModelError, match=r"checkpoint last\.pt"):
        load_checkpoint(path)
    assert not (tmp_path / "gone off").exists()
