"""What the columns of thesis 001 can mean is computed by the formulas that its page shows."""

from types import ModuleType

import numpy as np
import pytest

from tests.house.scripts import ROOT, script


@pytest.fixture(scope="module")
def definitions() -> ModuleType:
    return script(ROOT / "benchmarks" / "thesis_definitions.py")


def text_of(numbers: np.ndarray) -> str:
    """Nine tables of eleven networks, and a tenth that repeats some of them."""
    blocks = []
    for number, table in enumerate(numbers.reshape(9, 11, 6), start=1):
        lines = ["U-Net\tResNet 18\t" + "\t".join(f"{x:.3f}" for x in line) for line in table]
        blocks.append("\n".join([f"Table {number}: The results", *lines]))
    blocks.append("\n".join(["Table 10-1: The results", *lines]))
    return "contents\n" + "\n\n".join(blocks)


def test_pairs_are_of_one_kind_of_data(definitions: ModuleType) -> None:
    numbers = np.random.default_rng(0).integers(700, 999, (99, 6)) / 1000
    found = definitions.triples(text_of(numbers))
    assert np.array_equal(found.accuracy, [*numbers[:, 0], *numbers[:, 1]])
    assert np.array_equal(found.miou, [*numbers[:, 2], *numbers[:, 3]])
    assert np.array_equal(found.recall, [*numbers[:, 4], *numbers[:, 5]])


def test_the_foreground_follows_from_two_classes(definitions: ModuleType) -> None:
    """Of 1000 pixels 100 are LV; 90 are found, and 20 that are none."""
    foreground, rest = 90 / 120, 880 / 910
    one = definitions.Triples(*(np.array([x]) for x in (0.8, (foreground + rest) / 2, 0.9)))
    assert definitions.two_classes(one, 0.1)[0] == pytest.approx(foreground, abs=1e-4)


def test_pairs_beyond_what_two_classes_can_be_are_counted(definitions: ModuleType) -> None:
    """0.8 as hard Dice is 2 / 3 as IoU: two classes can have up to 0.833."""
    found = definitions.Triples(
        np.array([0.8, 0.8, 0.8]), np.array([0.79, 0.83, 0.84]), np.array([0.9, 0.9, 0.9])
    )
    said = definitions.told(found)
    assert "Of 3 pairs the MIoU is above the accuracy in 2" in said
    assert "bound of two classes in 1." in said
    alone = next(line for line in said.splitlines() if "foreground alone" in line)
    dice = [2 * m / (1 + m) for m in found.miou]
    assert f"| {np.mean(dice):.3f} | {max(dice):.3f} |" in alone
