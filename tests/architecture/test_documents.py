"""What the documents tell people to type is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    named = set(re.findall(r"^ {4}make ([a-z-]+)|`make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE))

    assert {first or second for first, second in named} - TARGETS == set()


def test_the_targets_that_are_no_files_are_declared_so() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony is not None
    assert set(phony[1].split()) == TARGETS
