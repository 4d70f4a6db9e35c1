"""Docstrings as Markdown."""

import inspect
import re
from typing import Any


def first_line(value: Any) -> str:
    """Of the docstring of anything."""
    return (inspect.getdoc(value) or "").partition("\n")[0]


def section(doc: str, *, start: str = "", until: str = "") -> str:
    """The lines of a docstring between two headings."""
    text = doc.partition(start)[2] if start else doc
    return (text.partition(until)[0] if until else text).strip("\n")


def attributes(doc: str) -> dict[str, str]:
    """The lines `name: meaning` (or `a, b: meaning`) below `Attributes:` of a docstring."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section(doc, start="Attributes:").splitlines():
        match = re.match(r" {4}([\w, ]+): (.*)", line)
        if match:
            names = [name.strip() for name in match[1].split(",")]
            found |= dict.fromkeys(names, match[2].strip())
        elif names and line.startswith("      "):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def prose(doc: str) -> str:
    """A docstring as Markdown: the headings of its sections in bold, their lines as a list."""
    doc, _, example = doc.partition("Example:\n")
    lines: list[str] = []
    for line in doc.splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Attributes):", line):
            lines += [f"**{line.rstrip(':')}**", ""]
        elif re.match(r"    \S", line):
            lines.append(f"- {line.strip()}")
        else:
            lines.append(line.rstrip() if not line.startswith("     ") else f"  {line.strip()}")
    if example:
        lines += ["```text", inspect.cleandoc(f"\n{example}"), "```"]
    return "\n".join(lines)
