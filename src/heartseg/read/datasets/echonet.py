"""EchoNet-Dynamic: apical four-chamber video, LV traced twice (Ouyang et al., Nature 2020).

`FileList.csv` has a row a video (FileName, EF in per cent, ESV and EDV in mL, Split, ...) and
`VolumeTracings.csv` a row a line (FileName, X1, Y1, X2, Y2, Frame): for each of two frames first
the long axis, then the chords across it, from which the makers' own polygon goes up one side and
down the other. Videos lie in `Videos/*.avi`; a name in a table counts only if it is there.
The frame with the larger area is end-diastole. There are no millimetres: the volumes of the tables
come from calibrated originals that were not published.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Source, Study, View
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id
from heartseg.read.contour import polygon_mask
from heartseg.read.image_file import grid_of, read_noted
from heartseg.read.layout import Card, Layout
from heartseg.read.rows import Row, has_columns, read_cells, read_rows, whole_number

NAME = "echonet-dynamic"
_LIST, _TRACINGS, _VIDEOS = "FileList.csv", "VolumeTracings.csv", "Videos"
_COLUMNS = ("FileName", "EF", "ESV", "EDV", "Split")
_LINE = ("X1", "Y1", "X2", "Y2", "Frame")
_SPLITS = MappingProxyType({"TRAIN": "train", "VAL": "validate", "TEST": "test"})
_PUBLISHED = (("EF", "lv_ef", 0.01), ("EDV", "lv_edv_ml", 1.0), ("ESV", "lv_esv_ml", 1.0))
_LEAST_LINES = 4
"""The long axis and three chords: fewer enclose nothing."""

Tracing = Mapping[int, NDArray[np.float64]]
"""Lines (n, 4) of a video by frame."""

Cells = tuple[str, ...]
"""X1, Y1, X2, Y2 and Frame of a line, as text."""


def find(path: Path, options: Options) -> list[Candidate]:
    """The videos of the tables that are there, in the tables' order.

    Raises:
        FormatError: a table cannot be read.
    """
    if not (path / _VIDEOS).is_dir() or not has_columns(path / _LIST, _COLUMNS):
        return []
    videos = {file.name: file for file in (path / _VIDEOS).iterdir()}
    traced = _tracings_of(path)
    return [
        _candidate(videos[name], row, traced.get(name, ()), options)
        for row in read_rows(path / _LIST, _COLUMNS)
        if (name := _video(row["FileName"])) in videos
    ]


def _video(name: str) -> str:
    """File name; the list leaves the ending out, the tracings do not."""
    return name if name.lower().endswith(".avi") else f"{name}.avi"


def _candidate(video: Path, row: Row, lines: Sequence[Cells], options: Options) -> Candidate:
    name = safe_id(video.stem)
    view = options.view or View.LAX_4CH
    structures = (Structure.LV_CAVITY,)
    return Candidate(
        id=name,
        layout=NAME,
        path=video,
        load=lambda: _study(video, view, _tracing(lines), options),
        reference=(lambda: {view: _masks(video, _tracing(lines), options)}) if lines else None,
        covered=(lambda: {view: dict.fromkeys(_tracing(lines), structures)}) if lines else None,
        published=dict(_published(row)),
        patient=name,
        split=_SPLITS.get(row["Split"].upper()),
        files=(video,),
    )


def _published(row: Row) -> list[tuple[str, float]]:
    found = []
    for column, key, factor in _PUBLISHED:
        try:
            value = float(row[column])
        except ValueError:
            continue
        if np.isfinite(value) and value > 0:
            found.append((key, value * factor))
    return found


def _study(video: Path, view: View, tracing: Tracing, options: Options) -> Study:
    image, notes = read_noted(video, options.spacing_mm)
    require_picture(image.voxels, video.name)
    phases = _phases(tracing)
    source = Source(
        stem=safe_id(video.stem), format="video", path=video, frames=tuple(range(image.frames))
    )
    return Study(
        id=safe_id(video.stem),
        modality=Modality.US,
        images={view: image},
        sources={view: (source,)},
        phases={view: phases} if phases and max(phases.ed, phases.es or 0) < image.frames else {},
        notes=notes,
    )


def _phases(tracing: Tracing) -> Phases | None:
    areas = {frame: _area(outline(lines)) for frame, lines in tracing.items()}
    if len(areas) < 2:
        return None
    ed, es = max(areas, key=lambda f: areas[f]), min(areas, key=lambda f: areas[f])
    return Phases(ed=ed, es=es, how="given") if areas[ed] > areas[es] else None


def outline(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2n - 2, 2) column and row of the closed outline through the ends of n - 1 chords.

    Args:
        lines: (n, 4) x1, y1, x2, y2; the first is the long axis and no part of it.
    """
    one_side, other_side = lines[1:, :2], lines[1:, 2:]
    return np.concatenate([one_side, np.flip(other_side, axis=0)])


def _area(points: NDArray[np.float64]) -> float:
    """Of a polygon, by the shoelace formula."""
    x, y = points.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def _masks(video: Path, tracing: Tracing, options: Options) -> Segmentation:
    """The LV at the traced frames; other frames were not looked at and stay empty.

    Raises:
        GeometryError: a traced frame or point that the video does not have.
    """
    grid, frames = grid_of(video, options.spacing_mm)
    rows, columns = grid.shape[1:]
    labels = np.zeros((frames, *grid.shape), np.uint8)
    for frame, lines in tracing.items():
        points = outline(lines)
        inside = (points >= -1).all() and (points <= (columns, rows)).all()
        if frame >= frames or not inside:
            raise GeometryError(
                video.name,
                got=f"a tracing of frame {frame} that the video does not hold",
                allowed=f"{frames} frames of {rows} x {columns}",
                do="copy the video and the tables from the same release",
            )
        labels[frame, 0][polygon_mask(points, (rows, columns))] = Structure.LV_CAVITY
    return Segmentation(labels, grid, (Structure.LV_CAVITY,))


# The tracings: read once for ten thousand videos


def _tracings_of(path: Path) -> Mapping[str, Sequence[Cells]]:
    file = path / _TRACINGS
    if not file.is_file():
        return {}
    return _read_tracings(file.resolve(), file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read_tracings(file: Path, changed: int) -> Mapping[str, Sequence[Cells]]:
    """Lines by video, still text: a video's become numbers when they are asked for."""
    del changed  # part of the key only: a table that was edited is read again
    found: dict[str, list[Cells]] = {}
    for name, *cells in read_cells(file, ("FileName", *_LINE)):
        found.setdefault(name, []).append(tuple(cells))
    return {_video(name): cells for name, cells in found.items()}


def _tracing(lines: Sequence[Cells]) -> Tracing:
    """Lines of a video by frame, in the table's order.

    Raises:
        FormatError: cells that are no numbers, or too few lines of a frame.
    """
    found: dict[int, list[list[float]]] = {}
    for *ends, said in lines:
        frame, points = whole_number(said.strip()), _numbers(ends)
        if frame is None or points is None:
            raise _unfit(f"a line of frame '{said[:12]}' without four numbers")
        found.setdefault(frame, []).append(points)
    for frame, chords in found.items():
        if len(chords) < _LEAST_LINES:
            raise _unfit(f"{len(chords)} lines of frame {frame}")
    return {frame: np.array(chords) for frame, chords in sorted(found.items())}


def _numbers(cells: Sequence[str]) -> list[float] | None:
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    return values if all(map(isfinite, values)) else None


def _unfit(got: str) -> FormatError:
    return FormatError(
        _TRACINGS,
        got=got,
        allowed=f"FileName, X1, Y1, X2, Y2, Frame; at least {_LEAST_LINES} lines of a frame",
        do="download the table again",
    )


def missing(path: Path) -> list[str]:
    """Videos that the list names and the folder does not hold, and an absent table."""
    there = {candidate.path.name for candidate in find(path, Options())}
    named = [_video(row["FileName"]) for row in read_rows(path / _LIST, _COLUMNS)]
    lines = [] if (path / _TRACINGS).is_file() else [f"no {_TRACINGS}: no labels"]
    gone = [f"{Path(name).name}: in {_LIST}, not in {_VIDEOS}" for name in named]
    return lines + [line for name, line in zip(named, gone, strict=True) if name not in there]


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=missing,
    card=Card(
        title="EchoNet-Dynamic: apical four-chamber echo video, LV traced at two frames",
        paper="Ouyang et al., Nature 2020",
        modality=Modality.US,
        labels="LV cavity at end-diastole and end-systole, as outlines; EF, EDV and ESV",
        cases="10030 videos of as many patients: 7465 to train, 1288 to validate, 1277 to test",
        licence="Stanford's research use agreement: not commercial, not to be passed on",
        obtain=(
            "register with Stanford's AIMI centre, which the EchoNet-Dynamic page names, and agree"
        ),
        source=(
            "the paper and its code's README for the number and the agreement; the split, and that "
            "it must not be passed on, as users of a copy report them, not seen in Stanford's text"
        ),
        patients=10030,
        tree="{FileList.csv, VolumeTracings.csv, Videos/*.avi}",
    ),
)
