"""index.html of an explanation: one page that a browser opens from a file, without a network.

The pictures are inside; the content security policy forbids everything else, and Jinja2 escapes
every text, since ids come from strangers.
"""

import base64
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heartseg.explain.methods import METHODS
from heartseg.report import words

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).with_name("index.html.j2")


def html_page(said: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The page of what explain.json says.

    Args:
        said: the content of explain.json.
        pictures: PNG by name of file.
    """
    return _template().render(
        said=said,
        about={name: _first_line(name) for name in METHODS},
        pictures={name: base64.b64encode(one).decode() for name, one in pictures.items()},
        research_only=words.RESEARCH_ONLY,
    )


def _first_line(name: str) -> str:
    """What a method is, from its own file."""
    import sys

    module = sys.modules[METHODS[name].function.__module__]
    return (module.__doc__ or "").strip().splitlines()[0]


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
