"""Recorded exchanges with real servers, read from the files beside this one."""

import json
from pathlib import Path
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from registry_clients.transport import RegistryResponse

_FOLDER = Path(__file__).parent


def read_recording(name: str) -> dict[str, Any]:
    """Return a recording by its path without suffix, such as ``distribution-2.8.2/ping``."""
    recording: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text())
    return recording


def recorded_exchange(name: str, what: str) -> dict[str, Any]:
    """Return the one exchange of a recording that is called ``what``."""
    found = [entry for entry in read_recording(name)["exchanges"] if entry["what"] == what]
    assert len(found) == 1, (name, what, len(found))
    exchange: dict[str, Any] = found[0]
    return exchange


def recorded_response(name: str, what: str) -> RegistryResponse:
    """Return the answer of one exchange as a transport would."""
    response: dict[str, Any] = recorded_exchange(name, what)["response"]
    body = response["body"]
    if body is None:
        content = b""
    elif isinstance(body, str):
        content = body.encode()
    else:
        # Without blanks, as manifests were pushed: their digests are those of these bytes.
        content = json.dumps(body, separators=(",", ":")).encode()
    return RegistryResponse(response["status"], CIMultiDictProxy(CIMultiDict(response["headers"])), content)
