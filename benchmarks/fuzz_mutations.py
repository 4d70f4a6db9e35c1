"""Ways to damage a file: a few at a time, more often near its start, where headers are."""

import gzip
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

Packing = Literal["", "gzip", "png", "text"]
"""What a file is made of: plain bytes; a gzip stream, damaged inside or outside; chunks with check
sums, which are mended mostly, or else nothing behind them would ever be reached; lines."""

Random = np.random.Generator

LARGEST = 4_000_000
"""Bytes of an input: what is longer is cut."""

_WHOLE = (0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1,
          2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)  # fmt: skip
_REAL = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-30, 1e30, 3e38, float("inf"), float("-inf"), float("nan"))
_WORDS = (
    b"0", b"-1", b"1e309", b"nan", b"inf", b"99999999999999999999", b"", b" ", b"\0", b"\xff\xfe",
    b"../../../../etc/passwd", b"/etc/passwd", b"/dev/zero", b"http://127.0.0.1:9/x", b"%n%s",
    b"<script>alert(1)</script>", b"=cmd()", b"\x1b[2J", b"\r", b"\n\n", b"\t", b",", b":", b"=",
    b"[", b"]", b"{", b"}", b'"', b"'", b"#", b"LIST", b"LOCAL", b"0.0 0.0 0.0", b"4 4 4 4 4 4 4",
    b"A" * 5000, b"1 " * 3000, "\u202e\u00e9\U0001f9e1".encode(),
)  # fmt: skip


def mutated(content: bytes, other: bytes, rng: Random, packing: Packing = "") -> bytes:
    """One to eight damages of `content`; `other` is what pieces are borrowed from."""
    if packing == "gzip" and rng.random() < 0.7:
        inner = _damaged(gzip.decompress(content), _unpacked(other), rng, text=False)
        return gzip.compress(inner, 1)
    damaged = _damaged(content, other, rng, text=packing == "text")
    return _mended(damaged) if packing == "png" and rng.random() < 0.8 else damaged


def _mended(png: bytes) -> bytes:
    """With the right check sum for each chunk that is whole."""
    out, at = bytearray(png), 8
    while at + 12 <= len(out):
        size = int.from_bytes(out[at : at + 4], "big")
        end = at + 8 + size
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)


def _unpacked(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content


def _damaged(content: bytes, other: bytes, rng: Random, *, text: bool) -> bytes:
    ways = list((_TEXT if text else _BINARY).values())
    out = bytearray(content)
    for _ in range(int(rng.geometric(0.6)) if rng.random() < 0.9 else 8):
        out = ways[int(rng.integers(len(ways)))](out, other, rng)
        if not out:
            break
    return bytes(out[:LARGEST])


def _place(size: int, rng: Random) -> int:
    """Somewhere; in half of the cases near the start."""
    reach = min(size, 600) if rng.random() < 0.5 else size
    return int(rng.integers(max(1, reach)))


def _piece(size: int, rng: Random) -> slice:
    start = _place(size, rng)
    return slice(start, start + int(rng.geometric(0.02)))


def _flip_bit(out: bytearray, _: bytes, rng: Random) -> bytearray:
    out[_place(len(out), rng)] ^= 1 << int(rng.integers(8))
    return out


def _random_bytes(out: bytearray, _: bytes, rng: Random) -> bytearray:
    where = _piece(len(out), rng)
    out[where] = rng.bytes(len(out[where]))
    return out


def _telling_number(out: bytearray, _: bytes, rng: Random) -> bytearray:
    """A whole number at the edge of its type, in either byte order."""
    size = int(rng.choice([1, 2, 4, 8]))
    value = _WHOLE[int(rng.integers(len(_WHOLE)))] % 2 ** (8 * size)
    start = _place(len(out), rng)
    order: Literal["little", "big"] = "little" if rng.random() < 0.7 else "big"
    out[start : start + size] = value.to_bytes(size, order)
    return out


def _telling_real(out: bytearray, _: bytes, rng: Random) -> bytearray:
    value = _REAL[int(rng.integers(len(_REAL)))]
    start = _place(len(out), rng)
    kind = str(rng.choice(["<f", ">f", "<d"]))
    with np.errstate(over="ignore"):
        packed = struct.pack(kind, np.float32(value) if kind[1] == "f" else value)
    out[start : start + len(packed)] = packed
    return out


def _cut_end(out: bytearray, _: bytes, rng: Random) -> bytearray:
    return out[: _place(len(out), rng)]


def _remove(out: bytearray, _: bytes, rng: Random) -> bytearray:
    del out[_piece(len(out), rng)]
    return out


def _repeat(out: bytearray, _: bytes, rng: Random) -> bytearray:
    where = _piece(len(out), rng)
    piece = bytes(out[where])
    out[where.start : where.start] = piece * int(rng.choice([1, 2, 50]))
    return out


def _borrow(out: bytearray, other: bytes, rng: Random) -> bytearray:
    where = _piece(len(other), rng)
    start = _place(len(out), rng)
    piece = other[where]
    if rng.random() < 0.5:
        out[start : start + len(piece)] = piece
    else:
        out[start:start] = piece
    return out


def _join(out: bytearray, other: bytes, rng: Random) -> bytearray:
    """The beginning of one and the end of the other."""
    return out[: _place(len(out), rng)] + bytearray(other[_place(len(other), rng) :])


def _word(out: bytearray, _: bytes, rng: Random) -> bytearray:
    """A hostile word in the place of one that stands there."""
    text = bytes(out)
    start = _place(len(text), rng)
    begin = max(text.rfind(mark, 0, start) for mark in (b" ", b"\n", b",", b":", b"=", b'"')) + 1
    end = start
    while end < len(text) and text[end : end + 1] not in b' \n,:="':
        end += 1
    out[begin:end] = _WORDS[int(rng.integers(len(_WORDS)))]
    return out


def _line(out: bytearray, other: bytes, rng: Random) -> bytearray:
    """Lines removed, repeated, exchanged or borrowed."""
    lines = bytes(out).split(b"\n")
    at = int(rng.integers(len(lines)))
    theirs = other.split(b"\n")
    way = int(rng.integers(4))
    if way == 0:
        del lines[at]
    elif way == 1:
        lines[at:at] = [lines[at]] * int(rng.choice([1, 3, 300]))
    elif way == 2:
        to = int(rng.integers(len(lines)))
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines.insert(at, theirs[int(rng.integers(len(theirs)))])
    return bytearray(b"\n".join(lines))


Way = Callable[[bytearray, bytes, Random], bytearray]
_BINARY: Mapping[str, Way] = {
    "flip a bit": _flip_bit,
    "random bytes": _random_bytes,
    "a telling number": _telling_number,
    "another telling number": _telling_number,
    "a telling real": _telling_real,
    "cut the end": _cut_end,
    "remove a piece": _remove,
    "repeat a piece": _repeat,
    "borrow a piece": _borrow,
    "join two": _join,
    "a word": _word,
}
_TEXT: Mapping[str, Way] = {
    "a word": _word,
    "another word": _word,
    "lines": _line,
    "flip a bit": _flip_bit,
    "random bytes": _random_bytes,
    "cut the end": _cut_end,
    "remove a piece": _remove,
    "repeat a piece": _repeat,
    "borrow a piece": _borrow,
}
