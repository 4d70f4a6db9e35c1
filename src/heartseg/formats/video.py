"""Video: AVI, MP4/MOV, MKV/WebM through PyAV (extra `[video]`). Frames become t, colour brightness.

Only the file itself is read, as the container that its first bytes show: playlists, references to
other files and network addresses have no reader here. One thread decodes, so that a file gives the
same voxels everywhere.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError, MissingExtraError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image
from heartseg.formats.bounds import (
    MAX_FRAME_MS,
    MAX_PIXELS,
    MIN_FRAME_MS,
    require_pixels,
    require_spacing,
)
from heartseg.formats.brightness import CHROMA_NOISE, brightness, colour_note
from heartseg.formats.stored import NO_SPACING

SUFFIXES = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm")

MAX_FRAMES = 10_000
MAX_VIDEO_BYTES = 2**30
"""Of grey values: 1300 frames of 1024 x 768. A film is no heart, and a small file can hold one."""

PLAYBACK = "frame times are those of playback: true where the clip runs as fast as the heart beat"

TURNED = "turned or mirrored as its file says that it is shown"
NO_QUARTER = "its file asks for a turn that is no quarter: frames are as they are stored"

_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_UNFINISHED = 1.5
"""A clip may end this many frames before it says."""


def read_noted(
    path: Path, spacing_mm: Sequence[float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """Read (t, 1, y, x) grey values, and what a reader should know about them.

    Raises:
        FormatError: none of these containers, no video in it, damaged, truncated, frames of
            different sizes, or more of them than a cine has.
        GeometryError: a spacing that cannot be.
        MissingExtraError: PyAV is not installed.
    """
    frames, times, notes = _read(path)
    shape = (1, *frames.shape[1:])
    if spacing_mm is None:
        geometry, notes = Geometry.from_pixels(shape), (NO_SPACING, *notes)
    else:
        require_spacing(path.name, spacing_mm)
        z, y, x = spacing_mm
        geometry = Geometry.from_pixels(shape, (z, y, x))
    return Image(frames[:, None], geometry, times), notes


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read a clip; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def _read(path: Path) -> tuple[NDArray[np.uint8], tuple[float, ...] | None, tuple[str, ...]]:
    try:
        import av
    except ImportError as fault:
        raise MissingExtraError(path.name, "video") from fault
    frames: list[NDArray[np.uint8]] = []
    shown = Orientation()
    turned: tuple[str, ...] = ()
    stamps: list[float | None] = []
    coloured = 0
    try:
        with path.open("rb") as stream, _container(path, stream) as container:
            video, several = _video(path, container)
            for frame in _frames(path, container, video):
                grey, share = _grey(frame)
                if not frames:
                    shown, turned = _turned(frame)
                _require_room(path, frames, grey)
                frames.append(grey)
                coloured += share
                stamps.append(None if frame.pts is None else float(frame.pts * frame.time_base))
    except (av.FFmpegError, OSError, ValueError, RuntimeError, OverflowError) as fault:
        raise _damaged(path, f"{type(fault).__name__} after {len(frames)} frames") from fault
    if not frames:
        raise _damaged(path, "no frame in it")
    times, timed = _times(stamps)
    return (
        shown.apply(np.stack(frames)[:, None])[:, 0],
        times,
        (*several, *turned, *timed, *colour_note(coloured, len(frames) * frames[0].size)),
    )


def _container(path: Path, stream: BinaryIO) -> Any:
    """The file opened as what its first bytes show, and as nothing else."""
    import av

    start = stream.read(12)
    stream.seek(0)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        kind = "avi"
    elif start[:4] == b"\x1aE\xdf\xa3":
        kind = "matroska"
    elif start[4:8] in _ATOMS:
        kind = "mov"
    else:
        raise FormatError(
            path.name,
            got="a file that does not begin like a video" if start else "an empty file",
            allowed="AVI, MP4, MOV, MKV, WebM",
            do="check what the file really is, or export it again",
        )
    limits = {"max_pixels": str(MAX_PIXELS), "protocol_whitelist": "none"}
    return av.open(stream, "r", format=kind, options=limits, io_open=_refuse)


def _refuse(*_: object) -> NoReturn:
    """Answer to a container that asks for another file."""
    raise ValueError("a video that names another file")


def _video(path: Path, container: Any) -> tuple[Any, tuple[str, ...]]:
    """The stream of pictures, its size checked; and a note where there are others."""
    if not container.streams.video:
        raise _damaged(path, "no video in it")
    video = container.streams.best("video") or container.streams.video[0]
    if video.codec_context is None:
        raise _damaged(path, "packed in a way that nobody knows")
    require_pixels(path.name, (video.width, video.height))
    video.thread_type = "NONE"
    video.codec_context.thread_count = 1
    count = len(container.streams.video)
    return video, (f"{count} videos in the file: the best is taken",) if count > 1 else ()


def _frames(path: Path, container: Any, video: Any) -> Iterator[Any]:
    """Decoded frames in the order of showing; FormatError where one is damaged or the end lacks."""
    end = frame_s = 0.0
    for packet in container.demux(video):
        if packet.is_corrupt:
            raise _damaged(path, "a damaged frame")
        if packet.pts is not None:
            frame_s = float((packet.duration or 0) * packet.time_base) or frame_s
            end = max(end, float(packet.pts * packet.time_base) + frame_s)
        for frame in packet.decode():
            if frame.is_corrupt:
                raise _damaged(path, "a damaged frame")
            yield frame
    said = _length_s(container, video)
    if end and said - end > _UNFINISHED * max(frame_s, 1e-3):
        raise _damaged(path, f"{end:.2f} of the {said:.2f} seconds that its header claims")


def _length_s(container: Any, video: Any) -> float:
    """Where the clip ends by its header, 0 where it does not say."""
    if video.duration is not None:
        return float((video.duration + (video.start_time or 0)) * video.time_base)
    return float(container.duration or 0) / 1e6


def _grey(frame: Any) -> tuple[NDArray[np.uint8], int]:
    """(y, x) brightness, and how many pixels are in colour."""
    if frame.format.name == "gray":
        grey: NDArray[np.uint8] = frame.to_ndarray()
        return grey.copy(), 0
    channels = frame.to_ndarray(format="rgb24")
    values, coloured = brightness(channels, CHROMA_NOISE)
    return values.astype(np.uint8, copy=False), coloured


def _turned(frame: Any) -> tuple[Orientation, tuple[str, ...]]:
    """How frames (1, y, x) are shown, as cameras and phones note it, and what to say of it."""
    from av.sidedata.sidedata import Type

    said = frame.side_data.get(Type.DISPLAYMATRIX)
    if said is None:
        return Orientation(), ()
    # Pixel (x, y) is shown at (a x + c y, b x + d y), apart from where the corner lies.
    a, b, _, c, d, *_ = np.frombuffer(bytes(said), np.int32, 9).tolist()
    if not (a or d) and b and c:
        return Orientation((0, 2, 1), (False, b < 0, c < 0)), (TURNED,)
    if not (b or c) and a and d:
        flips = (False, d < 0, a < 0)
        return Orientation(flip=flips), (TURNED,) if any(flips) else ()
    return Orientation(), (NO_QUARTER,)


def _require_room(path: Path, frames: list[NDArray[np.uint8]], more: NDArray[np.uint8]) -> None:
    if frames and frames[0].shape != more.shape:
        raise FormatError(
            path.name,
            got=f"frames of {frames[0].shape} and of {more.shape} pixels",
            allowed="one size",
            do="export the clip again",
        )
    if len(frames) >= MAX_FRAMES or (len(frames) + 1) * more.size > MAX_VIDEO_BYTES:
        raise FormatError(
            path.name,
            got=f"more than {len(frames)} frames of {more.shape[1]} x {more.shape[0]} pixels",
            allowed=f"{MAX_FRAMES} frames and {MAX_VIDEO_BYTES // 2**20} million pixels",
            do="cut out the beats to be measured",
        )


def _times(stamps: list[float | None]) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """ms from the first frame, and notes; None where the stamps are no times of a heart cycle."""
    if len(stamps) < 2:
        return None, ()
    times = [stamp * 1000.0 for stamp in stamps if stamp is not None]
    steps = np.diff(times)
    if len(times) < len(stamps) or (steps <= 0).any():
        return None, ("frames without times of their own: order only",)
    if not MIN_FRAME_MS <= float(steps.mean()) <= MAX_FRAME_MS:
        return None, (f"no usable frame time in the file ({steps.mean():g} ms): order only",)
    return tuple(round(time - times[0], 6) for time in times), (PLAYBACK,)


def _damaged(path: Path, got: str) -> FormatError:
    return FormatError(
        path.name,
        got=f"a damaged or truncated video ({got})",
        do="copy or export it again",
    )
