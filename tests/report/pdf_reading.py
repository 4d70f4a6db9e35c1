"""The text of our PDFs, by their own ToUnicode maps: what a reader of the file can select.

Knows what reportlab writes: whole objects, Flate streams, one `Tf` before each run of text.
"""

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\r?\n(.*?)endobj", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)")
_STREAM = re.compile(rb"stream\r?\n")
_RUN = re.compile(rb"/(\S+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def pages_of(content: bytes) -> list[str]:
    """The text of each page, in the order in which it is drawn."""
    objects = {int(number): body for number, body in _OBJECT.findall(content)}
    maps = _fonts(objects)
    kids = next(b for b in objects.values() if b"/Type /Pages" in b)
    order = [int(n) for n in re.findall(rb"(\d+) 0 R", kids.partition(b"/Kids [")[2])]
    pages = [objects[n] for n in order if n in objects and b"/Type /Page" in objects[n]]
    numbers = [int(re.search(rb"/Contents (\d+) 0 R", page)[1]) for page in pages]
    return [_said(_flat(objects[number]), maps) for number in numbers]


def unembedded(content: bytes) -> list[bytes]:
    """Names of fonts that the file does not hold."""
    objects = [body for _, body in _OBJECT.findall(content)]
    fonts = [body for body in objects if re.search(rb"/Type /Font\b(?!D)", body)]
    return [font for font in fonts if b"/FontDescriptor" not in font]


def _flat(body: bytes) -> bytes:
    # By its stated length: packed bytes may end in a carriage return, as lines do.
    start = _STREAM.search(body).end()
    return zlib.decompress(body[start : start + int(_LENGTH.search(body)[1])])


def _fonts(objects: dict[int, bytes]) -> dict[bytes, dict[int, str]]:
    """By name in the pages' resources: what each byte means."""
    named = {}
    for body in objects.values():
        for name, number in re.findall(rb"/(F\d+(?:\+\d+)?) (\d+) 0 R", body):
            font = objects[int(number)]
            unicode = re.search(rb"/ToUnicode (\d+) 0 R", font)
            named[name] = _map(_flat(objects[int(unicode[1])])) if unicode else {}
    return named


def _map(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"^<(\w\w)> <(\w{4,})>$", cmap, re.MULTILINE)
    return {int(code, 16): bytes.fromhex(to.decode()).decode("utf-16-be") for code, to in pairs}


def _said(stream: bytes, maps: dict[bytes, dict[int, str]]) -> str:
    text, font = [], {}
    for line in re.split(rb"\bET\b", stream):
        for name, run in _RUN.findall(line):
            if name:
                font = maps[name]
            raw = _ESCAPED.sub(lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else m[1], run)
            text.append("".join(font[code] for code in raw))
        text.append("\n")
    return "".join(text)
