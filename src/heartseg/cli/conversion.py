"""`heartseg datasets FOLDER --to nnunet`: a data set in the form that another tool trains on."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.cli.listing import to_json
from heartseg.core.errors import ConfigError
from heartseg.core.study import View
from heartseg.report.words import clean

if TYPE_CHECKING:
    from heartseg.read.datasets.nnunet_export import Written

_DATASET = re.compile(r"^Dataset(\d{3})_([A-Za-z0-9][A-Za-z0-9_-]*)$")
FORMS = ("nnunet",)


def convert(
    folder: str | None,
    form: str,
    out: Path | None,
    *,
    view: View | None = None,
    scheme: str | None = None,
    by_number: bool = False,
    json: bool = False,
) -> bool:
    """Write a data set as nnU-Net's raw data; True when every study was written.

    Args:
        folder: of a data set with labels.
        form: of `FORMS`.
        out: `.../DatasetNNN_Name`.
        view: which image of each study.
        scheme: what label numbers mean, where the data set does not say it.
        by_number: split by the numbers of the patients, as heartseg's own runs do.
        json: print one object instead of lines.

    Raises:
        ConfigError: no folder, an unknown form, or a name that nnU-Net does not take.
        InputError: no data set there.
        OutputError: the folder is there already or cannot be written.
    """
    from heartseg.cli.data_sets import progress
    from heartseg.read import find_studies
    from heartseg.read.datasets.nnunet_export import write_nnunet
    from heartseg.train.split import part_of

    if form not in FORMS:
        raise ConfigError("--to", got=f"'{form}'", allowed=", ".join(FORMS))
    if folder is None:
        raise ConfigError("datasets --to", got="no folder", do="name the data set's folder first")
    name = _DATASET.match(out.name) if out else None
    if out is None or name is None:
        allowed = "a folder such as nnUNet_raw/Dataset027_ACDC"
        raise ConfigError("--out", got=f"'{out.name}'" if out else "none", allowed=allowed)
    found = find_studies(folder, scheme=scheme)
    with progress(len(found)) as step:
        done = write_nnunet(
            found,
            out.parent,
            number=int(name[1]),
            name=name[2],
            view=view,
            split_of=(lambda c: part_of(c.patient or c.id)) if by_number else lambda c: c.split,
            step=step,
        )
    _say(done, json)
    return not done.skipped


def _say(done: "Written", json: bool) -> None:
    counts = {"train": 0, "validate": 0, "test": 0}
    for case in done.cases:
        counts[case.split] += 1
    if json:
        skipped = [{"study": study, "said": why} for study, why in done.skipped]
        print(to_json({"folder": done.folder.name, "cases": counts, "skipped": skipped}))
    else:
        for study, why in done.skipped:
            print(clean(f"{study}: skipped: {why}"), file=sys.stderr)
        said = ", ".join(f"{count} to {split}" for split, count in counts.items() if count)
        print(f"{done.folder.name}: {len(done.cases)} cases, {said}")
        print("copy its splits_final.json into nnUNet_preprocessed: patients then stay together")
