"""The rules of the code base that tests can check; import-linter checks the layers."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import ape_jupyter

SOURCE = Path(ape_jupyter.__file__).parent
ROOT = Path(__file__).parents[1]
MAX_LINES = 350
BANNED_NAMES = {"utils", "helpers", "manager", "enhanced", "v2", "common", "misc"}

MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_one_concept(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert not BANNED_NAMES & set(module.stem.split("_"))
    if text.strip() and module.name not in ("__main__.py", "_version.py"):
        assert ast.get_docstring(ast.parse(text)), "a module says what it is"


@pytest.mark.parametrize("name", ape_jupyter.__all__)
def test_every_public_name_exists_and_is_described(name: str) -> None:
    value = getattr(ape_jupyter, name)
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        for attribute, member in vars(value).items():
            if not attribute.startswith("_") and callable(member):
                assert inspect.getdoc(getattr(value, attribute)), f"{name}.{attribute}"


def test_public_names_are_sorted_and_complete() -> None:
    assert sorted(ape_jupyter.__all__) == ape_jupyter.__all__
    assert set(ape_jupyter.__all__) <= set(dir(ape_jupyter))
    with pytest.raises(AttributeError):
        ape_jupyter.no_such_name  # noqa: B018


def test_the_kernel_side_loads_neither_server_nor_lab() -> None:
    code = (
        "import sys, ape_jupyter as ape; ape.connect; ape.Library; ape.SimulationData\n"
        "print([m for m in ('jupyter_server', 'jupyterlab', 'tornado') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_nothing_unpickles_or_evaluates() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "shelve", "marshal", "dill"}, module
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, module


def test_lowest_dependencies_are_the_lower_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = {}
    for requirement in map(Requirement, project["dependencies"]):
        (lower,) = (s.version for s in requirement.specifier if s.operator == ">=")
        bounds[requirement.name] = Version(lower)
    lines = (ROOT / "tests" / "lowest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: Version(version) for name, version in pinned.items()} == bounds
