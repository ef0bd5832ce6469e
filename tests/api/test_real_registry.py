"""The mutations against a docker-registry as people run it: a password, and TLS by an authority of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme

from tests.api.surface import Surface
from tests.servers.docker_registry import push_image, running_docker_registry

WHOLE = "integration { id username spaces { nodes { name imagePrefixes } } }"


def test_trust_and_password_are_verified_before_anything_is_saved(surface: Surface, tmp_path: Path) -> None:
    with running_docker_registry(tmp_path, htpasswd={"robot": "right", "other": "good"}, tls=trustme.CA()) as registry:
        for repository in ("team/app", "team/tool", "web"):
            push_image(registry, repository, "1")
        given: dict[str, Any] = {
            "name": surface.new_name(),
            "kind": "DOCKER_REGISTRY",
            "url": registry.url,
            "username": "robot",
            "password": "right",
        }
        trusted = {**given, "tls": {"caCertificatePem": registry.ca_certificate_pem}}
        stored = surface.stored()

        attempts: list[tuple[dict[str, Any], str]] = [
            (given, "TLS_NOT_TRUSTED"),
            ({**given, "tls": {"caCertificatePem": trustme.CA().cert_pem.bytes().decode()}}, "TLS_NOT_TRUSTED"),
            ({**trusted, "url": registry.url.replace("https", "http")}, "UNEXPECTED_ANSWER"),
            ({**trusted, "password": "wrong"}, "UNAUTHORIZED"),
            ({**trusted, "username": None, "password": None}, "UNAUTHORIZED"),
        ]
        for attempt, reason in attempts:
            errors = surface.errors_of("integrateRegistry", attempt)
            assert [(error["code"], error["reason"]) for error in errors] == [("REGISTRY_REFUSED", reason)]
        assert surface.stored() == stored

        payload = surface.mutate("integrateRegistry", trusted, WHOLE)
        assert payload["errors"] == []
        host = f"127.0.0.1:{registry.port}"
        assert payload["integration"]["spaces"]["nodes"] == [
            {"name": "library", "imagePrefixes": [f"{host}/", f"{host}/library/"]},
            {"name": "team", "imagePrefixes": [f"{host}/team/"]},
        ]
        key = {"id": payload["integration"]["id"]}
        rotated = surface.mutate(
            "rotateIntegrationCredential", {**key, "username": "other", "password": "good"}, "integration { username }"
        )
        assert rotated == {"errors": [], "integration": {"username": "other"}}
        checked = surface.mutate("checkIntegration", key, "integration { health { status } }")
        assert checked == {"errors": [], "integration": {"health": {"status": "HEALTHY"}}}
