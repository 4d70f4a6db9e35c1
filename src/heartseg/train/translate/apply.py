"""From a set of the source to a labelled set of the target, with its anatomy report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heartseg.core.errors import HeartsegError, OutputError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.provenance import Provenance, now, source_commit
from heartseg.core.study import View
from heartseg.core.version import __version__
from heartseg.read import Candidate, find_studies
from heartseg.read.candidate import with_unique_ids
from heartseg.segment import Bundle, load_bundle
from heartseg.train.translate.anatomy_report import (
    FEATURES,
    AnatomyReport,
    Pool,
    frechet_of,
    histogram_of,
    target_pool,
)
from heartseg.train.translate.features import Encoder
from heartseg.train.translate.judges import Eye, Judged, Judges, Line, Thresholds, drawn
from heartseg.train.translate.labelled_set import LabelledSet
from heartseg.train.translate.made import Making
from heartseg.train.translate.outlines import Shown, picture_of
from heartseg.train.translate.report_files import MOST_SHOWN, save_report
from heartseg.train.translate.translator import Translator, load_translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be translated, and who judges it.

    Attributes:
        inputs: files and folders of the source, of any layout that heartseg reads.
        out: folder of the new set.
        target_model: of segmentation of the kind that is made: a shipped name or a folder.
        source_model: of the kind that it is made of.
        target: folders of real images of the target, to compare intensities and features with.
        encoder_model: whose encoder makes the feature space; None takes the target model, else the
            source model.
        thresholds: beyond which an image is rejected.
        assume_view: take every input for an image of the source's view, and every real target
            image for one of the target's, whatever names and headers say.
        scheme: what the numbers of the labels mean, where the layout does not say it.
        device: of the models that judge; generators are computed on the processor.
    """

    inputs: tuple[Path, ...]
    out: Path
    target_model: str | None = None
    source_model: str | None = None
    target: tuple[Path, ...] = ()
    encoder_model: str | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    assume_view: bool = False
    scheme: str | None = None
    device: str = "auto"


def translate_set(
    translator: Path | str, order: Order, said: Callable[[str], None] = lambda line: None
) -> AnatomyReport:
    """Make the target of every image of the source, judge it, and write the set with its report.

    Images keep their grid, their labels and their patient. What cannot be read is left out and
    said. Frames that nobody drew are left out too, where the image has labels at all.

    Args:
        translator: folder that training wrote.
        order: what is to be done.
        said: called with a line for each image.

    Raises:
        InputError: no study that heartseg can read, or real target images that it cannot.
        ModelError: a translator or model that cannot be used.
        OutputError: the folder cannot be written, or holds a set already.
        StudyError: nothing could be translated.
    """
    loaded = load_translator(Path(translator))
    models = _models(order)
    encoder = Encoder(models["encoder"]) if "encoder" in models else None
    judges = Judges(
        target=Eye(models["target"], order.device) if "target" in models else None,
        source=Eye(models["source"], order.device) if "source" in models else None,
        thresholds=order.thresholds,
    )
    work = _Work(Making(loaded), judges, encoder, LabelledSet(order.out))
    for candidate in _found(order.inputs, order, loaded.text.source.view):
        said(work.translate(candidate))
    if not work.lines:
        got = f"nothing translated of {len(work.failed)} studies"
        do = f"the first reason: {work.failed[0][1]}" if work.failed else ""
        raise StudyError("translate", got=got, do=do)
    work.into.finish()
    theirs = None
    if order.target:
        real = _found(order.target, order, loaded.text.target.view)
        theirs = target_pool(real, loaded.text.target, encoder)
    report = _report(work, theirs, models, loaded, order)
    save_report(report, work.shown, order.out)
    return report


@dataclass(slots=True)
class _Work:
    """One set in the making."""

    making: Making
    judges: Judges
    encoder: Encoder | None
    into: LabelledSet
    lines: list[Line] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    before: Pool = field(default_factory=Pool)
    after: Pool = field(default_factory=Pool)

    def translate(self, candidate: Candidate) -> str:
        """One study; a line for people."""
        try:
            judged = self._translate(candidate)
        except OutputError:
            raise
        except HeartsegError as fault:
            self.failed.append((candidate.id, str(fault)))
            return f"{candidate.id}: not translated: {fault}"
        reasons = [line.rejected for line in judged.lines if line.rejected]
        return f"{candidate.id}: {'rejected: ' + reasons[0] if reasons else 'done'}"

    def _translate(self, candidate: Candidate) -> Judged:
        text = self.making.translator.text
        image, truth = _read(candidate, text.source.view)
        frames = drawn(truth.labels) if truth is not None else list(range(image.frames))
        part = image.part(frames)
        truth = None if truth is None else truth.part(frames)
        made = self.making.there(image, frames)
        whose = (candidate.id, candidate.patient or candidate.id)
        judged = self.judges.judge(part, made, truth, self.making, whose)
        self.into.write(candidate, made, truth, rejected=judged.rejected)
        every = range(made.frames)
        self.before.add(part, every, text.source.preparation, self.encoder)
        self.after.add(made, every, text.target.preparation, self.encoder)
        self.lines += judged.lines
        self._show(part, made, judged)
        return judged

    def _show(self, before: Image, made: Image, judged: Judged) -> None:
        """Keep a picture of it; of many images those of the worst alone, for the memory's sake."""
        self.shown.append(picture_of(before, made, judged))
        self.shown = sorted(self.shown, key=lambda one: one.key)[:MOST_SHOWN]


def _found(paths: Sequence[Path], order: Order, view: View) -> list[Candidate]:
    given = view if order.assume_view else None
    return with_unique_ids(
        one for path in paths for one in find_studies(path, scheme=order.scheme, view=given)
    )


def _read(candidate: Candidate, view: View) -> tuple[Image, Segmentation | None]:
    """The image of the view, and its labels where something is drawn.

    Raises:
        InputError: it cannot be read.
        StudyError: there is no such image, or its labels lie on another grid.
    """
    study = candidate.load()
    image = study.images.get(view)
    if image is None:
        got = f"no {view} image, but {', '.join(study.images) or 'none'}"
        raise StudyError(candidate.id, got=got, do="add --assume-view if it is one all the same")
    truth = candidate.reference().get(view) if candidate.reference else None
    if truth is None or not truth.labels.any():
        return image, None
    if truth.frames != image.frames or not truth.geometry.same_grid(image.geometry):
        raise StudyError(candidate.id, got="labels on another grid than the image")
    return image, truth


def _models(order: Order) -> dict[str, Bundle]:
    """The bundles by their role."""
    encoder = order.encoder_model or order.target_model or order.source_model
    named = {
        "target": order.target_model,
        "source": order.source_model,
        "encoder": encoder if order.target else None,
    }
    return {role: load_bundle(name) for role, name in named.items() if name is not None}


def _report(
    work: _Work,
    theirs: Pool | None,
    models: dict[str, Bundle],
    translator: Translator,
    order: Order,
) -> AnatomyReport:
    text = translator.text
    names = [path.resolve().name for path in (*order.inputs, *order.target)]
    settings = {"translator": text.name, "assume_view": order.assume_view}
    said = {
        "name": text.name,
        "version": text.version,
        "sha256": translator.sha256,
        "method": text.method,
        "licence": text.licence,
    }
    space = {}
    if work.encoder is not None:
        made_by = work.encoder.bundle
        space = {
            "model": f"{made_by.name} {made_by.version}",
            "sha256": made_by.sha256,
            "layer": work.encoder.name,
            "most_directions": FEATURES,
        }
    return AnatomyReport(
        lines=tuple(work.lines),
        failed=tuple(work.failed),
        thresholds=order.thresholds,
        histogram=histogram_of(work.after, work.before, theirs),
        frechet=frechet_of(work.after, work.before, theirs),
        features=space,
        models={
            role: {"name": one.name, "version": one.version, "sha256": one.sha256}
            for role, one in models.items()
            if role != "encoder"
        },
        translator=said,
        provenance=Provenance(
            version=__version__,
            commit=source_commit(),
            created=now(),
            inputs=tuple(names),
            settings=settings,
        ),
    )
