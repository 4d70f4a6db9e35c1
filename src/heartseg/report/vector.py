"""Our SVG drawings on a PDF page: sharp lines and text that can be selected.

It knows what our own modules draw, and no more: `svg`, `path` of M H V v L A a Z, `polyline`,
`polygon`, `circle` and `text`. Anything else is an error, so that a drawing never loses a part
unseen.
"""

import math
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable

from heartseg.core.errors import OutputError
from heartseg.report.lettering import Lettering
from heartseg.report.setting import Style, put

_TOKEN = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "v": 1, "A": 7, "a": 7, "Z": 0}
ARC_STEP = math.radians(3.0)
"""Arcs are drawn as chords of this angle."""

Point = tuple[float, float]
Attributes = dict[str, str]


class Drawing(Flowable):  # type: ignore[misc] # reportlab brings no types
    """An SVG drawing as wide as its place."""

    def __init__(self, svg: str, lettering: Lettering) -> None:
        super().__init__()
        self.root = ElementTree.fromstring(svg)
        _, _, self.wide, self.high = map(float, self.root.attrib["viewBox"].split())
        self.lettering = lettering

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab: the size that it takes."""
        self.scale = width / self.wide
        self.width, self.height = width, self.high * self.scale
        return self.width, self.height

    def draw(self) -> None:
        """Called by reportlab."""
        self.canv.scale(self.scale, self.scale)
        for part in self.root:
            painter = _PAINTERS.get(part.tag)
            if painter is None:
                raise _unknown(part.tag)
            painter(self, dict(part.attrib), part.text or "")

    def _polyline(self, attributes: Attributes, _: str) -> None:
        points = [tuple(map(float, pair.split(","))) for pair in attributes["points"].split()]
        self._stroked([[(x, y) for x, y in points]], attributes, closed=False)

    def _polygon(self, attributes: Attributes, _: str) -> None:
        points = [tuple(map(float, pair.split(","))) for pair in attributes["points"].split()]
        self._stroked([[(x, y) for x, y in points]], attributes, closed=True)

    def _path(self, attributes: Attributes, _: str) -> None:
        lines = list(_outlines(attributes["d"]))
        self._stroked(lines, attributes, closed=attributes["d"].endswith("Z"))

    def _stroked(self, lines: list[list[Point]], attributes: Attributes, *, closed: bool) -> None:
        path = self.canv.beginPath()
        for (x, y), *others in lines:
            path.moveTo(x, self.high - y)
            for x, y in others:
                path.lineTo(x, self.high - y)
            if closed:
                path.close()
        self.canv.saveState()
        self.canv.setLineWidth(float(attributes.get("stroke-width", "1")))
        if "stroke-dasharray" in attributes:
            self.canv.setDash([float(part) for part in attributes["stroke-dasharray"].split()])
        if attributes.get("stroke-linejoin") == "round":
            self.canv.setLineJoin(1)
        self.canv.drawPath(path, **self._inked(attributes))
        self.canv.restoreState()

    def _circle(self, attributes: Attributes, _: str) -> None:
        x, y, radius = (float(attributes[name]) for name in ("cx", "cy", "r"))
        self.canv.saveState()
        self.canv.setLineWidth(1)
        self.canv.circle(x, self.high - y, radius, **self._inked(attributes))
        self.canv.restoreState()

    def _inked(self, attributes: Attributes) -> dict[str, int]:
        fill, stroke = attributes.get("fill", "none"), attributes.get("stroke", "none")
        if fill != "none":
            self.canv.setFillColor(HexColor(_long(fill)))
        if stroke != "none":
            self.canv.setStrokeColor(HexColor(_long(stroke)))
        return {"fill": int(fill != "none"), "stroke": int(stroke != "none")}

    def _text(self, attributes: Attributes, said: str) -> None:
        style = Style(float(attributes["font-size"]), attributes["fill"])
        x, y = float(attributes["x"]), float(attributes["y"])
        wide = self.lettering.width(said, style.size)
        x -= {"middle": wide / 2, "end": wide}.get(attributes.get("text-anchor", "start"), 0.0)
        put(self.canv, (x, self.high - y), said, style, self.lettering)


_PAINTERS: dict[str, Any] = {
    "path": Drawing._path,
    "polyline": Drawing._polyline,
    "polygon": Drawing._polygon,
    "circle": Drawing._circle,
    "text": Drawing._text,
}


def _long(colour: str) -> str:
    """`#ffffff` of `#fff`."""
    return "#" + "".join(2 * digit for digit in colour[1:]) if len(colour) == 4 else colour


def _unknown(what: str) -> OutputError:
    return OutputError("report.pdf", got=f"'{what}' in a drawing", allowed=", ".join(_PAINTERS))


def _outlines(data: str) -> Iterator[list[Point]]:
    """The lines of a path, arcs as chords."""
    tokens, line = _TOKEN.findall(data), list[Point]()
    while tokens:
        command = tokens.pop(0)
        if command not in _NUMBERS:
            raise _unknown(command)
        numbers = [float(tokens.pop(0)) for _ in range(_NUMBERS[command])]
        if command == "M" and line:
            yield line
            line = []
        line += _reached(command, numbers, line)
    yield line


def _reached(command: str, numbers: list[float], line: list[Point]) -> list[Point]:
    """The points that a command of a path adds."""
    if command == "Z":
        return []
    if command in ("M", "L"):
        return [(numbers[0], numbers[1])]
    x, y = line[-1]
    if command == "H":
        return [(numbers[0], y)]
    if command in ("V", "v"):
        return [(x, numbers[0] + (y if command == "v" else 0.0))]
    end = (numbers[5], numbers[6])
    if command == "a":
        end = (x + end[0], y + end[1])
    return list(_arc((x, y), end, numbers[0], large=bool(numbers[3]), sweep=bool(numbers[4])))


def _arc(start: Point, end: Point, radius: float, *, large: bool, sweep: bool) -> Iterator[Point]:
    """Of a circle, as SVG 1.1 (F.6.5) gives its middle and angles."""
    across = math.dist(start, end)
    away = math.sqrt(max(0.0, radius**2 - across**2 / 4))
    side = away if large != sweep else -away
    middle = (
        (start[0] + end[0]) / 2 - side * (end[1] - start[1]) / across,
        (start[1] + end[1]) / 2 + side * (end[0] - start[0]) / across,
    )
    first = math.atan2(start[1] - middle[1], start[0] - middle[0])
    turn = (math.atan2(end[1] - middle[1], end[0] - middle[0]) - first) % (2 * math.pi)
    if not sweep:
        turn -= 2 * math.pi
    steps = max(1, round(abs(turn) / ARC_STEP))
    for step in range(1, steps + 1):
        angle = first + turn * step / steps
        yield middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)
