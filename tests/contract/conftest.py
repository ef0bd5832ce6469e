"""The registries that the contract suite is run over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.live_registries import live_harbor_under_test
from tests.contract.registry_under_test import REGISTRIES, RegistryUnderTest

LIVE = pytest.param(live_harbor_under_test, id="live-harbor", marks=pytest.mark.live)


@pytest.fixture(params=[*(pytest.param(running, id=name) for name, running in REGISTRIES.items()), LIVE])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RegistryUnderTest]:
    """Run one of each, and a Harbor of somebody's where one is named."""
    with request.param(tmp_path) as running:
        yield running
