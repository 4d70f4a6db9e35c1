"""The table of networks: names without torch, and the networks of other packages."""

import importlib.metadata
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError, MissingExtraError
from heartseg.models.registry import Registry
from heartseg.models.table import TABLE, Entry

OWN = {"unet": TABLE["unet"]}

PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from heartseg.models import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Architecture):
    """One convolution."""

    paper: ClassVar[str] = "nobody"
    stride: ClassVar[int] = 1

    kernel: int = 1

    def build(self, channels, classes):
        return nn.Conv2d(channels, classes, self.kernel, padding=self.kernel // 2)


WIDE = Linear(kernel=5)
EVEN = Linear(kernel="two")
NOTHING = 7
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Installed":
    """Packages beside heartseg, that offer what a test says."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "strangers_networks.py").write_text(PLUGIN)
    yield Installed(tmp_path)
    sys.modules.pop("strangers_networks", None)


@dataclass
class Installed:
    folder: Path

    def offers(self, package: str, **points: str) -> None:
        info = self.folder / f"{package}-1.dist-info"
        info.mkdir()
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[heartseg.networks]\n" + "\n".join(lines) + "\n")
        importlib.invalidate_caches()


def test_names_are_known_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from heartseg.core.errors import MissingExtraError\n"
        "from heartseg.models import ARCHITECTURES, build_network\n"
        "assert 'unet' in ARCHITECTURES and len(ARCHITECTURES) > 5\n"
        "try:\n    build_network('unet', 1, 2)\n"
        "except MissingExtraError as fault:\n    print(*ARCHITECTURES, fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("unet unet-2015 ")
    assert "pip install 'heartseg[train]'" in done.stdout


def test_a_package_adds_a_network_without_a_fork(installed: Installed) -> None:
    torch = pytest.importorskip("torch")
    installed.offers("strangers", line="strangers_networks:Linear", wide="strangers_networks:WIDE")
    networks = Registry(OWN)
    assert list(networks) == ["unet", "line", "wide"]
    assert len(networks) == 3
    assert networks.refused == []
    assert networks["line"].build(2, 3)(torch.zeros(1, 2, 5, 7)).shape == (1, 3, 5, 7)
    assert networks["wide"].kernel == 5


def test_a_clash_is_said_and_heartseg_s_own_wins(installed: Installed) -> None:
    pytest.importorskip("torch")
    installed.offers("strangers", unet="strangers_networks:Linear")
    networks = Registry(OWN)
    assert type(networks["unet"]).__name__ == "UNet"
    assert networks.refused == [
        "network 'unet' of package strangers: heartseg has one of this name, which is used"
    ]


def test_two_strangers_of_one_name_are_said(installed: Installed) -> None:
    pytest.importorskip("torch")
    installed.offers("aa", line="strangers_networks:Linear")
    installed.offers("bb", line="strangers_networks:WIDE")
    (problem,) = Registry(OWN).refused
    assert "network 'line' of package" in problem
    assert "is used" in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("strangers_networks:Absent", "AttributeError"),
        ("no_such_module:Linear", "no_such_module"),
        ("strangers_networks:NOTHING", "no paper, stride"),
    ],
)
def test_a_broken_one_is_an_error_of_its_own(installed: Installed, value: str, said: str) -> None:
    pytest.importorskip("torch")
    installed.offers("strangers", broken=value, line="strangers_networks:Linear")
    networks = Registry(OWN)
    assert list(networks) == ["unet", "broken", "line"]
    with pytest.raises(ConfigError, match=f"package strangers.*{said}"):
        networks["broken"]
    assert networks["line"].build(1, 1) is not None
    from heartseg.models.survey import surveys

    rows, problems = surveys(networks)
    assert [row.name for row in rows] == ["unet", "line"]
    assert len(problems) == 1
    assert "package strangers" in problems[0]


def test_one_that_cannot_be_built_has_no_row_and_is_said(installed: Installed) -> None:
    pytest.importorskip("torch")
    from heartseg.models.survey import surveys

    installed.offers("strangers", even="strangers_networks:EVEN")
    rows, problems = surveys(Registry(OWN))
    assert [row.name for row in rows] == ["unet"]
    assert "network 'even' of package strangers: got TypeError" in problems[0]


def test_a_name_that_could_command_a_terminal_is_refused(installed: Installed) -> None:
    pytest.importorskip("torch")
    installed.offers("strangers", **{"No Net": "strangers_networks:Linear"})
    networks = Registry(OWN)
    assert list(networks) == ["unet"]
    assert "allowed: a-z" in networks.refused[0]


def test_what_is_missing_is_a_missing_name() -> None:
    networks = Registry(OWN)
    assert "vnet" not in networks
    with pytest.raises(KeyError):
        networks["vnet"]


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "heartseg.models.unet", raising=False)
    with pytest.raises(MissingExtraError, match=r"heartseg\[train\]"):
        Registry({"unet": Entry("unet:UNet")})["unet"]
