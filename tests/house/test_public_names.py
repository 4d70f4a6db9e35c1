"""What a user may rely on is a list, and the list is true."""

import ast
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import heartseg


def test_the_list_is_sorted_and_names_what_is_there() -> None:
    assert heartseg.__all__ == sorted(set(heartseg.__all__))
    for name in heartseg.__all__:
        assert hasattr(heartseg, name), f"heartseg.{name} is listed and does not exist"


def test_whatever_is_public_is_listed() -> None:
    there = {
        name
        for name, value in vars(heartseg).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert there <= set(heartseg.__all__)


def test_the_list_type_checkers_and_users_see_is_one() -> None:
    tree = ast.parse(Path(heartseg.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname
        for block in tree.body
        if isinstance(block, ast.If)
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == set(heartseg.__all__)
    assert set(dir(heartseg)) - {"__version__"} == set(heartseg.__all__)


def test_every_public_name_has_its_place_in_the_reference(project: Path) -> None:
    page = (project / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == heartseg.__all__


def test_no_public_name_is_also_a_subpackage() -> None:
    parts = {module.name for module in pkgutil.iter_modules(heartseg.__path__)}
    assert not parts & set(heartseg.__all__)


def test_every_public_function_and_class_is_documented() -> None:
    for name in heartseg.__all__:
        value = getattr(heartseg, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"heartseg.{name} has no docstring"
