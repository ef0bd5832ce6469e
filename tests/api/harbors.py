"""Harbor as the surface meets it: the double, integrated or about to be."""

from __future__ import annotations

from typing import Any

from tests.api.surface import Surface
from tests.doubles.harbor.server import HarborDouble


def harbor_input(harbor: HarborDouble, **more: Any) -> dict[str, Any]:
    """Return how a Harbor is reached, with its administrator's credential."""
    username, password = harbor.administrator
    return {"kind": "HARBOR", "url": harbor.url, "username": username, "password": password, **more}


def integrate_harbor(surface: Surface, harbor: HarborDouble) -> str:
    """Integrate a Harbor, which must succeed, and return its id."""
    given = harbor_input(harbor, name=surface.new_name())
    payload = surface.mutate("integrateRegistry", given, "integration { id }")
    assert payload["errors"] == []
    key: str = payload["integration"]["id"]
    return key
