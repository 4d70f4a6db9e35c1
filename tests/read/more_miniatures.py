"""Miniature copies of the data sets that are nowhere at hand, as they are published."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tifffile

from heartseg.core.image import Image
from heartseg.formats.dicom_write import write_cine
from tests import doors
from tests.formats.writers import _video
from tests.read.test_dicom_study import cine

MNMS_TABLE = "211230_M&Ms_Dataset_information_diagnosis_opendataset.csv"
MNMS = np.array([0, 3, 2, 1], np.uint8)
"""M&Ms numbers by ACDC numbers."""

MMWHS = np.array([0, 600, 205, 500], np.int16)

AXIS = (5.5, 3.0, 10.0, 22.0)
"""Of the ventricle in the miniature echo: apex to base."""


def noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, shape).astype(np.int16)


def mnms(root: Path) -> None:
    """One patient in each part: labelled at frames 3 and 1 of 5, or not at all."""
    lines = [",External code,VendorName,Vendor,Centre,ED,ES,Age,Pathology,Sex,Height,Weight"]
    places = (
        ("Training/Labeled", "A0S9V9", 3, 1),
        ("Training/Labeled", "B9G4U2", 3, 1),
        ("Training/Unlabeled", "C1K8P5", 0, 0),
        ("Validation", "D0R0R9", 3, 1),
        ("Testing", "E5F5V7", 3, 1),
    )
    for seed, (part, code, ed, es) in enumerate(places):
        folder = root / part / code
        doors.save_nifti(folder / f"{code}_sa.nii.gz", noise((5, *doors.SHAPE), seed))
        if ed:
            drawn = np.zeros((5, *doors.SHAPE), np.uint8)
            drawn[ed], drawn[es] = MNMS[doors.heart(8)], MNMS[doors.heart(5)]
            doors.save_nifti(folder / f"{code}_sa_gt.nii.gz", drawn)
        vendor = "Siemens" if seed % 2 else "Philips"
        lines.append(f"{seed},{code},{vendor},A,{seed + 1},{ed},{es},5{seed},HCM,F,17{seed},70")
    (root / MNMS_TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def mnms2(root: Path) -> None:
    """Patients 1, 2 and 201, the first with labels of both axes."""
    for number in (1, 2, 201):
        name = f"{number:03d}"
        for a, axis in enumerate(("SA", "LA")):
            for p, phase in enumerate(("ED", "ES")):
                stem = root / "dataset" / name / f"{name}_{axis}_{phase}"
                doors.save_nifti(
                    stem.with_name(f"{stem.name}.nii.gz"),
                    noise(doors.SHAPE, number * 10 + 2 * a + p),
                )
                drawn = MNMS[doors.heart(8 - 3 * p - a)]
                doors.save_nifti(stem.with_name(f"{stem.name}_gt.nii.gz"), drawn)
            cine_file = root / "dataset" / name / f"{name}_{axis}_CINE.nii.gz"
            doors.save_nifti(cine_file, noise((3, *doors.SHAPE), number))
    table = "SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD\n1,NOR,SIEMENS,Avanto,1.5\n"
    rest = "2,LV,GE MEDICAL SYSTEMS,Signa,1.5\n201,TRI,Philips,Achieva,3.0\n"
    (root / "dataset_information.csv").write_text(table + rest, encoding="utf-8")


def mmwhs(root: Path) -> None:
    """Two CT and an MR to train, a CT to test."""
    for seed, name in enumerate(
        ("ct_train_1001", "ct_train_1002", "mr_train_1001", "ct_test_2001")
    ):
        folder = root / name.rpartition("_")[0]
        doors.save_nifti(folder / f"{name}_image.nii.gz", noise(doors.SHAPE, seed))
        if "train" in name:
            doors.save_nifti(folder / f"{name}_label.nii.gz", MMWHS[doors.heart(7 - seed)])


def tracing(width: float, lines: int = 9) -> list[tuple[float, float, float, float]]:
    """The long axis, then chords across it, each longer towards the base."""
    x1, y1, x2, y2 = AXIS
    chords = []
    for share in np.linspace(0.1, 0.9, lines):
        x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
        half = width * (0.5 + share) / 2
        chords.append((x - half, y, x + half, y))
    return [AXIS, *chords]


def echonet(root: Path) -> None:
    """Three videos of 24 x 20 pixels and 6 frames; systole, the smaller one, comes first."""
    (root / "Videos").mkdir(parents=True)
    listed = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    traced = ["FileName,X1,Y1,X2,Y2,Frame"]
    for seed, (name, split) in enumerate((("0X1A", "TRAIN"), ("0X2B", "VAL"), ("0X3C", "TEST"))):
        frames = np.random.default_rng(seed).integers(0, 255, (6, 1, 24, 20)).astype(np.uint8)
        _video(root / "Videos" / f"{name}.avi", frames)
        listed.append(f"{name},6{seed}.5,40.0,11{seed}.0,24,20,50,6,{split}")
        for frame, width in ((1, 4.0), (4, 7.0)):
            for line in tracing(width):
                traced.append(f"{name}.avi,{','.join(map(str, line))},{frame}")
    (root / "FileList.csv").write_text("\n".join(listed) + "\n", encoding="utf-8")
    (root / "VolumeTracings.csv").write_text("\n".join(traced) + "\n", encoding="utf-8")


def cell_tracking(root: Path) -> None:
    """Two sequences of four and three frames; gold truth of two frames of the first."""
    folder = root / "PhC-C2DH-U373"
    for sequence, count in (("01", 4), ("02", 3)):
        for t in range(count):
            grey = np.random.default_rng(t + 10 * count).integers(0, 255, (17, 23))
            _tiff(folder / sequence / f"t{t:03d}.tif", grey.astype(np.uint8))
            cells = np.zeros((17, 23), np.uint16)
            cells[2:6, 3:9], cells[9:14, 12 : 15 + t] = 7, 300
            _tiff(folder / f"{sequence}_ST" / "SEG" / f"man_seg{t:03d}.tif", cells)
            if sequence == "01" and t in (1, 3):
                cells[0, 0] = 2  # gold and silver differ
                _tiff(folder / "01_GT" / "SEG" / f"man_seg{t:03d}.tif", cells)


def _tiff(path: Path, yx: np.ndarray, **how: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, yx, **how)  # type: ignore[arg-type]


def nnunet(root: Path) -> None:
    """Two patients of two frames and one to test, of two channels."""
    folder = root / "Dataset027_Heart"
    cases = [("imagesTr", f"patient00{n}_frame0{f}") for n in (1, 2) for f in (0, 1)]
    for seed, (part, case) in enumerate([*cases, ("imagesTs", "patient003_frame00")]):
        for channel in (0, 1):
            image = noise(doors.SHAPE, 10 * seed + channel)
            doors.save_nifti(folder / part / f"{case}_000{channel}.nii.gz", image)
        if part == "imagesTr":
            doors.save_nifti(folder / "labelsTr" / f"{case}.nii.gz", doors.heart(8 - seed))
    described = {
        "channel_names": {"0": "cineMRI", "1": "gradient"},
        "labels": {"background": 0, "Right_Ventricle": 1, "LV-Myo": 2, "LV cavity": 3},
        "numTraining": 4,
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(described), encoding="utf-8")


def rgb_masks(root: Path) -> None:
    """Two patients of a DICOM cine with masks of frames 0 and 2, red LV, green wall, blue RV."""
    for number in (1, 2):
        folder = root / f"subject{number:02d}"
        image = cine(seed=number)
        files = write_cine(folder, Image(image.voxels, image.geometry, image.times_ms))
        frames = image.frames
        for count, file in enumerate(files):
            new = file.rename(file.with_name(f"{count + 1:04d}.dcm"))
            if count % frames in (0, 2):
                _tiff(new.with_suffix(".tif"), rgb(number, count % frames), photometric="rgb")


def rgb(shift: int, frame: int) -> np.ndarray:
    """(14, 19, 3): a red cavity in a green ring, a blue one beside."""
    mask = np.zeros((14, 19, 3), np.uint8)
    mask[3:11, 1:6, 2] = 255
    mask[2:12, 5 + shift : 15 + shift] = (0, 255, 0)
    mask[4 + frame // 2 : 10, 7 + shift : 13 + shift] = (255, 0, 0)
    return mask


def pairs(root: Path) -> None:
    """Three pictures of two patients, ACDC numbers, split by a table."""
    for seed, stem in enumerate(("p1_slice1", "p1_slice2", "p2_slice1")):
        doors.save_nifti(root / "images" / f"{stem}.nii.gz", noise(doors.SHAPE, seed))
        doors.save_nifti(root / "labels" / f"{stem}_gt.nii.gz", doors.heart(8 - seed))
    scheme = '[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n'
    (root / "labels.toml").write_text(scheme, encoding="utf-8")
    table = "file,patient,split\np1_slice1.nii.gz,Anna,train\np1_slice2.nii.gz,Anna,train\n"
    (root / "split.csv").write_text(table + "p2_slice1.nii.gz,Ben,val\n", encoding="utf-8")


MORE: Mapping[str, Callable[[Path], None]] = {
    "mnms": mnms,
    "mnms2": mnms2,
    "mmwhs": mmwhs,
    "echonet-dynamic": echonet,
    "cell-tracking": cell_tracking,
    "nnunet": nnunet,
    "dicom-tiff": rgb_masks,
    "pairs": pairs,
}
"""By name of the layout."""
