"""Settings: what is accepted, what is refused and how that is said, and the way back."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heartseg.config import from_table, load, to_table, to_toml
from heartseg.core.errors import ConfigError


class Plane(StrEnum):
    SHORT_AXIS = "sax"
    FOUR_CHAMBER = "4ch"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    steps: int = 5
    rate: float = 1e-3
    note: str | None = "warm"
    size: tuple[int, float] = (1, 2.0)
    milestones: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    data: str
    schedule: Schedule = field(default_factory=Schedule)
    device: Literal["cpu", "cuda"] = "cpu"
    plane: Plane = Plane.SHORT_AXIS
    out: Path | None = None
    crop: int | tuple[int, ...] = 3
    level: Literal[1, 2] = 1
    flips: bool = False
    model: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    derived: int = field(default=0, init=False)


def read(folder: Path, text: str, *overrides: str) -> Run:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return load(Run, path, overrides)


def test_a_file_says_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    run = read(tmp_path, 'data = "acdc"\n[schedule]\nsteps = 20_000\nrate = 1\n')
    assert run == Run(data="acdc", schedule=Schedule(steps=20_000, rate=1.0))
    assert isinstance(run.schedule.rate, float)


def test_every_kind_of_setting_is_read(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        'data = "acdc"\ndevice = "cuda"\nplane = "4ch"\nout = "a/b"\ncrop = [1, 2]\nflips = true\n'
        "[model]\nwidth = 48\n[weights]\nlv = 2\n[schedule]\nsize = [3, 4]\nmilestones = [5, 6, 7]",
    )
    assert run.device == "cuda"
    assert run.plane is Plane.FOUR_CHAMBER
    assert run.out == Path("a/b")
    assert run.crop == (1, 2)
    assert run.flips is True
    assert run.model == {"width": 48}
    assert run.weights == {"lv": 2.0}
    assert run.schedule.size == (3, 4.0)
    assert run.schedule.milestones == (5, 6, 7)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("schedule.stpes = 3", r"run.toml: schedule.stpes: got no such .*did you mean 'steps'\?"),
        ("dtaa = 3", r"run.toml: dtaa: .*; allowed: data, schedule, .*did you mean 'data'\?"),
        ("zzz = 3", r"run.toml: zzz: got no such setting; allowed: [^;]*$"),
        ("derived = 3", "run.toml: derived: got no such setting"),
        ("schedule.steps = 1.5", "run.toml: schedule.steps: got 1.5; allowed: a whole number"),
        ("schedule.steps = true", "run.toml: schedule.steps: got true; allowed: a whole number"),
        ("schedule.rate = '1'", "run.toml: schedule.rate: got '1'; allowed: a number"),
        ("schedule = 3", "run.toml: schedule: got 3; allowed: a table of settings"),
        ("schedule.size = [1]", r"run.toml: schedule.size: got \[1\]; allowed: a list of 2"),
        ("schedule.size = 1", "run.toml: schedule.size: got 1; allowed: a list"),
        ("schedule.milestones = [1, 'a']", r"run.toml: schedule.milestones\[1\]: got 'a'"),
        ("schedule.note = 1", "run.toml: schedule.note: got 1; allowed: text"),
        ("device = 'gpu'", "run.toml: device: got 'gpu'; allowed: 'cpu', 'cuda'"),
        ("plane = 'SAX'", "run.toml: plane: got 'SAX'; allowed: 'sax', '4ch'"),
        ("level = true", "run.toml: level: got true; allowed: 1, 2"),
        ("crop = 'none'", "run.toml: crop: got 'none'; allowed: a whole number or tuple"),
        ("crop = 'a'", "run.toml: crop: got 'a'; allowed: a whole number or tuple"),
        ("flips = 1", "run.toml: flips: got 1; allowed: true or false"),
        ("model = 1", "run.toml: model: got 1; allowed: a table"),
        ("weights.lv = 'x'", "run.toml: weights.lv: got 'x'; allowed: a number"),
        ("data", "run.toml: got no TOML: "),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, f"data = 'acdc'\n{line}\n")


def test_a_setting_without_default_must_be_given() -> None:
    with pytest.raises(ConfigError, match="settings: data: got nothing; this setting has no"):
        from_table(Run, {})


def test_overrides_are_stronger_than_the_file_and_typed_by_the_settings(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        'data = "acdc"\nflips = true\n[schedule]\nsteps = 9\nmilestones = [1]\n',
        *("schedule.rate=3", "schedule.note=none", "out=a/b", "data = 5", "plane=4ch"),
        *("crop=[1, 2]", "flips=false", "model.width=7", "model.name=unet", "device='cuda'"),
        "level=2",
    )
    assert run.schedule == Schedule(steps=9, rate=3.0, note=None, milestones=(1,))
    assert (run.data, run.out, run.plane) == ("5", Path("a/b"), Plane.FOUR_CHAMBER)
    assert (run.crop, run.flips, run.device, run.level) == ((1, 2), False, "cuda", 2)
    assert run.model == {"width": 7, "name": "unet"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.stpes=3", "schedule.stpes.*did you mean 'steps'"),
        ("schedule.steps=x", "schedule.steps: got 'x'; allowed: a whole number"),
        ("schedule=3", "schedule: got '3'; allowed: a table of settings"),
        ("schedule.steps.deep=1", "schedule.steps: got .*; allowed: a whole number"),
        ("steps", "--set: got 'steps'; allowed: a.b=value"),
        ("a..b=1", "--set: got 'a..b=1'"),
    ],
)
def test_an_override_that_does_not_fit_is_said(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, 'data = "acdc"\n', override)


def test_a_base_lies_beside_the_file_and_is_weaker(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    below = tmp_path / "below" / "base.toml"
    below.write_text('data = "acdc"\nflips = true\n[schedule]\nsteps = 9\nrate = 0.5\n')
    run = read(tmp_path, 'base = "below/base.toml"\n[schedule]\nsteps = 7\n')
    assert run == Run(data="acdc", flips=True, schedule=Schedule(steps=7, rate=0.5))


def test_a_base_of_a_base_is_refused(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text('base = "three.toml"\n')
    with pytest.raises(ConfigError, match=r"run.toml: base: got 'two.toml'.*one level.*three.toml"):
        read(tmp_path, 'base = "two.toml"\n')


def test_a_base_that_is_no_name_or_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run.toml: base: got 3"):
        read(tmp_path, "base = 3\n")
    with pytest.raises(ConfigError, match="gone.toml: got No such file"):
        read(tmp_path, 'base = "gone.toml"\n')


def test_a_file_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b'data = "\xff"')
    with pytest.raises(ConfigError, match="run.toml: got no TOML"):
        load(Run, path)


def test_resolved_settings_hold_the_defaults_and_come_back_equal() -> None:
    run = Run(
        data='a "b"\n\x7f\\',
        schedule=Schedule(note=None, milestones=(1, 2)),
        out=Path("a/b"),
        model={"name": "unet", "deep er": {"a.b": [1, 2], "empty": {}}},
    )
    table = to_table(run)
    assert table["schedule"]["rate"] == 1e-3
    assert "derived" not in table
    assert from_table(Run, tomllib.loads(to_toml(table))) == run


def test_a_none_that_is_the_default_is_left_out() -> None:
    assert "out" not in to_table(Run(data="a"))


_leaves = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.text())
)
_tables = st.recursive(
    st.dictionaries(st.text(), _leaves),
    lambda inner: st.dictionaries(st.text(), st.one_of(_leaves, inner)),
    max_leaves=12,
)


@given(_tables)
def test_any_table_survives_the_way_through_toml(table: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(table)) == table


def test_odd_numbers_are_written_as_toml_has_them() -> None:
    numbers = {"a": np.float64(0.1), "b": math.inf, "c": 1e22, "d": True}
    assert tomllib.loads(to_toml(numbers)) == {"a": 0.1, "b": math.inf, "c": 1e22, "d": True}


def test_what_toml_cannot_hold_is_said() -> None:
    with pytest.raises(ConfigError, match="model.mean: got ndarray"):
        to_toml({"model": {"mean": np.zeros(3)}})


def test_tables_inside_lists_are_written_inline() -> None:
    table = {"steps": [{"name": "flip", "share": 0.5}, {"name": "crop", "size": [3, 4]}]}
    assert tomllib.loads(to_toml(table)) == table


@dataclass(frozen=True, kw_only=True)
class Inner:
    deep: int = 1
    wide: int = 1


@dataclass(frozen=True, kw_only=True)
class Diet:
    sugar: int = 3
    salt: int = 4
    inner: Inner | None = None

    @classmethod
    def presets(cls) -> Mapping[str, "Diet"]:
        return {"strict": cls(sugar=0, salt=1, inner=Inner(deep=7, wide=8)), "usual": cls()}


@dataclass(frozen=True, kw_only=True)
class Menu:
    diet: Diet = field(default_factory=Diet)


def menu(folder: Path, text: str, *overrides: str) -> Diet:
    (folder / "menu.toml").write_text(text, encoding="utf-8")
    return load(Menu, folder / "menu.toml", overrides).diet


def test_a_preset_is_where_a_table_starts_and_what_it_says_wins(tmp_path: Path) -> None:
    strict = Diet.presets()["strict"]
    assert menu(tmp_path, '[diet]\npreset = "strict"\n') == strict
    assert menu(tmp_path, '[diet]\nsalt = 9\npreset = "strict"\n') == replace(strict, salt=9)
    inner = menu(tmp_path, '[diet]\npreset = "strict"\ninner.wide = 5\n').inner
    assert inner == Inner(deep=7, wide=5)
    assert menu(tmp_path, "[diet]\ninner.wide = 5\n").inner == Inner(deep=1, wide=5)
    assert menu(tmp_path, '[diet]\npreset = "strict"\ninner = "none"\n').inner is None
    assert "preset" not in to_table(strict)


def test_a_preset_may_come_from_the_command_line_or_a_base(tmp_path: Path) -> None:
    strict = Diet.presets()["strict"]
    assert menu(tmp_path, "", "diet.preset=strict") == strict
    chosen = menu(tmp_path, '[diet]\npreset = "usual"\n', 'diet.preset="strict"', "diet.salt=2")
    assert chosen == replace(strict, salt=2)
    (tmp_path / "below.toml").write_text('[diet]\npreset = "strict"\nsalt = 5\n')
    assert menu(tmp_path, 'base = "below.toml"\n[diet]\nsugar = 2\n') == replace(
        strict, salt=5, sugar=2
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('preset = "strickt"', "diet.preset: got 'strickt'; allowed: strict, usual; did you mean"),
        ("preset = 3", "diet.preset: got 3; allowed: strict, usual"),
        ('pre_set = "usual"', "diet.pre_set: got no such setting; allowed: .*preset"),
        ("salt = 'x'", "diet.salt"),
    ],
)
def test_a_preset_that_is_not_offered_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        menu(tmp_path, f"[diet]\n{text}\n")


def test_a_table_without_presets_knows_no_such_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"schedule.preset: got no such setting; allowed: steps"):
        read(tmp_path, 'data = "acdc"\n[schedule]\npreset = "usual"\n')
