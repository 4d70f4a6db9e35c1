"""What every format of the table keeps to, through every way that foreign libraries write it."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import FormatError, GeometryError, LabelError
from heartseg.core.image import Image
from heartseg.formats import data_file, table
from heartseg.formats.table import FORMATS, format_of
from heartseg.read import find_studies, read_study
from heartseg.read.folder import ALLOWED
from heartseg.read.image_file import read_labels
from tests import foreign
from tests.formats.writers import STEP_MS, WRITERS, Writer, values

CASES = [(w, axes) for w, axes in product(WRITERS, (2, 3, 4)) if axes <= w.axes]
LABELLED = [writer for writer in WRITERS if FORMATS[writer.format].labels]
NAMES = {"ids": lambda one: getattr(one, "file", None)}


def written(folder: Path, writer: Writer, axes: int = 2, dtype: str = "uint8") -> Path:
    path = folder / writer.file
    writer.write(path, values(writer, axes, dtype))
    return path


def read(path: Path, spacing_mm: tuple[float, float, float] | None = None) -> Image:
    known = format_of(path.name)
    assert known is not None
    image, notes = known.door.read_noted(path, spacing_mm)
    assert isinstance(image, Image)
    assert all(isinstance(note, str) for note in notes)
    return image


def test_every_format_has_a_foreign_writer_and_a_door() -> None:
    assert {writer.format for writer in WRITERS} == set(FORMATS)
    for one in FORMATS.values():
        assert set(one.suffixes) <= set(one.door.SUFFIXES)
        assert hasattr(one.door, "read_image")
        assert hasattr(one.door, "read_labels") or not one.labels
        assert all(suffix in ALLOWED for suffix in one.suffixes)
    for writer in WRITERS:
        assert format_of(writer.file.upper()) is FORMATS[writer.format]
    assert len(set(table.SUFFIXES)) == len(table.SUFFIXES)


@pytest.mark.parametrize(("writer", "axes"), CASES, **NAMES)
def test_voxels_places_and_times_come_back(writer: Writer, axes: int, tmp_path: Path) -> None:
    expected = values(writer, axes)
    image = read(written(tmp_path, writer, axes))
    assert image.voxels.shape == expected.shape
    if writer.exact:
        assert np.array_equal(image.voxels, expected)
    else:
        assert np.abs(image.voxels.astype(int) - expected).mean() < 12
    assert image.geometry.unit == ("mm" if writer.spacing else "px")
    if writer.spacing:
        assert image.geometry.spacing == pytest.approx(foreign.SPACING, abs=1e-4)
    if axes == 4:
        times = [t * STEP_MS for t in range(3)] if writer.times else None
        assert image.times_ms == (times and pytest.approx(times, abs=1))


@pytest.mark.parametrize("writer", [w for w in WRITERS if w.place], **NAMES)
@pytest.mark.parametrize("axes", [3, 4])
def test_the_marked_voxel_lies_at_one_millimetre_through_every_door(
    writer: Writer, axes: int, tmp_path: Path
) -> None:
    ((_, image),) = read_study(written(tmp_path, writer, axes)).images.items()
    index = np.unravel_index(int(image.voxels[0].argmax()), image.geometry.shape)
    np.testing.assert_allclose(image.geometry.point(index), foreign.marked_mm(), atol=1e-3)


@pytest.mark.parametrize(("writer", "axes"), CASES, **NAMES)
def test_the_spacing_of_the_user_is_taken(writer: Writer, axes: int, tmp_path: Path) -> None:
    path = written(tmp_path, writer, axes)
    geometry = read(path, (7, 2, 3)).geometry
    assert (geometry.unit, geometry.spacing) == ("mm", pytest.approx((7, 2, 3)))
    with pytest.raises(GeometryError, match="spacing"):
        read(path, (7, 2, 3000))


@pytest.mark.parametrize("writer", WRITERS, **NAMES)
def test_an_empty_file_and_a_letter_are_said(writer: Writer, tmp_path: Path) -> None:
    for content in (b"", b"dear heart, this is a letter and no picture. " * 30):
        (tmp_path / writer.file).write_bytes(content)
        with pytest.raises(FormatError, match=rf"^{writer.file}: got .*(again|really is)"):
            read(tmp_path / writer.file)


@pytest.mark.parametrize("writer", WRITERS, **NAMES)
def test_truncated_at_many_lengths_is_said(writer: Writer, tmp_path: Path) -> None:
    path = written(tmp_path, writer, min(3, writer.axes))
    whole = path.read_bytes()
    end = int(len(whole) * writer.whole) - 1
    for length in sorted({1, 2, 3, 7, 12, *range(0, end, max(1, end // 40)), end - 1}):
        path.write_bytes(whole[:length])
        if length > len(whole) - 8 and path.suffix in (".mhd", ".nhdr"):
            continue  # a header without its last letters names another file, or ends as well
        with pytest.raises((FormatError, GeometryError)) as caught:
            read(path)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("writer", LABELLED, **NAMES)
@pytest.mark.parametrize("axes", [2, 3, 4])
def test_labels_come_back_and_unknown_numbers_are_refused(
    writer: Writer, axes: int, tmp_path: Path
) -> None:
    if axes > writer.axes:
        return
    path = tmp_path / writer.file
    numbers = values(writer, axes) % 4
    writer.write(path, numbers)
    found = read_labels(path, SCHEMES["acdc"])
    assert np.array_equal(SCHEMES["acdc"].write(found.labels), numbers)
    assert len(found.structures) == 3
    writer.write(path, numbers + (numbers == 3) * np.uint8(4))
    with pytest.raises(LabelError, match=rf"{writer.file}.*\[7\].*--scheme"):
        read_labels(path, SCHEMES["acdc"])


@pytest.mark.parametrize("writer", [w for w in WRITERS if w not in LABELLED], **NAMES)
def test_formats_that_change_numbers_hold_no_labels(writer: Writer, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"which changes them; allowed: \.nii\.gz"):
        read_labels(written(tmp_path, writer), SCHEMES["acdc"])


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("writer", [w for w in WRITERS if w.place], **NAMES)
def test_types_are_kept(writer: Writer, dtype: str, tmp_path: Path) -> None:
    image = read(written(tmp_path, writer, 3, dtype))
    assert image.voxels.dtype == np.dtype(dtype)


# Folders


def test_a_folder_may_mix_all_formats_and_leaves_labels_and_data_files_out(tmp_path: Path) -> None:
    for number, writer in enumerate(WRITERS):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path = written(folder, writer, min(3, writer.axes))
        for ending in ("_gt", "-seg", "_mask", ".seg"):
            stem, dot, rest = path.name.partition(".")
            (folder / f"{stem}{ending}{dot}{rest}").write_bytes(path.read_bytes())
    found = find_studies(tmp_path)
    assert len(found) == len(WRITERS)
    assert sorted(c.path.name for c in found) == sorted(writer.file for writer in WRITERS)
    for candidate in found:
        assert candidate.load().images


def test_voxels_without_their_header_say_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "a.zraw").write_bytes(b"12345")
    with pytest.raises(FormatError, match=r"without their header; name the header"):
        read_study(tmp_path / "a.zraw")


def test_a_name_in_a_header_is_as_short_as_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.mhd").touch()
    with pytest.raises(FormatError) as caught:
        data_file.beside(tmp_path / "a.mhd", "b" * 200)
    assert len(str(caught.value)) < 300
