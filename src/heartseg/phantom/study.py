"""Whole synthetic studies, in memory and as files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Body, Modality, Study, View
from heartseg.phantom.acquisition import Acquisition
from heartseg.phantom.attenuation import Attenuation
from heartseg.phantom.cine_mr import render
from heartseg.phantom.ct import CtScanner, render_ct
from heartseg.phantom.draw import draw_heart
from heartseg.phantom.heart import Heart, Kind
from heartseg.phantom.labels import labels
from heartseg.phantom.torso import Torso
from heartseg.phantom.truth import Truth, truth

Made = tuple[Study, Segmentation, Truth]
FileFormat = Literal["nifti", "dicom"]
SCHEME = "acdc"
"""Numbers of the written labels."""


def make_study(
    seed: int,
    *,
    kind: Kind | None = None,
    acquisition: Acquisition | None = None,
) -> Made:
    """A short-axis cine of a random heart, its true labels and its exact numbers.

    Args:
        seed: of everything; the same seed gives the same study.
        kind: of heart; None draws one.
        acquisition: how it is scanned; None draws that too.

    Returns:
        The study (no phases given: they are to be found), labels of every frame, and the truth
        of the same frames.
    """
    heart, torso, body, drawn = draw(seed, kind)
    scan = acquisition or drawn
    image = render(heart, scan, torso=torso)
    return _made(seed, Modality.MR, image, heart, scan, body)


def make_ct_study(
    seed: int,
    *,
    kind: Kind | None = None,
    acquisition: Acquisition | None = None,
    attenuation: Attenuation | None = None,
    scanner: CtScanner | None = None,
) -> Made:
    """The heart of `make_study` in the CT scanner, frame by frame on the same grid.

    Both are of one scene: what the cine of a seed shows at a voxel, the CT of that seed shows
    there, as if it had been reformatted along the short axis and registered. Labels and truth are
    the same.

    Args:
        seed, kind, acquisition: as `make_study`.
        attenuation: of the tissues; None draws a bolus.
        scanner: what spoils the picture; None draws that too.
    """
    heart, torso, body, drawn = draw(seed, kind)
    scan = acquisition or drawn
    rng = np.random.default_rng([seed, 5])
    bolus, usual = Attenuation.random(rng), CtScanner.random(rng)
    image = render_ct(
        heart,
        scan,
        torso=torso,
        attenuation=attenuation or bolus,
        scanner=scanner or usual,
    )
    return _made(seed, Modality.CT, image, heart, scan, body)


def _made(
    seed: int, modality: Modality, image: Image, heart: Heart, scan: Acquisition, body: Body
) -> Made:
    study = Study(
        id=f"phantom-{seed:04d}",
        modality=modality,
        images={View.SAX: image},
        sources={View.SAX: ()},
        body=replace(body, heart_rate_bpm=60_000.0 / scan.rr_ms),
        notes=("synthetic heart: no patient",),
        group=heart.kind,
    )
    return study, labels(heart, scan), truth(heart, scan.phases.tolist())


def draw(seed: int, kind: Kind | None = None) -> tuple[Heart, Torso, Body, Acquisition]:
    """The heart of a seed, what lies around it, whose it is and how it is scanned."""
    rng = np.random.default_rng(seed)
    heart, torso, body = draw_heart(rng, kind), Torso.random(rng), _body(rng)
    return heart, torso, body, Acquisition.random(rng, heart)


def _body(rng: np.random.Generator) -> Body:
    height = float(rng.normal(171.0, 9.0))
    weight = float(rng.uniform(20.0, 30.0) * (height / 100.0) ** 2)
    return Body(height_cm=round(height), weight_kg=round(weight))


PHANTOMS: Mapping[str, Callable[[int], Made]] = MappingProxyType(
    {"cine-mr": make_study, "ct": make_ct_study}
)
"""Kinds of phantom that `write` can make, each from a seed."""


def write(
    folder: Path,
    *,
    count: int = 1,
    seed: int = 0,
    kind: str = "cine-mr",
    file_format: FileFormat = "nifti",
) -> list[Path]:
    """Write `count` studies of the seeds `seed`, `seed` + 1, ..., each into a folder of its own.

    NIfTI studies are pairs to train on and to compare with: `labels.toml` says what their numbers
    mean, unless the folder has one.

    Raises:
        ConfigError: no such kind of phantom, or less than one study.
        OutputError: a folder that cannot be written, or that exists already.
    """
    if kind not in PHANTOMS:
        raise ConfigError("phantom", got=f"kind '{kind}'", allowed=", ".join(PHANTOMS))
    if file_format not in _WRITERS:
        allowed = ", ".join(_WRITERS)
        raise ConfigError("phantom", got=f"file format '{file_format}'", allowed=allowed)
    if count < 1 or seed < 0:
        raise ConfigError(
            "phantom", got=f"{count} studies from seed {seed}", allowed="at least 1, from 0"
        )
    if folder.exists() and not folder.is_dir():  # said before minutes of rendering
        raise OutputError(folder.name, got="a file", allowed="a folder")
    written = [
        write_study(folder, PHANTOMS[kind](number), file_format=file_format)
        for number in range(seed, seed + count)
    ]
    if file_format == "nifti":
        say_numbers(folder)
    return written


def say_numbers(folder: Path) -> None:
    """Write what the numbers of the labels mean into `folder`/labels.toml; never over another.

    Raises:
        OutputError: the folder cannot be written.
    """
    path = folder / "labels.toml"
    numbers = SCHEMES[SCHEME].numbers
    lines = ["[labels]", *(f'{number} = "{one.key}"' for number, one in sorted(numbers.items()))]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        return
    except OSError as fault:
        raise OutputError(
            path.name, got=f"{fault.strerror or fault}", do="choose a folder that can be written"
        ) from fault


def write_study(folder: Path, made: Made, *, file_format: FileFormat = "nifti") -> Path:
    """Write a study into `folder`/<its id> and return that folder.

    NIfTI: `<id>_sax.nii.gz`, of CT `<id>_sax_ct.nii.gz`, since NIfTI says of no image what made it.
    DICOM: a series in `dicom/`, CT in whole Hounsfield units. Beside it, in both: the labels of
    every frame, the same name with `_gt`, in ACDC's numbers, and the exact numbers in `truth.json`.

    Raises:
        OutputError: the folder cannot be written, or exists already.
    """
    target = begin_study(folder, made)
    _WRITERS[file_format](target, made[0])
    end_study(target, made)
    return target


def begin_study(folder: Path, made: Made) -> Path:
    """Make the folder of a study in `folder`, with its exact numbers in `truth.json`.

    Raises:
        OutputError: the folder cannot be written, or exists already.
    """
    study, _, exact = made
    target = folder / study.id
    try:
        target.mkdir(parents=True)
        about = {"study": study.id, "kind": study.group, "scheme": SCHEME, **exact.to_dict()}
        (target / "truth.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except OSError as fault:
        raise OutputError(
            target.name,
            got=f"{fault.strerror or fault}",
            do="choose a new folder that can be written",
        ) from fault
    return target


def end_study(target: Path, made: Made) -> None:
    """Write the labels of every frame into the folder of a study."""
    from heartseg.formats.nifti import write_labels

    study, segmentation, _ = made
    write_labels(target / f"{_stem(study)}_gt.nii.gz", segmentation, SCHEMES[SCHEME])


def _stem(study: Study) -> str:
    """Name of the image's file; readers find the view, and CT, in it."""
    return f"{study.id}_sax" + ("_ct" if study.modality is Modality.CT else "")


def _write_nifti(target: Path, study: Study) -> None:
    from heartseg.formats.nifti import write_image

    write_image(target / f"{_stem(study)}.nii.gz", study.images[View.SAX])


def _write_dicom(target: Path, study: Study) -> None:
    from heartseg.formats.dicom_write import CineTags, write_cine

    rate = study.body.heart_rate_bpm
    tags = CineTags(
        patient_id=study.id,
        patient_name=f"Phantom^{study.id}",
        interval_ms=60_000.0 / rate if rate else 1000.0,
        body=study.body,
        seed=study.id,
        modality=study.modality,
        description=f"{'CT' if study.modality is Modality.CT else 'cine'} SAX phantom",
    )
    image = study.images[View.SAX]
    write_cine(target / "dicom", image.like(np.rint(image.voxels).astype(np.int16)), tags)


_WRITERS: Mapping[FileFormat, Callable[[Path, Study], None]] = MappingProxyType(
    {"nifti": _write_nifti, "dicom": _write_dicom}
)
