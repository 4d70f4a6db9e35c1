"""`heartseg datasets FOLDER --to nnunet`."""

from heartseg.read import find_studies
from tests.cli.door import heartseg
from tests.read import miniatures, more_miniatures


def test_data_set_is_written_for_nnunet_and_its_split_is_said(tmp_path):
    miniatures.acdc(tmp_path / "acdc")
    out = tmp_path / "raw" / "Dataset027_ACDC"
    done = heartseg("datasets", tmp_path / "acdc", "--to", "nnunet", "-o", out)
    assert done.code == 0
    first, second = done.out.splitlines()
    assert first == "Dataset027_ACDC: 6 cases, 4 to train, 2 to test"
    assert "splits_final.json" in second
    assert [c.split for c in find_studies(out)] == ["train"] * 4 + ["test"] * 2


def test_what_was_skipped_is_said_and_fails(tmp_path):
    more_miniatures.mnms(tmp_path / "mnms")
    out = tmp_path / "Dataset100_x"
    done = heartseg("datasets", tmp_path / "mnms", "--to", "nnunet", "-o", out, "--json")
    assert done.code == 1
    assert done.json() == {
        "folder": "Dataset100_x",
        "cases": {"train": 4, "validate": 2, "test": 2},
        "skipped": [{"study": "C1K8P5", "said": "C1K8P5: got no labels"}],
    }


def test_split_by_number_is_that_of_heartsegs_own_runs(tmp_path):
    more_miniatures.mmwhs(tmp_path / "whole")
    out = tmp_path / "Dataset101_x"
    done = heartseg(
        "datasets", tmp_path / "whole" / "ct_train", "--to", "nnunet", "-o", out, "--by-number"
    )
    assert done.out.startswith("Dataset101_x: 2 cases, 1 to train, 1 to validate")


def test_wrong_usage_is_said(tmp_path):
    for words, said in (
        (["--to", "monai"], "--to: got 'monai'; allowed: nnunet"),
        (["--to", "nnunet"], "no folder"),
        ([tmp_path, "--to", "nnunet", "-o", tmp_path / "out"], "'out'; allowed: a folder such as"),
        ([tmp_path, "--to", "nnunet"], "--out: got none"),
    ):
        done = heartseg("datasets", *words)
        assert done.code == 2
        assert said in done.err
