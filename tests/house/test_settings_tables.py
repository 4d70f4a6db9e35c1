"""The page of settings and warm starts: tables from invented rows, curves from invented logs."""

import json
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script
from tests.house.test_paper_tables import row, write

pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(ROOT / "docs" / "settings_tables.py")


def settings(results: Path) -> None:
    lines = []
    for name, value in (("base", 0.7), ("rate-3e-3", 0.75)):
        mean = row(f"setting {name}", value, structure="mean")
        lines.append({**mean, "low": str(value - 0.02), "high": str(value + 0.02)})
        lines.append(row(f"setting {name}", value + 0.1, structure="lv"))
        lines.append(row(f"setting {name}", 4.25, "HD95, px", "mean"))
        lines.append(row(f"setting {name}", 0.125, page_gap, "-"))
    write(results / "settings" / "rate-acdc.csv", lines)


page_gap = "validation less training loss"


def keep_logs(results: Path) -> None:
    """In the other order than the rows."""
    archive = results / "runs" / "settings-rate-acdc.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as kept:
        for name in ("rate-3e-3", "base"):
            told = {"run": f"{name}-1", "axis.setting": name}
            kept.writestr(f"runs/{name}-1/validate/result.json", json.dumps(told))
            lines = [{"step": step, "loss": 1 - step / 100} for step in (10, 20, 30, 40)]
            lines.append({"step": 40, "validation_loss": 0.85})
            kept.writestr(f"runs/{name}-1/log.jsonl", "\n".join(map(json.dumps, lines)))


def test_a_line_a_setting_with_the_usual_one_marked(page: ModuleType, tmp_path: Path) -> None:
    settings(tmp_path)
    text = page.page(tmp_path)
    assert page_gap == page.GAP
    base = "| **`base`** (usual) | 0.700 (0.680 to 0.720) | 0.800 | 4.2 | 0.125 | not run | 2400 |"
    assert base in text
    assert "| HD95, px |" in text
    assert "HD95, mm" not in text  # nobody has it
    assert "| `rate-3e-3` | 0.750 (0.730 to 0.770) | 0.850 |" in text
    assert "`runs/grids/settings-batch-camus.toml`: not run." in text
    assert "settings-rate-acdc.svg" not in text  # no logs were kept


def test_curves_stand_in_the_order_of_the_rows_with_their_gap(
    page: ModuleType, tmp_path: Path
) -> None:
    settings(tmp_path)
    keep_logs(tmp_path)
    assert "![Losses of training and validation](settings-rate-acdc.svg)" in page.page(tmp_path)
    [(name, picture)] = page.figures(tmp_path).items()
    assert name == "settings-rate-acdc.svg"
    assert 0 < picture.index(">base<") < picture.index(">rate-3e-3<")
    assert picture.count("gap +0.250") == 2  # 0.85 where training had 0.6
    assert picture.count("40 steps") == 2


def test_warm_starts_by_patients_and_frozen_encoders_dashed(
    page: ModuleType, tmp_path: Path
) -> None:
    lines = []
    for patients, value in (("2", 0.5), ("5", 0.6)):
        for source, learns, more in (("none", "full", 0), ("mr", "decoder", 0.1)):
            labels = f"split.patients {patients}, source {source}, learns {learns}"
            one = row(labels, value + more, structure="mean")
            lines.append({**one, "low": "0.4", "high": "0.9"})
    write(tmp_path / "transfer" / "camus.csv", lines)
    text = page.page(tmp_path)
    assert (
        "| nothing | 0.500 (0.400 to 0.900) | 0.600 (0.400 to 0.900) | not run | not run |" in text
    )
    assert "| cine MR of ACDC, encoder frozen | 0.600 (" in text
    [(name, picture)] = page.figures(tmp_path).items()
    assert name == "transfer-camus.svg"
    assert picture.count("stroke-dasharray") == 2  # the line, and its key


def test_without_any_row_nothing_is_claimed_and_nothing_is_drawn(
    page: ModuleType, tmp_path: Path
) -> None:
    assert page.page(tmp_path).count(": not run.") == 9 + 3
    assert not page.figures(tmp_path)
