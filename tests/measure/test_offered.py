"""Measures of other packages: in every report, named, and never its end."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heartseg.core.study import Body, Phases, View
from heartseg.measure import offered
from heartseg.measure.echo import measure_long_axis
from heartseg.measure.function import Function, measure_function
from heartseg.measure.measures import STACK
from tests.measure import echoes
from tests.measure.hearts import boxes, segmentation

PLUGIN = '''
from heartseg.measure.number import Number
from heartseg.measure.table import FRACTION, LENGTH, VOLUME, Indexed, Measure


def frames(seen):
    """Frames."""
    return Number(float(seen.segmentation.frames))


def views(seen):
    """Views."""
    return Number(float(len(seen.views)))


def fails(seen):
    raise KeyError("a stranger's fault")


FRAMES = Measure(name="Frames in mL", of=frames, kind=VOLUME, indexed=Indexed())
VIEWS = Measure(name="Views", of=views, kind=FRACTION)
FAILS = Measure(name="Fails", of=fails, kind=LENGTH)
WRONG = Measure(name="No number", of=lambda seen: 3.0, kind=FRACTION)
SILENT = Measure(name="No reason", of=lambda seen: Number(None), kind=FRACTION)
ENDLESS = Measure(name="Endless", of=lambda seen: Number(float("inf")), kind=FRACTION)
NOTHING = 7
'''


class Installed:
    """Packages beside heartseg, that offer what a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def offers(self, package: str, group: str, **points: str) -> None:
        info = self.folder / f"{package}-1.dist-info"
        info.mkdir()
        lines = "".join(f"{name} = strangers_measures:{line}\n" for name, line in points.items())
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
        importlib.invalidate_caches()
        offered._points.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "strangers_measures.py").write_text(PLUGIN)
    yield Installed(tmp_path)
    sys.modules.pop("strangers_measures", None)
    offered._points.cache_clear()


def measured() -> Function:
    pair = Phases(ed=0, es=1, how="given")
    return measure_function(segmentation(boxes()), pair, Body(height_cm=180, weight_kg=80))


def test_a_package_adds_a_measure_to_every_report(installed: Installed) -> None:
    before = measured()
    installed.offers("strangers", offered.STACK_GROUP, frames_ml="FRAMES")
    after = measured()

    assert after.value("frames_ml") == 2.0
    assert after.value("frames_ml_per_m2") == pytest.approx(1.0)
    assert "Frames in mL: measured by package strangers." in after.conventions
    theirs = ("frames_ml", "frames_ml_per_m2")
    assert tuple(one for one in after.findings if one.key not in theirs) == before.findings


def test_long_axis_views_have_a_group_of_their_own(installed: Installed) -> None:
    installed.offers(
        "strangers", offered.LONG_AXIS_GROUP, views_seen="VIEWS", views_seen_mm="FAILS"
    )
    seen = measure_long_axis({View.LAX_2CH: echoes.view(echoes.frame(80, 50))}, {})

    found = {one.key: one for one in seen.findings}
    assert found["views_seen"].value == 1.0
    assert "Views: measured by package strangers." in seen.conventions
    assert "views_seen" not in {one.key for one in measured().findings}


@pytest.mark.parametrize(
    ("key", "line", "said"),
    [
        ("lv_mm", "FAILS", 'of package strangers failed: KeyError: "a stranger\'s fault"'),
        ("lv_x", "WRONG", "gave float, not a Number"),
        ("lv_x", "SILENT", "gave no reason"),
        ("lv_x", "ENDLESS", "gave inf"),
    ],
)
def test_one_that_fails_has_no_value_and_the_report_goes_on(
    installed: Installed, key: str, line: str, said: str
) -> None:
    installed.offers("strangers", offered.STACK_GROUP, **{key: line})
    after = measured()
    one = next(one for one in after.findings if one.key == key)
    assert one.value is None
    assert said in str(one.problem)
    assert after.value("lv_ef") == 0.5


@pytest.mark.parametrize(
    ("key", "line", "said"),
    [
        ("lv_ef", "VIEWS", "in use already"),
        ("LV", "VIEWS", "words of a-z"),
        ("frames_per_m2", "VIEWS", "words of a-z"),
        ("frames", "FRAMES", "one in _ml"),
        ("lv_x", "NOTHING", "a Measure"),
        ("lv_x", "ABSENT", "AttributeError"),
    ],
)
def test_what_cannot_be_used_is_said_and_changes_nothing(
    installed: Installed, key: str, line: str, said: str
) -> None:
    before = measured()
    installed.offers("strangers", offered.STACK_GROUP, **{key: line})
    after = measured()
    assert after.findings == before.findings
    (about,) = set(after.conventions) - set(before.conventions)
    assert about.startswith(f"Not measured: measure '{key}' of package strangers")
    assert said in about


def test_nothing_is_said_where_nothing_is_offered() -> None:
    alone = offered.with_offers(STACK, offered.STACK_GROUP)
    assert (list(alone.measures), alone.said) == (list(STACK), ())
