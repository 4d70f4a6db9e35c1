"""Miniature copies of data sets, one maker a layout: `MINIATURES` has to name every layout with a
card. Each makes two patients or more, whose images differ and whose labels are whole."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import SimpleITK
from PIL import Image as Pictures

from heartseg.formats.dicom_write import write_cine
from tests import doors
from tests.read.test_dicom_study import cine

INFO = "ED: {ed}\nES: {es}\nNbFrame: 4\nSex: F\nAge: 56\nImageQuality: {quality}\n"


def _echo(seed: int) -> np.ndarray:
    """(y, x) grey values without any symmetry."""
    return np.random.default_rng(seed).integers(1, 250, (31, 23)).astype(np.uint8)


def _echo_labels(shift: int = 0) -> np.ndarray:
    """(y, x) CAMUS numbers: a cavity in its wall, an atrium below."""
    labels = np.zeros((31, 23), np.uint8)
    labels[3:18, 4 + shift : 16 + shift] = 2
    labels[5:18, 6 + shift : 14 + shift] = 1
    labels[18:25, 7 + shift : 13 + shift] = 3
    return labels


def _square(low: float, high: float) -> str:
    return f"{low} {low}\n{high} {low}\n{high} {high}\n{low} {high}\n"


def _save_itk(path: Path, yx: np.ndarray) -> None:
    image = SimpleITK.GetImageFromArray(yx[None])
    image.SetSpacing((0.308, 0.154, 1.54))
    SimpleITK.WriteImage(image, str(path))


def _save_png(path: Path, yx: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pictures.fromarray(yx).save(path)


def acdc(root: Path) -> None:
    """Two patients to train, one to test."""
    for part, number in (("training", 1), ("training", 2), ("testing", 101)):
        folder = root / part / f"patient{number:03d}"
        doors.write_patient(folder)
        for frame, radius in ((1, 8), (9, 5)):
            noise = np.random.default_rng(number + frame).integers(0, 90, doors.SHAPE)
            grey = doors.painted(doors.heart(radius)) + noise.astype(np.int16)
            doors.save_nifti(folder / f"{folder.name}_frame{frame:02d}.nii.gz", grey)


def sunnybrook(root: Path) -> None:
    """Two patients of one slice with contours."""
    for number in (1, 2):
        folder = root / f"SC-HF-I-{number}"
        files = write_cine(folder / "dicom", cine(seed=number))
        for count, file in enumerate(files, start=1):
            file.rename(file.with_name(f"{count}.dcm"))
        texts = folder / "contours"
        texts.mkdir()
        for place, kind, size in ((2, "i", 7), (2, "o", 9), (4, "i", 6)):
            file = texts / f"IM-0001-{place:04d}-{kind}contour-manual.txt"
            file.write_text(_square(3.5, size + 0.5))


def rvsc(root: Path) -> None:
    """Two patients of one slice with contours."""
    for number in (1, 2):
        folder, name = root / f"patient{number:02d}", f"P{number:02d}"
        for count, file in enumerate(write_cine(folder / f"{name}dicom", cine(seed=number))):
            file.rename(file.with_name(f"{name}-{count:04d}.dcm"))
        texts = folder / f"{name}contours-manual"
        texts.mkdir()
        for place, size in ((1, 8), (3, 6)):
            for kind in "io":
                file = texts / f"{name}-{place:04d}-{kind}contour-manual.txt"
                file.write_text(_square(3, size + (kind == "o")))


def camus(root: Path) -> None:
    """Two patients to train, one to test, as published."""
    for part, number in (("training", 1), ("training", 2), ("testing", 451)):
        folder = root / part / f"patient{number:04d}"
        folder.mkdir(parents=True)
        for v, view in enumerate(("2CH", "4CH")):
            info = INFO.format(ed=1, es=4, quality="Medium" if v else "Good")
            (folder / f"Info_{view}.cfg").write_text(
                info + "LVedv: 94.0\nLVesv: 34.6\nLVef: 63.2\n", encoding="ascii"
            )
            for p, phase in enumerate(("ED", "ES")):
                stem = f"{folder.name}_{view}_{phase}"
                _save_itk(folder / f"{stem}.mhd", _echo(number * 10 + 2 * v + p))
                _save_itk(folder / f"{stem}_gt.mhd", _echo_labels(p))


def camus_nifti(root: Path) -> None:
    """Three patients with labelled half-sequences; systole comes first in the four-chamber view."""
    lists = root / "database_split"
    lists.mkdir(parents=True)
    for number, subgroup in ((1, "training"), (2, "validation"), (3, "testing")):
        folder = root / "database_nifti" / f"patient{number:04d}"
        (lists / f"subgroup_{subgroup}.txt").write_text(f"{folder.name}\n", encoding="ascii")
        folder.mkdir(parents=True)
        for v, view in enumerate(("2CH", "4CH")):
            ed, es = (4, 1) if v else (1, 4)
            info = INFO.format(ed=ed, es=es, quality="Poor" if v else "Good")
            (folder / f"Info_{view}.cfg").write_text(info + "EF: 63\nFrameRate: 50.0\n", "ascii")
            frames = np.stack([_echo(number * 100 + 10 * v + f)[None] for f in range(4)])
            labels = np.stack([_echo_labels(f)[None] for f in range(4)])
            stem = f"{folder.name}_{view}"
            doors.save_nifti(folder / f"{stem}_half_sequence.nii.gz", frames)
            doors.save_nifti(folder / f"{stem}_half_sequence_gt.nii.gz", labels)
            for phase, frame in (("ED", ed - 1), ("ES", es - 1)):
                doors.save_nifti(folder / f"{stem}_{phase}.nii.gz", frames[frame])
                doors.save_nifti(folder / f"{stem}_{phase}_gt.nii.gz", labels[frame])


def camus_png(root: Path) -> None:
    """Three patients, none with all four pictures."""
    stems = ("1_2CH_ES", "1_4CH_ED", "1_4CH_ES", "6_2CH_ED", "7_4CH_ES")
    for seed, stem in enumerate(stems):
        name = f"patient{int(stem[0]):04d}{stem[1:]}.png"
        _save_png(root / "images" / name, _echo(seed))
        _save_png(root / "labels" / name, _echo_labels(seed % 3))


def emidec(root: Path) -> None:
    """A normal case, an infarct, and a case to test without labels."""
    for seed, name in enumerate(("Case_N006", "Case_P001", "Case_101")):
        drawn = np.array([0, 4, 2, 1], np.uint8)[doors.heart(6 + seed)]
        drawn[drawn == 4] = 0
        drawn[0, 14, 27] = 3 if "P" in name else drawn[0, 14, 27]
        noise = np.random.default_rng(seed).integers(0, 99, drawn.shape).astype(np.int16)
        doors.save_nifti(root / name / "Images" / f"{name}.nii.gz", noise)
        if seed < 2:
            doors.save_nifti(root / name / "Contours" / f"{name}.nii.gz", drawn)
        text = f"Sex : {'MF'[seed % 2]}\nAge : {60 + seed}\nTobacco : 0\n"
        (root / f"{name.replace('_', ' ')}.txt").write_text(text, encoding="ascii")


def emidec_png(root: Path) -> None:
    """Two cases of three and two slices."""
    for name, count in (("Case_N037", 3), ("Case_P040", 2)):
        for index in range(count):
            file = f"{name}_slice{index:03d}.png"
            _save_png(root / "images" / file, _echo(count * 10 + index))
            _save_png(root / "labels" / file, np.where(_echo_labels() == 3, 0, _echo_labels()))


MINIATURES: Mapping[str, Callable[[Path], None]] = {
    "acdc": acdc,
    "sunnybrook": sunnybrook,
    "rvsc": rvsc,
    "camus": camus,
    "camus-nifti": camus_nifti,
    "camus-png": camus_png,
    "emidec": emidec,
    "emidec-png": emidec_png,
}
"""By name of the layout: a new one registers its maker here."""
