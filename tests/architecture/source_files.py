"""The project's own files, for tests that look at them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_NOT_OURS = frozenset({".venv", "node_modules", "dist", "data", "__pycache__"})


def project_settings() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages() -> list[str]:
    """Return the names of the packages that the application consists of."""
    names: list[str] = project_settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return names


def source_files(*endings: str) -> Iterator[Path]:
    """Yield the files with one of these endings, but for what was installed, built or generated."""
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        is_ours = not _NOT_OURS.intersection(parts) and not any(part.startswith(".") for part in parts)
        if file.suffix in endings and is_ours and parts[:2] != ("models", "migrations"):
            yield file


def package_files() -> Iterator[Path]:
    """Yield the Python files of the application's packages."""
    names = set(packages())
    for file in source_files(".py"):
        if file.relative_to(ROOT).parts[0] in names:
            yield file


def shown(file: Path) -> str:
    """Return a file's path as people write it."""
    return str(file.relative_to(ROOT))
