"""MM-WHS: whole hearts in CT and MR (Zhuang et al., Medical Image Analysis 2019).

Files `ct_train_1001_image.nii.gz` with `ct_train_1001_label.nii.gz`, the same with `mr_`, and
`ct_test_2001_image.nii.gz` without published labels, in one folder or in `ct_train`, `mr_test` and
so on. Numbers are 500 LV, 205 myocardium, 600 RV, 420 and 550 atria, 820 aorta, 850 pulmonary
artery; a few voxels of the published CT labels hold 421, a slip for 420 that its users repair, and
so do we. CT and MR are of different patients, whatever their numbers.
"""

import re
from functools import partial
from pathlib import Path
from types import MappingProxyType

from heartseg.core.anatomy import SCHEMES, Scheme, Structure
from heartseg.core.study import Modality, View
from heartseg.read.candidate import Candidate, Options
from heartseg.read.image_file import read_labels
from heartseg.read.labelled import Labelled, Part, references, study_of
from heartseg.read.layout import Card, Layout

NAME = "mmwhs"
_IMAGE = re.compile(r"^((ct|mr)_(train|test)_\d{4})_image\.nii(\.gz)?$")
_FOLDER = re.compile(r"^(ct|mr)_(train|test)\w*$|^(CT|MR|images|imagesTr|imagesTs)$")
_DEPTH = 3
_MODALITIES = {"ct": Modality.CT, "mr": Modality.MR}
_PUBLISHED = Scheme(NAME, MappingProxyType({**SCHEMES[NAME].numbers, 421: Structure.LEFT_ATRIUM}))
_STRUCTURES = SCHEMES[NAME].structures


def find(path: Path, options: Options) -> list[Candidate]:
    """The hearts of a folder, and of its folders that are named as the data set's."""
    if not path.is_dir():
        return []
    return [_candidate(image, options) for image in _images(path, _DEPTH)]


def _images(folder: Path, depth: int) -> list[Path]:
    found = []
    for entry in sorted(folder.iterdir()):
        if _IMAGE.match(entry.name) and entry.is_file():
            found.append(entry)
        elif depth > 1 and _FOLDER.match(entry.name) and entry.is_dir():
            found += _images(entry, depth - 1)
    return found


def _labels_of(image: Path) -> Path | None:
    """Beside the image, or in the folder of labels beside the folder of images."""
    name = image.name.replace("_image.nii", "_label.nii")
    beside = image.parent.with_name(image.parent.name.replace("images", "labels"))
    places = (image.with_name(name), beside / name)
    return next((file for file in places if file.is_file()), None)


def _candidate(image: Path, options: Options) -> Candidate:
    name, kind, part, _ = _parts(image)
    drawn = _labels_of(image)
    labelled = Labelled(
        parts=(Part(image=image, labels=drawn),),
        read_labels=partial(read_labels, scheme=_PUBLISHED, spacing_mm=options.spacing_mm),
        structures=_STRUCTURES,
        spacing_mm=options.spacing_mm,
    )
    view = options.view or View.VOLUME
    return Candidate(
        id=name,
        layout=NAME,
        path=image,
        load=lambda: study_of(name, _MODALITIES[kind], {view: labelled}),
        reference=(lambda: references({view: labelled})) if drawn else None,
        patient=name,
        split=part,
        group=kind,
        files=labelled.files,
    )


def _parts(image: Path) -> tuple[str, str, str, str]:
    """Name, "ct" or "mr", "train" or "test", and the ending."""
    match = _IMAGE.match(image.name)
    return match.groups() if match else (image.name, "", "", "")  # type: ignore[return-value]


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="mmwhs",
    card=Card(
        title="MM-WHS: whole hearts in contrast-enhanced CT and balanced MR",
        paper="Zhuang et al., Medical Image Analysis 2019",
        modality="CT, MR",
        patients=120,
        cases="20 CT and 20 MR volumes to train, 40 and 40 to test without labels",
        labels="LV, RV, both atria, LV myocardium, aorta, pulmonary artery; scheme mmwhs",
        licence="not confirmed: users report an agreement to sign, not to be passed on; ask them",
        obtain="by the MM-WHS page of X. Zhuang's group, Fudan University, and unpack",
        source=(
            "the paper for the number of volumes; the split by a public list of data sets; the "
            "makers' terms themselves were not found"
        ),
        tree="{ct_train, mr_train}/{ct_train_1001_image.nii.gz, ct_train_1001_label.nii.gz}",
    ),
)
