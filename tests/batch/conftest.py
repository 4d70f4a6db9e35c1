"""What tests of many studies share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heartseg.batch import Plan
from heartseg.pipeline import Settings

QUICK = ("nifti", "json")


@pytest.fixture
def plan(gauge: Path, tmp_path: Path) -> Callable[..., Plan]:
    def make(*inputs: Path, out: Path | None = None, **more: object) -> Plan:
        settings = Settings(model=str(gauge), device="cpu", formats=QUICK)
        plan = Plan(inputs=inputs, out=out or tmp_path / "out", settings=settings)
        return replace(plan, **more)

    return make
