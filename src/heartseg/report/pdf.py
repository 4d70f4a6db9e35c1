"""report.pdf: the page of `report.html` on A4, section by section, for print and archive.

The same report in the same language gives the same bytes: no clock, no random id. Fonts are
embedded as the subset that the text needs, curve and bull's eyes are vectors, the mosaic is the
page's JPEG.
What a file says is set as it is: there is no markup that it could use.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from heartseg.report.lettering import Lettering
from heartseg.report.page import Page
from heartseg.report.pdf_sections import MUTED_INK, SMALL, heading, section_flowables
from heartseg.report.setting import Style, lines_of, put

LEFT, TOP, BOTTOM = 40.0, 32.0, 56.0
"""Borders in points."""

WIDTH = A4[0] - 2 * LEFT


def pdf_bytes(page: Page, lettering: Lettering) -> bytes:
    """The page as a PDF file.

    Raises:
        OutputError: a character that no font at hand can print.
    """
    story: list[Flowable] = heading(page, WIDTH, lettering)
    for section in page.sections:
        story += section_flowables(section, WIDTH, lettering)
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"heartseg – {page.study}",
        author="",
        creator="heartseg",
        producer="heartseg",
        subject=page.research_only,
        lang=page.code,
        invariant=1,
        pageCompression=1,
    )
    frame = Frame(
        *(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM),
        **dict.fromkeys(("leftPadding", "rightPadding", "topPadding", "bottomPadding"), 0),
    )
    document.addPageTemplates(PageTemplate(frames=[frame]))
    with _binary():
        document.build(story, canvasmaker=partial(_Numbered, foot=partial(_foot, page, lettering)))
    return out.getvalue()


@contextmanager
def _binary() -> Iterator[None]:
    """Without reportlab's habit of writing pictures as letters, which takes a quarter more."""
    before, rl_config.useA85 = rl_config.useA85, 0
    try:
        yield
    finally:
        rl_config.useA85 = before


class _Numbered(Canvas):  # type: ignore[misc] # reportlab brings no types
    """Keeps its pages until it is known how many there are."""

    def __init__(self, *args: Any, foot: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.setViewerPreference("DisplayDocTitle", "true")
        self._foot, self._kept = foot, list[dict[str, Any]]()

    def _make_preamble(self) -> None:
        """Without a first font: reportlab's is Helvetica, which would stand there unembedded."""
        self._preamble = "1 0 0 1 0 0 cm"

    def showPage(self) -> None:  # noqa: N802 (reportlab's name)
        """Keep a page that is full."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all of them, each with its foot."""
        total = len(self._kept)
        for number, kept in enumerate(self._kept, start=1):
            self.__dict__.update(kept)
            self._foot(self, number, total)
            super().showPage()
        super().save()


def _foot(page: Page, lettering: Lettering, canvas: Any, number: int, total: int) -> None:
    """Whose page it is, which, and what it is not for."""
    canvas.setStrokeColor(HexColor("#aab2bd"))
    canvas.setLineWidth(0.5)
    canvas.line(LEFT, BOTTOM - 8, LEFT + WIDTH, BOTTOM - 8)
    numbered = page.page_of.replace("{number}", str(number)).replace("{total}", str(total))
    loud, quiet = Style(SMALL, "#171c24", bold=True), Style(SMALL, MUTED_INK)
    y = BOTTOM - 18
    put(canvas, (LEFT, y), page.research_only, loud, lettering)
    beside = LEFT + lettering.width(f"{page.research_only}  ", SMALL, bold=True)
    put(canvas, (beside, y), page.untranslated, quiet, lettering)
    put(canvas, (LEFT + WIDTH, y), numbered, Style(SMALL, MUTED_INK, right=True), lettering)
    for line in (page.licence, f"{page.study}  ·  {page.patient}"):
        y -= 10
        first, *more = lines_of(line, WIDTH - SMALL, quiet, lettering)
        put(canvas, (LEFT, y), f"{first}…" if more else first, quiet, lettering)
