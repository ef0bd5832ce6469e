"""A Harbor double for each test."""

from collections.abc import Iterator

import pytest

from tests.doubles.harbor.server import HarborDouble, running_harbor


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """Run a Harbor with nothing but its library."""
    with running_harbor() as running:
        yield running
