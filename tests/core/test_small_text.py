"""A text that is read is small, regular and UTF-8."""

import os
from pathlib import Path

import pytest

from heartseg.config import load
from heartseg.core.anatomy import scheme
from heartseg.core.errors import ConfigError, LabelError
from heartseg.core.small_text import LARGEST, read_small_text
from heartseg.prepare import Preparation


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1\n\xc3\xa9")
    assert read_small_text(tmp_path / "a.toml") == "a = 1\n\u00e9"


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            read_small_text(path)


def test_a_large_file_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\n" * LARGEST)
    assert len(read_small_text(tmp_path / "a.toml")) == LARGEST
    (tmp_path / "a.toml").write_bytes(b"\n" * (LARGEST + 1))
    with pytest.raises(OSError, match="more than 4 MB"):
        read_small_text(tmp_path / "a.toml")


def test_settings_based_on_a_device_are_refused(tmp_path: Path) -> None:
    run = tmp_path / "run.toml"
    run.write_text('base = "/dev/zero"\n')
    with pytest.raises(ConfigError, match="zero: got not a regular file"):
        load(Preparation, run)


def test_a_scheme_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scheme.toml").symlink_to("/dev/zero")
    with pytest.raises(LabelError, match="not a regular file"):
        scheme(str(tmp_path / "scheme.toml"))
