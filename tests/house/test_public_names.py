"""What a user may rely on is a list, and the list is true."""

import inspect
import pkgutil
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


def test_no_public_name_is_also_a_subpackage() -> None:
    parts = {module.name for module in pkgutil.iter_modules(heartseg.__path__)}
    assert not parts & set(heartseg.__all__)


def test_every_public_function_and_class_is_documented() -> None:
    for name in heartseg.__all__:
        value = getattr(heartseg, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"heartseg.{name} has no docstring"
