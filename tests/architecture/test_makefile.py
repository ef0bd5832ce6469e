"""The Makefile says what there is."""

from __future__ import annotations

import re
import subprocess

from tests.architecture.source_files import ROOT


def _phony() -> set[str]:
    (line,) = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(line.split())


def test_help_is_the_first_target_and_lists_every_other() -> None:
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    text = re.sub(r"\x1b\[\d*m", "", done.stdout.decode())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith("  ") and line.strip()]
    listed = {words[0]: words[1] for words in lines if len(words) == 2}
    assert set(listed) == _phony()
    assert "help" in listed


def test_every_target_is_declared() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    assert targets == _phony()


def test_check_edits_nothing() -> None:
    text = (ROOT / "Makefile").read_text()
    recipe = text.partition("\ncheck:")[2].partition("\n\n")[0]
    assert "ruff format --check" in recipe
    assert "--fix" not in recipe
