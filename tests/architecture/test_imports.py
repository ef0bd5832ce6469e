"""Who may import whom, and from where."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from tests.architecture.source_files import ROOT, package_files, packages, project_settings, shown


def test_layers_import_downwards_only() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint_imports, "--no-cache", "--config", ROOT / "pyproject.toml"], cwd=ROOT, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stdout.decode()
    assert b"0 broken" in done.stdout


def test_the_contract_knows_every_package() -> None:
    linter = project_settings()["tool"]["importlinter"]
    assert set(packages()) <= set(linter["root_packages"])
    (layers,) = [contract["layers"] for contract in linter["contracts"] if contract["type"] == "layers"]
    named = [name.strip() for layer in layers for name in layer.replace(":", "|").split("|")]
    assert set(packages()) <= set(named)


def test_no_import_hides_in_a_function() -> None:
    hidden = []
    for file in package_files():
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        hidden.append(f"{shown(file)}:{node.lineno}")
                    # importlib.import_module("…") and __import__("…") hide one as well.
                    if isinstance(node, ast.Name | ast.Attribute) and _name(node) in ("__import__", "import_module"):
                        hidden.append(f"{shown(file)}:{node.lineno}")
    assert hidden == []


def test_the_application_never_imports_its_tests() -> None:
    outside = {"tests", "demo", "benchmarks"}
    found = []
    for file in package_files():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            found += [f"{shown(file)}: {name}" for name in names if name.partition(".")[0] in outside]
    assert found == []


def test_no_dependency_brings_a_package_of_our_names() -> None:
    ours = {*packages(), "demo", "benchmarks"}
    taken = []
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name == "integrated-registry":
            continue
        for file in distribution.files or []:
            top = file.parts[0].removesuffix(".py")
            if top in ours and file.suffix == ".py":
                taken.append(f"{name}: {file}")
    assert taken == []


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr
