import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heartseg.core.errors import FormatError, MissingExtraError
from heartseg.formats import video

CLIPS = {
    "ffv1.avi": ("ffv1", "gray", True),
    "raw.avi": ("rawvideo", "bgr24", True),
    "mjpeg.avi": ("mjpeg", "yuvj420p", False),
    "png.mov": ("png", "gray", True),
    "h264.mp4": ("libx264", "yuv420p", False),
    "mpeg4.mp4": ("mpeg4", "yuv420p", False),
    "ffv1.mkv": ("ffv1", "gray", True),
    "vp9.webm": ("libvpx-vp9", "yuv420p", False),
}
"""Name: codec, pixels, whether without loss."""


def beating(frames: int = 6) -> np.ndarray:
    """(t, y, x) a bright disc of another size in each frame, off centre."""
    y, x = np.mgrid[:48, :64]
    away = np.hypot(y - 20, x - 37)
    return np.stack([np.where(away < 8 + 2 * t, 200, 40) for t in range(frames)]).astype(np.uint8)


def write(
    path: Path, frames: np.ndarray, codec: str, pixels: str, stamps: list[int] | None = None
) -> Path:
    """By PyAV, 25 frames a second, or shown at `stamps` in ms."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, values in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(
                values, format="gray" if values.ndim == 2 else "rgb24"
            )
            if stamps:
                frame.pts, frame.time_base = stamps[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", CLIPS)
def test_frames_become_t_with_the_times_of_the_stream(name, tmp_path):
    codec, pixels, exact = CLIPS[name]
    image, notes = video.read_noted(write(tmp_path / name, beating(), codec, pixels))
    assert image.voxels.shape == (6, 1, 48, 64)
    assert image.voxels.dtype == np.uint8
    off = np.abs(image.voxels[:, 0].astype(int) - beating())
    assert off.max() == 0 if exact else off.mean() < 4
    assert image.times_ms == pytest.approx((0, 40, 80, 120, 160, 200), abs=1)
    assert image.geometry.unit == "px"
    assert notes == (video.NO_SPACING, video.PLAYBACK)
    assert video.read_image(tmp_path / name, (8, 0.3, 0.2)).geometry.spacing == (8, 0.3, 0.2)


def test_a_variable_rate_keeps_its_own_times(tmp_path):
    stamps = [0, 33, 80, 110, 190, 200]
    path = write(tmp_path / "a.mkv", beating(), "ffv1", "gray", stamps)
    assert video.read_image(path).times_ms == pytest.approx(stamps)
    path = write(tmp_path / "b.mkv", beating(), "ffv1", "gray", [n * 1000 for n in range(6)])
    image, notes = video.read_noted(path)
    assert image.times_ms is None
    assert "order only" in notes[1]


def test_colour_becomes_brightness_with_a_note(tmp_path):
    frames = np.repeat(beating()[..., None], 3, -1)
    frames[:, :6] = (0, 200, 0)
    image, notes = video.read_noted(write(tmp_path / "a.avi", frames, "rawvideo", "bgr24"))
    assert np.array_equal(np.unique(image.voxels[:, 0, :6]), [117])
    assert "12.5 % of the pixels are in colour" in notes[-1]


def test_the_same_file_gives_the_same_voxels(tmp_path):
    path = write(tmp_path / "a.mp4", beating(12), "libx264", "yuv420p")
    first = video.read_image(path).voxels
    assert all(np.array_equal(video.read_image(path).voxels, first) for _ in range(3))


def test_the_name_does_not_decide_what_a_file_is(tmp_path):
    write(tmp_path / "a.avi", beating(), "ffv1", "gray").rename(tmp_path / "a.mp4")
    assert video.read_image(tmp_path / "a.mp4").frames == 6


def test_without_pyav_the_install_line_is_said(tmp_path, monkeypatch):
    path = write(tmp_path / "a.avi", beating(), "ffv1", "gray")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'heartseg\[video\]'"):
        video.read_image(path)


# Hostile and damaged files

LISTS = {
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:secret.avi\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile secret.avi\n",
    "dash": b'<?xml version="1.0"?><MPD><Period><BaseURL>secret.avi</BaseURL></Period></MPD>',
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9999 RTP/AVP 96\n",
    "script": b'AVISource("secret.avi")\n',
    "picture list": b"secret%03d.png\n",
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_other_files_are_no_video(kind, tmp_path, monkeypatch):
    write(tmp_path / "secret.avi", beating(), "ffv1", "gray")
    monkeypatch.chdir(tmp_path)
    for suffix in video.SUFFIXES:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(LISTS[kind] * 9)
        with pytest.raises(FormatError, match="does not begin like a video"):
            video.read_image(path)


def test_a_quicktime_reference_to_another_file_is_not_followed(tmp_path):
    inside = write(tmp_path / "a.mov", beating(), "png", "gray").read_bytes()
    alias = b"\0\0\0\x0curl \0\0\0\x01"  # "the data are in this file"
    assert alias in inside
    elsewhere = b"file:" + str(tmp_path / "b.mov").encode()
    away = (12 + len(elsewhere) + 1).to_bytes(4) + b"url \0\0\0\0" + elsewhere + b"\0"
    (tmp_path / "b.mov").write_bytes(inside)
    grown = len(away) - len(alias)
    data = bytearray(inside.replace(alias, away))
    for atom in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = data.rindex(atom) - 4
        size = int.from_bytes(data[at : at + 4])
        data[at : at + 4] = (size + grown).to_bytes(4)
    (tmp_path / "a.mov").write_bytes(data)
    (tmp_path / "b.mov").unlink()  # whoever looks for it fails
    try:
        assert np.array_equal(video.read_image(tmp_path / "a.mov").voxels[:, 0], beating())
    except FormatError as fault:
        assert str(tmp_path) not in str(fault)  # noqa: PT017


@pytest.mark.parametrize("name", ["raw.avi", "h264.mp4", "ffv1.mkv", "vp9.webm", "png.mov"])
def test_truncated_clips_are_said(name, tmp_path):
    codec, pixels, _ = CLIPS[name]
    path = write(tmp_path / name, beating(), codec, pixels)
    whole = path.read_bytes()
    for share in (0.0, 0.002, 0.02, 0.2, 0.5, 0.7):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FormatError, match=r"again"):
            video.read_image(path)


@pytest.mark.parametrize("name", ["mjpeg.avi", "h264.mp4", "ffv1.mkv"])
def test_damage_is_said_or_read_in_silence(name, tmp_path, capfd):
    codec, pixels, _ = CLIPS[name]
    path = write(tmp_path / name, beating(), codec, pixels)
    capfd.readouterr()
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for _ in range(60):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 5):
            data[at] = random.integers(256)
        path.write_bytes(data)
        try:
            video.read_image(path)
        except FormatError:
            continue
    assert capfd.readouterr() == ("", "")


def test_films_are_refused_while_they_are_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.avi", beating(), "ffv1", "gray")
    monkeypatch.setattr(video, "MAX_FRAMES", 4)
    with pytest.raises(FormatError, match="more than 4 frames of 64 x 48.*cut out the beats"):
        video.read_image(path)
    monkeypatch.setattr(video, "MAX_FRAMES", 100)
    monkeypatch.setattr(video, "MAX_VIDEO_BYTES", 3 * 48 * 64)
    with pytest.raises(FormatError, match="more than 3 frames"):
        video.read_image(path)


def test_frames_larger_than_any_are_refused_before_they_are_decoded(tmp_path):
    path = write(tmp_path / "a.avi", beating(), "rawvideo", "bgr24")
    data = bytearray(path.read_bytes())
    at = data.index(b"strf") + 12  # BITMAPINFOHEADER: width, height
    data[at : at + 8] = (30_000).to_bytes(4, "little") + (30_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(FormatError, match="30000 x 30000 pixels|at least one|damaged"):
        video.read_image(path)


ONE = 1 << 16
TURNS = {
    "a quarter clockwise": ((0, ONE, -ONE, 0), lambda frames: np.rot90(frames, -1, (1, 2))),
    "a quarter back": ((0, -ONE, ONE, 0), lambda frames: np.rot90(frames, 1, (1, 2))),
    "upside down": ((-ONE, 0, 0, -ONE), lambda frames: frames[:, ::-1, ::-1]),
    "mirrored": ((-ONE, 0, 0, ONE), lambda frames: frames[:, :, ::-1]),
    "mirrored about a diagonal": ((0, ONE, ONE, 0), lambda frames: frames.transpose(0, 2, 1)),
}
"""What the matrix (a, b, c, d) of a track does to frames (t, y, x)."""


def show_as(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Change the matrix by which the track of an MP4 is shown."""
    content = bytearray(path.read_bytes())
    head = content.index(b"tkhd") + 4
    at = head + 4 + (20, 32)[content[head]] + 16
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("turn", TURNS)
def test_clips_are_turned_as_players_show_them(turn, tmp_path):
    matrix, shown = TURNS[turn]
    path = write(tmp_path / "phone.mp4", beating(), "libx264", "yuv420p")
    stored = video.read_image(path).voxels[:, 0]
    image, notes = video.read_noted(show_as(path, *matrix), (8, 0.3, 0.2))
    assert np.array_equal(image.voxels[:, 0], shown(stored))
    assert image.geometry.shape == image.voxels.shape[1:]
    assert image.geometry.spacing == (8, 0.3, 0.2)
    assert video.TURNED in notes


def test_a_turn_that_is_no_quarter_is_said(tmp_path):
    path = write(tmp_path / "a.mp4", beating(), "libx264", "yuv420p")
    stored = video.read_image(path).voxels
    image, notes = video.read_noted(show_as(path, 46341, 46341, -46341, 46341))
    assert np.array_equal(image.voxels, stored)
    assert video.NO_QUARTER in notes
