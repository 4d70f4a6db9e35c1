"""`heartseg evaluate --card`: what an evaluation says of a model, into its bundle and card."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.hardware import hardware
from heartseg.core.provenance import now, source_commit
from heartseg.core.small_text import read_small_text
from heartseg.core.version import __version__
from heartseg.evaluation import CLINICAL, Evaluation, failures_in
from heartseg.measure.breakdown import breakdown
from heartseg.measure.worst import worst
from heartseg.read import Candidate, find_studies
from heartseg.read.layouts import LAYOUTS
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.appraisal import (
    EXTERNAL,
    INTERNAL,
    TOLD,
    Appraisal,
    read_appraisals,
    write_appraisals,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was evaluated.

    Attributes:
        prediction: folder that `segment` wrote.
        truth: data set with published labels.
        scheme: of the numbers in the masks.
        evaluation: of the one by the other.
    """

    prediction: Path
    truth: Path
    scheme: str
    evaluation: Evaluation


def into_card(judged: Judged, model: Path, *, elsewhere: bool) -> Bundle:
    """Write the scores, by group and level too, and the worst slices into a bundle's card.

    What the card said of the same data before is replaced.

    Args:
        judged: what was evaluated.
        model: folder of a bundle.
        elsewhere: the patients are of another place than those that trained it.

    Raises:
        ConfigError: the prediction was not made with this model.
        ModelError: no bundle.
        OutputError: it cannot be written.
    """
    if not (model / "model.toml").is_file():  # a shipped one is nobody's to write
        raise ModelError(f"--card {model.name}", got="no model.toml", allowed="folder of a bundle")
    bundle = load_bundle(model)
    cases = judged.evaluation.numbers.keys()
    _require_made_by(bundle, judged.prediction, cases)
    studies = [one for one in find_studies(judged.truth) if one.id in cases]
    made = _appraisal(judged, studies, EXTERNAL if elsewhere else INTERNAL)
    kept = [
        one
        for one in read_appraisals(bundle.folder, bundle.sha256)
        if (one.data, one.split) != (made.data, made.split)
    ]
    write_appraisals(bundle.folder, bundle.sha256, [*kept, made])
    return write_bundle(bundle.folder, bundle.onnx, bundle)


def _require_made_by(bundle: Bundle, prediction: Path, cases: Iterable[str]) -> None:
    for case in cases:
        report = prediction / case / "report.json"
        try:
            made_with = json.loads(read_small_text(report))["model"]["sha256"]
        except (OSError, ValueError, LookupError, TypeError):
            made_with = None
        if made_with != bundle.sha256:
            raise ConfigError(
                f"--card: {case}",
                got="masks of another model" if made_with else "no report.json that names a model",
                allowed=f"what segment wrote with --model {bundle.folder.name}",
            )


def _appraisal(judged: Judged, studies: list[Candidate], split: str) -> Appraisal:
    one = judged.evaluation
    groups = {study.id: study.group for study in studies if study.group}
    layouts = sorted({study.layout for study in studies})
    cards = [card for name in layouts if name in LAYOUTS and (card := LAYOUTS[name].card)]
    failures = [
        failure
        for study in studies
        for failure in failures_in(study, judged.prediction, judged.scheme)
    ]
    return Appraisal(
        data="; ".join(card.title for card in cards) or judged.truth.resolve().name,
        data_set=layouts[0] if len(layouts) == 1 and cards else "",
        split=split,
        cases=len(one.numbers),
        groups=dict(sorted(Counter(groups.values()).items())),
        date=now()[:10],
        commit=source_commit() or f"heartseg {__version__}",
        configuration="as segmented",
        hardware=hardware(),
        scores=breakdown((*one.rows, *one.levels), one.numbers, groups, CLINICAL),
        failures=worst(failures, TOLD),
    )
