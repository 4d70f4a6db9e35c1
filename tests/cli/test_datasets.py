"""`heartseg datasets`."""

import json

from heartseg.read.layouts import LAYOUTS
from tests.cli.door import heartseg
from tests.read import miniatures


def test_every_data_set_is_listed_with_how_to_obtain_it():
    done = heartseg("datasets")
    rows = heartseg("datasets", "--json").json()
    names = [layout.name for layout in LAYOUTS.values() if layout.card]
    assert [row["name"] for row in rows] == names
    assert done.code == 0
    for row in rows:
        assert row["name"] in done.out
        assert row["obtain"] in done.out


def test_one_card_is_shown_whole():
    done = heartseg("datasets", "camus-nifti")
    assert done.code == 0
    assert "database_split/subgroup_" in done.out
    assert heartseg("datasets", "camus-nifti", "--json").json()["patients"] == 500


def test_card_says_where_its_licence_was_read_or_that_it_was_not():
    """A licence from memory is worse than none."""
    for row in heartseg("datasets", "--json").json():
        assert row["source"], row["name"]
        unconfirmed = "not found" in row["source"] or "without naming terms" in row["licence"]
        assert ("not confirmed" in row["licence"]) >= unconfirmed, row["name"]
    assert "LICENSE_TERMS.md" in heartseg("datasets", "acdc").out


def test_unknown_name_is_wrong_usage():
    done = heartseg("datasets", "acd")
    assert done.code == 2
    assert "'acd'; allowed: acdc" in done.err


def test_good_copy_is_clean_and_says_how_partial_it_is(tmp_path):
    miniatures.acdc(tmp_path)
    done = heartseg("datasets", "--check", tmp_path)
    assert done.code == 0
    assert done.out.splitlines() == [
        "note, missing: 3 of 150 published patients",
        "acdc: 3 cases, 0 wrong, 1 notes",
    ]


def test_damaged_copy_fails_and_names_the_file(tmp_path):
    miniatures.acdc(tmp_path)
    file = tmp_path / "training" / "patient002" / "patient002_frame09.nii.gz"
    file.write_bytes(file.read_bytes()[:200])
    done = heartseg("datasets", "--check", tmp_path, "--as", "acdc")
    assert done.code == 1
    assert "unreadable: patient002: patient002_frame09.nii.gz" in done.out
    assert str(tmp_path) not in done.out + done.err
    machine = heartseg("datasets", "--check", tmp_path, "--json")
    assert machine.code == 1
    found = json.loads(machine.out)
    assert (found["layout"], found["cases"], found["wrong"]) == ("acdc", 3, 1)
    assert found["flaws"][0]["kind"] == "unreadable"


def test_folder_without_the_data_set_is_said(tmp_path):
    done = heartseg("datasets", "--check", tmp_path, "--as", "camus")
    assert done.code == 1
    assert "no case of camus" in done.err
