"""The shape of the files: small, named for what is in them, and free of what belongs elsewhere."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from tests.architecture.source_files import ROOT, package_files, shown, source_files

MOST_LINES = 400

NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base"}

VENDOR_WORD = re.compile(r"harbor|projects?|robots?|catalog(?:ue)?s?|distribution", re.IGNORECASE)

VENDOR_WORDS_ALLOWED = {
    # The kinds of registries are data that everybody handles; what they are is told to people.
    "models/enums.py": {"HARBOR", "PROJECT_SUMMARY"},
    # The surface's word for how it is measured.
    "schema/enums.py": {"HARBOR", "READER_ROBOT", "PROJECT_SUMMARY"},
    "services/storage_measuring.py": {"PROJECT_SUMMARY"},
    # The surface's word for the credential that we make for ourselves.
    "schema/integration.py": {"READER_ROBOT"},
    "schema/space.py": {"HARBOR"},
}
"""Identifiers. Docstrings, comments and descriptions may explain."""


def test_no_file_is_long() -> None:
    counted = {shown(file): len(file.read_text().splitlines()) for file in source_files(".py", ".ts", ".tsx", ".css")}
    assert {name: lines for name, lines in counted.items() if lines > MOST_LINES} == {}


def test_no_file_is_named_for_nothing() -> None:
    assert [shown(file) for file in source_files(".py", ".ts", ".tsx") if NAMES_OF_NOTHING & _names(file)] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        shown(file) for file in package_files() if not file.read_text().lstrip().startswith(('"""', "#!", 'r"""'))
    ]
    assert silent == []


def test_vendor_words_stay_with_the_clients() -> None:
    found = {}
    for file in package_files():
        name = shown(file)
        if name.startswith("registry_clients/"):
            continue
        words = _identifiers(file) - VENDOR_WORDS_ALLOWED.get(name, set())
        vendors = sorted(word for word in words if _is_vendor_word(word))
        if vendors:
            found[name] = vendors
    assert found == {}


def test_locks_name_no_hosts() -> None:
    """Whose mirror packages come from is the business of who installs them; their hashes say that they are right."""
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text, shown(lock)
        assert "--hash=sha256:" in text
        unpinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#")) and "==" not in line]
        assert unpinned == [], shown(lock)
    for lock in (ROOT / "console" / "package-lock.json", ROOT / "tests" / "clients" / "package-lock.json"):
        text = lock.read_text()
        assert '"resolved"' not in text, shown(lock)
        assert '"integrity"' in text


def _names(file: Path) -> set[str]:
    relative = file.relative_to(ROOT)
    return {*relative.parts[:-1], *re.split(r"[_\-.]", relative.stem)} if relative.stem != "__init__" else set()


def _identifiers(file: Path) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


def _is_vendor_word(identifier: str) -> bool:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    return any(VENDOR_WORD.fullmatch(part) for part in parts)
