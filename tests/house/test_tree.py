"""What lies in the project: code with a purpose, no patients, no leftovers, one manner."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "heartseg"
DATA_ONLY = {"bundles"}
"""Folders of the package that hold data and no code."""

IMAGES = (".nii", ".nii.gz", ".dcm", ".ima", ".mhd", ".mha", ".nrrd", ".h5", ".npy", ".npz")
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "raise " + "NotImplementedError")
LONGEST_FUNCTION = 50
LONGEST_MODULE = 400
"""25 and 300 are the habit; where one idea needs more room, it may have this much. A function is
counted without its signature: a command of the command line has a line for each option."""
MOST_ARGUMENTS = 8


@cache
def tracked() -> tuple[Path, ...]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no git here to tell what belongs to the project")
    return tuple(path for name in done.stdout.splitlines() if (path := ROOT / name).is_file())


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(ROOT).as_posix(), text, ast.parse(text)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{name}:{node.lineno} {node.name}", node


def test_every_folder_of_the_package_holds_code() -> None:
    for folder in PACKAGE.iterdir():
        if folder.is_dir() and folder.name not in {"__pycache__", *DATA_ONLY}:
            files = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
            kinds = (ast.FunctionDef, ast.ClassDef)
            assert any(isinstance(node, kinds) for tree in files for node in ast.walk(tree)), folder


def test_no_module_hides_behind_a_folder_of_its_name() -> None:
    assert not [path for path in PACKAGE.rglob("*.py") if path.with_suffix("").is_dir()]


def test_no_folder_is_called_after_nothing() -> None:
    names = {part for path in tracked() for part in (*path.parent.parts, path.stem)}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_no_images_of_patients_are_part_of_the_project() -> None:
    images = [path for path in tracked() if path.name.lower().endswith(IMAGES)]
    assert not images, "tests make their images themselves"


def test_no_file_is_large_but_models() -> None:
    large = [path for path in tracked() if path.stat().st_size > 1_500_000]
    assert not [path for path in large if path.suffix != ".onnx"]


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile("|".join(rf"\b{mark}\b" for mark in UNFINISHED))
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".html", ".css", ".ts", ".cff"}:
            found = marks.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found}"


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt)/(?!somebody\b)\w")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".csv", ".json"}:
            found = private.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found}"


def test_no_private_key_is_part_of_the_project() -> None:
    beginning = "-----BEGIN " + r"(\w+ )*PRIVATE KEY"
    for path in tracked():
        assert not re.search(beginning.encode(), path.read_bytes()), path


def test_functions_are_as_long_as_an_idea() -> None:
    long = [
        where
        for where, node in functions()
        if (node.end_lineno or 0) - node.body[0].lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_modules_are_as_long_as_a_sitting() -> None:
    assert not [name for name, text, _ in sources() if text.count("\n") > LONGEST_MODULE]


def test_functions_take_few_arguments() -> None:
    for where, node in functions():
        all_of_them = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        given = [argument for argument in all_of_them if argument.arg not in {"self", "cls"}]
        if "/cli" not in where:  # a command has as many as it has options
            assert len(given) <= MOST_ARGUMENTS, where


def test_nothing_is_unpickled_on_a_side_path() -> None:
    for name, text, _ in sources():
        assert "allow_pickle" + "=True" not in text, name
        assert "weights_only" + "=False" not in text, name


def test_every_public_thing_says_what_it_is_for() -> None:
    for name, _, tree in sources():
        assert ast.get_docstring(tree), f"{name} has no docstring"
        for node in tree.body:
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            if isinstance(node, kinds) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{name}: {node.name} is not explained"


def test_spelling_is_british() -> None:
    american = re.compile(r"\b(color|normaliz|gray|behavior|neighbor|center|analyz)")
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for name, _, tree in sources():
        documented = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        found = american.findall(" ".join(ast.get_docstring(node) or "" for node in documented))
        assert not found, f"{name}: {found}"
