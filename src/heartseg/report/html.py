"""report.html: one page that a browser opens anywhere, from a file, without a network.

Everything is inside: style, drawings, pictures. The content security policy forbids the rest, and
Jinja2 escapes every text, since ids, file names and reasons come from strangers.
"""

import base64
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.report.language import English
from heartseg.report.page import Page

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).with_name("page.html.j2")


def html_page(page: Page) -> str:
    """The page as one HTML file."""
    return template().render(page=page)


def _in_stylesheet(text: str) -> str:
    """Within quotation marks in CSS: what is neither letter nor digit is written by its number."""
    plain = frozenset(" ,.-")
    return "".join(c if c.isalnum() or c in plain else f"\\{ord(c):06x}" for c in text)


@lru_cache(maxsize=1)
def template() -> "Template":
    """Of the page, compiled once."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def said(text: str) -> str:
        """Escaped; what stayed in English is marked for readers of the screen."""
        marked = f'<span lang="en">{escape(text)}</span>'
        return Markup(marked) if isinstance(text, English) else text

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["said"] = said
    environment.filters["stylesheet"] = _in_stylesheet
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
