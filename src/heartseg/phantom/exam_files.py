"""An examination as files, laid out as one of three kinds of scanner do it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.study import View
from heartseg.phantom.exam import Exam
from heartseg.phantom.study import begin_study, end_study

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from heartseg.formats.dicom_exam import ExamSeries, ExamTags, Loop

ExamLayout = Literal["one-series", "series-per-slice", "enhanced"]

_FIRST_NUMBER = 20
"""Series number of the short axis; what is acquired around it has lower numbers."""


def write_exam(folder: Path, exam: Exam, layout: ExamLayout) -> Path:
    """Write an examination into `folder`/<id of its study> and return that folder.

    All files lie in `dicom/` under names that say nothing. Beside it lie the true labels and
    `truth.json`, as `write_study` writes them.

    Args:
        folder: made if it is not there.
        exam: of one heart.
        layout: "one-series": all slices of the short axis in one series, the repeated one twice.
            "series-per-slice": a series a breath-hold, instance numbers shuffled. "enhanced":
            an Enhanced MR object a series, frames shuffled, the repeated slice in its own.

    Raises:
        ConfigError: no such layout.
        OutputError: the folder cannot be written, or exists already.
    """
    if layout not in LAYOUTS:
        raise ConfigError("--exam", got=repr(layout), allowed=", ".join(LAYOUTS))
    from heartseg.formats.dicom_exam import ExamTags

    study = exam.made[0]
    target = begin_study(folder, exam.made)
    rng = np.random.default_rng([study.images[View.SAX].frames, len(exam.stack), 7])
    tags = ExamTags(patient_id=study.id, body=study.body, layout=layout)
    datasets = [*LAYOUTS[layout](exam, tags, rng), _screenshot(exam, tags)]
    _save(target / "dicom", datasets, rng)
    end_study(target, exam.made)
    return target


def _one_series(exam: Exam, tags: "ExamTags", rng: np.random.Generator) -> "Iterator[Dataset]":
    loops = (*exam.stack[: exam.again], exam.discarded, *exam.stack[exam.again :])
    for series in (*exam.others, _short_axis(exam, _FIRST_NUMBER, loops)):
        yield from _classic(series, tags, rng, shuffled=False)


def _series_per_slice(
    exam: Exam, tags: "ExamTags", rng: np.random.Generator
) -> "Iterator[Dataset]":
    for series in exam.others:
        yield from _classic(series, tags, rng, shuffled=True)
    loops = sorted((*exam.stack, exam.discarded), key=lambda loop: loop.taken_s)
    for number, loop in enumerate(loops, start=_FIRST_NUMBER):
        yield from _classic(_short_axis(exam, number, (loop,)), tags, rng, shuffled=True)


def _enhanced(exam: Exam, tags: "ExamTags", rng: np.random.Generator) -> "Iterator[Dataset]":
    from heartseg.formats.dicom_enhanced import enhanced

    first = list(exam.stack)
    first[exam.again] = exam.discarded
    short = (
        _short_axis(exam, _FIRST_NUMBER, tuple(first)),
        _short_axis(exam, _FIRST_NUMBER + 1, (exam.stack[exam.again],)),
    )
    for series in (*exam.others, *short):
        frames = sum(loop.image.frames for loop in series.loops)
        yield enhanced(series, tags, rng.permutation(frames).tolist())


LAYOUTS: Mapping[
    ExamLayout, "Callable[[Exam, ExamTags, np.random.Generator], Iterator[Dataset]]"
] = MappingProxyType(
    {"one-series": _one_series, "series-per-slice": _series_per_slice, "enhanced": _enhanced}
)
"""How each layout is made."""


def _short_axis(exam: Exam, number: int, loops: "tuple[Loop, ...]") -> "ExamSeries":
    from heartseg.formats.dicom_exam import ExamSeries

    return ExamSeries(number=number, description=exam.name, loops=loops)


def _classic(
    series: "ExamSeries", tags: "ExamTags", rng: np.random.Generator, *, shuffled: bool
) -> "Iterator[Dataset]":
    from heartseg.formats.dicom_exam import classic

    frames = sum(loop.image.frames for loop in series.loops)
    numbers = rng.permutation(frames) if shuffled else np.arange(frames)
    yield from classic(series, tags, (numbers + 1).tolist())


def _screenshot(exam: Exam, tags: "ExamTags") -> "Dataset":
    from heartseg.formats.dicom_exam import screenshot

    still = exam.stack[exam.again].image.voxels[0, 0].astype(np.float64)
    grey = np.clip(still / max(float(still.max()), 1.0) * 255.0, 0, 255).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=2)
    picture[:4, :, 0] = 200  # what a viewer draws over it
    return screenshot(99, picture, tags)


def _save(folder: Path, datasets: "list[Dataset]", rng: np.random.Generator) -> None:
    names = rng.permutation(len(datasets))
    try:
        folder.mkdir()
        for name, dataset in zip(names.tolist(), datasets, strict=True):
            dataset.save_as(folder / f"{name + 0x1000:08X}", enforce_file_format=True)
    except OSError as fault:
        raise OutputError(
            folder.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault
