"""A repository of a Docker Registry in this process, which counts what it would report as pulls."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.registry_clients.made_manifests import OCI_MANIFEST, answered, digest
from tests.registry_clients.scripted_transport import ScriptedTransport, response

REPOSITORY = "team/app"
_UNKNOWN = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'


@dataclass
class ScriptedRegistry:
    """What its tags name, and what stands under its digests. Change it at any time."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    instead: dict[str, RegistryResponse] = field(default_factory=dict)
    """What it answers for a tag or digest, whatever is there."""

    pulls: int = 0

    def push(self, content: bytes, *tags: str) -> str:
        """Put a manifest in, and give it tags; return its digest."""
        named = digest(content)
        self.manifests[named] = content
        self.tags |= dict.fromkeys(tags, named)
        return named

    @property
    def transport(self) -> ScriptedTransport:
        """A way to it."""
        return ScriptedTransport(self.answer)

    def answer(self, request: RegistryRequest) -> RegistryResponse:
        """Answer as 2.8 does: by a tag with the digest that is known 304, and no pull."""
        rest = request.url.path.removeprefix(f"/v2/{REPOSITORY}/")
        if rest == "tags/list":
            return response(200, json.dumps({"name": REPOSITORY, "tags": list(self.tags) or None}).encode())
        reference = rest.removeprefix("manifests/")
        if reference in self.instead:
            return self.instead[reference]
        named = self.tags.get(reference, reference)
        if request.headers.get("If-None-Match") == f'"{named}"':
            return response(304)
        if named not in self.manifests:
            return response(404, _UNKNOWN)
        self.pulls += 1
        content = self.manifests[named]
        return answered(content, json.loads(content).get("mediaType", OCI_MANIFEST))
