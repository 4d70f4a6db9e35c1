"""Blocks of small print in two columns that may go on on the next page."""

from collections.abc import Sequence

from reportlab.platypus import Flowable, Spacer

GAP = 20.0
TOP = 9.0
"""Points above a block that goes on."""

LEAST = 90.0
"""Points that must be free on a page for a part to begin there."""

_HEAD = 3
"""A heading (a space and a line) and the first line under it stay together."""

Block = Sequence[Flowable]


class TwoColumns(Flowable):  # type: ignore[misc] # reportlab brings no types
    """Blocks side by side: whole ones where they fit, about as many points left as right."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        self.blocks = [list(block) for block in blocks]

    @staticmethod
    def width_of(width: float) -> float:
        """Of one column."""
        return (width - GAP) / 2

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab: the size that it takes."""
        self.width, self.column = width, self.width_of(width)
        tall = [sum(self._high(part) for part in block) for block in self.blocks]
        self.height, left = min(
            (max(sum(tall[:at]), sum(tall[at:])), at) for at in range(len(tall) + 1)
        )
        sides = self.blocks[:left], self.blocks[left:]
        self._sides = [[part for block in side for part in block] for side in sides]
        return width, self.height

    def draw(self) -> None:
        """Called by reportlab."""
        for number, side in enumerate(self._sides):
            y = self.height
            for part in side:
                y -= part.height
                part.drawOn(self.canv, number * (self.column + GAP), y)

    def split(self, width: float, height: float) -> list[Flowable]:
        """Called by reportlab: what fits the height in both columns, and the rest."""
        self.wrap(width, height)
        if self.height <= height:
            return [self]
        if height < LEAST:
            return []
        first, rest = self._filled(self.blocks, height)
        second, rest = self._filled(rest, height)
        page = TwoColumns([first, second])
        return [page, TwoColumns(rest)] if rest else [page]

    def _filled(self, blocks: Sequence[Block], height: float) -> tuple[Block, list[Block]]:
        """As much as a column holds, and the blocks that are left."""
        column, used = list[Flowable](), 0.0
        for number, block in enumerate(blocks):
            for at, part in enumerate(block):
                needed = sum(self._high(one) for one in (block[:_HEAD] if at == 0 else [part]))
                if used + needed > height and (column or number):
                    going_on = [] if at == 0 else [Spacer(1, TOP)]
                    return column, [[*going_on, *block[at:]], *blocks[number + 1 :]]
                column.append(part)
                used += self._high(part)
        return column, []

    def _high(self, part: Flowable) -> float:
        return float(part.wrap(self.column, 10_000)[1])
