"""A study's folder changes from one whole result to another, or not at all."""

from pathlib import Path

import pytest

from heartseg.core.errors import OutputError
from heartseg.report.study_folder import is_foreign, put_in_place, require_writable


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def content(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_new_result_takes_its_name(tmp_path: Path) -> None:
    source = folder_of(tmp_path / ".a.unfinished", report__json="1", overview__png="p")
    put_in_place(source, tmp_path / "a")
    assert content(tmp_path / "a") == {"report.json": "1", "overview.png": "p"}
    assert not source.exists()


def test_of_an_older_result_nothing_remains_but_what_others_put_there(tmp_path: Path) -> None:
    target = folder_of(tmp_path / "a", report__json="old", report__html="old", notes__txt="mine")
    put_in_place(folder_of(tmp_path / "b", report__json="new"), target)
    assert content(target) == {"report.json": "new", "notes.txt": "mine"}


@pytest.mark.parametrize("failing", ["overview.png", "report.html", "report.json"])
def test_half_a_replacement_does_not_look_finished(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder_of(tmp_path / "a", report__json="old", overview__png="old")
    source = folder_of(tmp_path / "b", overview__png="new", report__html="new", report__json="new")
    replace = Path.replace

    def failing_at(self: Path, to: Path) -> Path:
        if self.name == failing:
            raise OSError(28, "No space left on device")
        return replace(self, to)

    monkeypatch.setattr(Path, "replace", failing_at)
    with pytest.raises(OutputError, match="a: got No space left on device"):
        put_in_place(source, target)
    assert not (target / "report.json").exists()


def test_what_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    theirs = folder_of(tmp_path / "a", image__nii="pixels")
    assert is_foreign(theirs)
    with pytest.raises(OutputError, match="a folder of that name that is not heartseg's"):
        put_in_place(folder_of(tmp_path / "b", report__json="new"), theirs)
    assert content(theirs) == {"image.nii": "pixels"}
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert is_foreign(tmp_path / "link")
    assert not is_foreign(tmp_path / "nothing")


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "new" / "deep")
    assert not list((tmp_path / "new" / "deep").iterdir())
