"""Where the code came from, read from a checkout as git lays it out."""

from datetime import datetime
from pathlib import Path

import pytest

from heartseg.core import provenance

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree whose src/heartseg/core/provenance.py is this module."""
    module = root / "src" / "heartseg" / "core" / "provenance.py"
    module.parent.mkdir(parents=True)
    monkeypatch.setattr(provenance, "__file__", str(module))
    (root / ".git").mkdir()
    return root / ".git"


def test_a_branch_is_followed_to_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = _checkout(tmp_path, monkeypatch)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert provenance.source_commit() == COMMIT


def test_a_packed_branch_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = _checkout(tmp_path, monkeypatch)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(
        f"# pack-refs\n{'f' * 40} refs/heads/xmain\n{COMMIT} refs/heads/main\n"
    )
    assert provenance.source_commit() == COMMIT


def test_a_detached_head_is_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = _checkout(tmp_path, monkeypatch)
    (git / "HEAD").write_text(COMMIT + "\n")
    assert provenance.source_commit() == COMMIT


def test_a_worktree_shares_the_branches_of_its_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = _checkout(tmp_path / "tree", monkeypatch)
    git.rmdir()
    shared = tmp_path / "main" / ".git"
    own = shared / "worktrees" / "tree"
    own.mkdir(parents=True)
    git.write_text(f"gitdir: {own}\n")
    (own / "HEAD").write_text("ref: refs/heads/side\n")
    (own / "commondir").write_text("../..\n")
    (shared / "refs" / "heads").mkdir(parents=True)
    (shared / "refs" / "heads" / "side").write_text(COMMIT + "\n")
    assert provenance.source_commit() == COMMIT


def test_an_installed_package_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    assert provenance.source_commit() is None


def test_now_is_utc_to_the_second() -> None:
    moment = datetime.fromisoformat(provenance.now())
    assert moment.utcoffset() is not None
    assert moment.microsecond == 0
