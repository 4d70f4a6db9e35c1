"""`heartseg networks`: the whole table, one network's layers, and neither without torch."""

import json
import subprocess
import sys

import pytest

from tests.cli.door import heartseg

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
sys.argv = ["heartseg", *sys.argv[1:]]
from heartseg.cli import main
main()
"""


def without_torch(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_network_is_listed_with_its_numbers() -> None:
    from heartseg.models import ARCHITECTURES
    from heartseg.models.survey import surveys

    rows = heartseg("networks", "--json").json()
    assert [row["name"] for row in rows] == list(ARCHITECTURES)
    by_name = {row["name"]: row for row in rows}
    assert by_name["cmr-unet"]["parameters"] == 8_480_739
    assert by_name["unet-2015"]["native_size"] == [572, 572]
    assert by_name["unet-2015"]["output_size"] == [388, 388]
    assert by_name["unet-2015"]["receptive_field"] == [204, 204]
    for one in surveys(ARCHITECTURES)[0]:
        assert by_name[one.name]["multiply_adds"] == one.multiply_adds > 0
    text = heartseg("networks").out
    assert "8,480,739" in text
    assert "Ronneberger 2015" in text


def test_a_network_is_shown_layer_by_layer() -> None:
    rows = heartseg("networks", "cmr-unet", "--json").json()
    assert sum(row["parameters"] for row in rows) == 8_480_739
    assert rows[0] == {
        "name": "encoder.0.0",
        "kind": "Conv2d",
        "output": [1, 32, 256, 256],
        "parameters": 320,
        "multiply_adds": 256 * 256 * 32 * 9,
    }
    text = heartseg("networks", "cmr-unet").out
    assert "1 x 512 x 16 x 16" in text
    assert text.strip().splitlines()[-1].split() == [
        *("cmr-unet", "in", "all", "8,480,739", f"{sum(r['multiply_adds'] for r in rows):,}")
    ]


def test_a_network_that_does_not_exist_is_wrong_usage() -> None:
    done = heartseg("networks", "vnet")
    assert done.code == 2
    assert "did you mean" in done.err


def test_without_torch_the_names_and_the_install_line_are_left() -> None:
    from heartseg.models import ARCHITECTURES

    done = without_torch("networks", "--json")
    assert done.returncode == 0
    assert [row["name"] for row in json.loads(done.stdout)] == list(ARCHITECTURES)
    assert "pip install 'heartseg[train]'" in done.stderr
    text = without_torch("networks").stdout
    assert "unet-2015" in text
    assert "pip install 'heartseg[train]'" in text


def test_without_torch_layers_cannot_be_shown() -> None:
    done = without_torch("networks", "unet")
    assert done.returncode == 1
    assert "pip install 'heartseg[train]'" in done.stderr


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_a_broken_package_does_not_hide_the_table(
    json_: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint

    from heartseg import models
    from heartseg.models import registry
    from heartseg.models.table import TABLE

    points = [EntryPoint("broken", "nowhere:Net", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.setattr(models, "ARCHITECTURES", registry.Registry({"unet": TABLE["unet"]}))
    done = heartseg("networks", *json_)
    assert done.code == 0
    assert "2,846,692" in done.out or done.json()[0]["parameters"] == 2_846_692
    assert "network 'broken'" in done.err
