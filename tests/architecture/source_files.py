"""The project's own files, for tests that look at them."""

from __future__ import annotations

import os
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
    for folder, subfolders, names in os.walk(ROOT):
        # What isn't ours is not entered: caches come and go while somebody looks.
        subfolders[:] = sorted(name for name in subfolders if not (name in _NOT_OURS or name.startswith(".")))
        for file in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if file.suffix in endings and file.relative_to(ROOT).parts[:2] != ("models", "migrations"):
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
