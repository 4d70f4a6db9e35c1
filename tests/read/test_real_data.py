"""Every file of the real images at hand is known to its layout; every 20th case is opened."""

import time

import pytest

from heartseg.formats.table import format_of
from heartseg.read import find_studies

SETS = [
    ("acdc", 100, "acdc"),
    ("camus", 224, "camus-png"),
    ("camus_original", 3, "camus"),
    ("emidec", 85, "emidec-png"),
    ("sunnybrook", 1, "sunnybrook"),
    ("rvsc_p09", 1, "rvsc"),
]


@pytest.mark.parametrize(("folder", "cases", "layout"), SETS)
def test_every_file_belongs_to_a_case(folder, cases, layout, real_data):
    root = real_data / folder
    found = find_studies(root)
    assert len(found) == cases
    assert {c.layout for c in found} == {layout}
    taken = {file.absolute() for c in found for file in c.files}
    images = (f for f in root.rglob("*") if format_of(f.name) or f.name.endswith((".dcm", ".raw")))
    assert {f.absolute() for f in images} <= taken
    assert all(file.is_file() for file in taken)


OPENED = [row for row in SETS if row[0] != "sunnybrook"]
"""Sunnybrook's 240 files are opened by the tests of its reader."""


@pytest.mark.parametrize(("folder", "cases", "layout"), OPENED)
def test_cases_open_with_labels_on_their_grid(folder, cases, layout, real_data):
    for case in find_studies(real_data / folder)[::20]:
        study = case.load()
        for view, seg in case.reference().items():
            image = study.images[view]
            assert seg.frames == image.frames
            assert seg.geometry.same_grid(image.geometry)
            assert seg.labels.any()


def test_a_hundred_patients_are_found_at_once(real_data):
    start = time.perf_counter()
    find_studies(real_data / "acdc" / "training")
    assert time.perf_counter() - start < 2.0  # 0.1 s on an idle core
