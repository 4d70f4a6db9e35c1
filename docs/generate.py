"""Write the reference pages from the code.

    python docs/generate.py [--check]

With --check nothing is written, and the exit code is 1 when a page is not fresh.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import command_page
import experiment_pages
import measures_page
import paper_tables
import part_pages
import settings_page
import settings_tables
import what_to_use

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code: change the code, then run make docs. -->"


def main() -> None:
    """Write the pages, or say which are not fresh."""
    parser = argparse.ArgumentParser(description="write the reference pages from the code")
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    if options.check:
        stale = list(not_fresh(REFERENCE))
        sys.exit(f"not fresh: {', '.join(stale)}; run make docs" if stale else 0)
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    for name in not_fresh(REFERENCE):  # what is left is a page of something that is gone
        (REFERENCE / name).unlink()


def not_fresh(folder: Path) -> Iterator[str]:
    """Names of pages that differ from the code, are missing, or belong to nothing."""
    files = (path for path in folder.iterdir() if path.suffix in (".md", ".svg"))
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    wanted = pages()
    for name in sorted({*written, *wanted}):
        if written.get(name) != wanted.get(name):
            yield name


def pages() -> dict[str, str]:
    """Text of each page and drawing by file name."""
    found = {
        f"{page.name}.md": f"# {page.title}\n\n{NOTE}\n\n{page.write().strip()}\n" for page in PAGES
    }
    links = [f"- [{page.title}]({page.name}.md)" for page in PAGES]
    index = "\n".join(["# Reference", "", NOTE, "", *links, ""])
    drawn = {**paper_tables.figures(), **settings_tables.figures()}
    return {"index.md": index, **found, **drawn}


@dataclass(frozen=True)
class Page:
    """A page of the reference: its file, its heading, who writes it."""

    name: str
    title: str
    write: Callable[[], str]


PAGES = (
    Page("what-to-use", "What to use, and why", what_to_use.page),
    Page("tables-of-the-papers", "Reproduce the tables", paper_tables.page),
    Page("tables-of-paper-003", "Reproduce the tables of paper 003", paper_tables.study_page),
    Page("settings-tried", "Settings and warm starts, tried", settings_tables.page),
    Page("commands", "Commands", command_page.page),
    Page("python", "Python", part_pages.python),
    Page("models", "Shipped models", part_pages.models),
    Page("layouts", "Layouts of files", part_pages.layouts),
    Page("labels", "Label schemes", part_pages.labels),
    Page("settings", "Settings of a training run", settings_page.run_settings),
    Page(
        "translation-settings",
        "Settings of a translation's training",
        settings_page.translation_settings,
    ),
    Page("networks", "Networks", part_pages.networks),
    Page("network-costs", "Costs of networks", experiment_pages.costs),
    Page("measures", "Measures", measures_page.page),
    Page("traditional-methods", "Traditional methods", experiment_pages.traditional),
    Page("field", "Against the field and the clock", experiment_pages.field),
    Page("robustness", "Robustness", experiment_pages.robustness),
    Page("metrics", "Metrics", part_pages.metrics),
    Page("inspect", "Keys of inspect --json", part_pages.inspection),
    Page("errors", "Errors", part_pages.errors),
)

if __name__ == "__main__":
    main()
