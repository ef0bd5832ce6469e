"""The registries of somebody's that `make test-live` is told of, by the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust, parse_registry_url
from registry_clients.kind import RegistryKind
from tests.contract.live_harbor import LiveHarbor, cleaned
from tests.contract.registry_under_test import RegistryUnderTest


def live_endpoint(prefix: str) -> RegistryEndpoint:
    """Return where a registry is, from `…_URL` and `…_CA_FILE`. Skips the test where none is named."""
    url = os.environ.get(f"{prefix}_URL")
    if not url:
        pytest.skip(f"{prefix}_URL names no registry")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("a registry of somebody's is tried by one process alone: make test-live")
    ca_file = os.environ.get(f"{prefix}_CA_FILE")
    return RegistryEndpoint(parse_registry_url(url), TlsTrust(Path(ca_file).read_text() if ca_file else None))


def live_credential(prefix: str) -> Credential | None:
    """Return the credential in `…_USERNAME` and `…_PASSWORD`, None without a name."""
    username = os.environ.get(f"{prefix}_USERNAME")
    return Credential(username, os.environ.get(f"{prefix}_PASSWORD", "")) if username else None


def live_harbor() -> LiveHarbor:
    """Return the Harbor of HARBOR_URL. Skips the test where none is named; without a credential, fails it."""
    endpoint, credential = live_endpoint("HARBOR"), live_credential("HARBOR")
    assert credential is not None, "HARBOR_USERNAME and HARBOR_PASSWORD must be an administrator's"
    return LiveHarbor(endpoint, credential)


@contextmanager
def live_harbor_under_test(folder: Path) -> Iterator[RegistryUnderTest]:
    """Offer the Harbor of HARBOR_URL to the contract suite."""
    del folder
    harbor = live_harbor()
    with cleaned(harbor) as prefix:
        yield RegistryUnderTest(
            kind=RegistryKind.HARBOR,
            endpoint=harbor.endpoint,
            credential=harbor.credential,
            push=harbor.push,
            space_prefix=prefix,
            is_shared=True,
        )
