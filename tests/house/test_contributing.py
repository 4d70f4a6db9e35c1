"""The difference that CONTRIBUTING shows is the real one."""

import re
from pathlib import Path


def test_the_added_network_is_shown_as_it_is(project: Path) -> None:
    text = (project / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(--- a/src.*?)^```$", text, re.MULTILINE | re.DOTALL)
    table, file = block.split("\n\n--- /dev/null\n")
    (line,) = re.findall(r"^\+( .*)$", table, re.MULTILINE)
    assert line in (project / "src/heartseg/models/table.py").read_text(encoding="utf-8")
    heading, *added = file.splitlines()
    shown = [one.removeprefix("+") for one in added]
    path = project / heading.removeprefix("+++ b/")
    assert "\n".join(shown) + "\n" == path.read_text(encoding="utf-8")
