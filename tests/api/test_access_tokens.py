"""createAccessToken and revokeAccessToken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.surface import Surface, tomorrow

WHOLE = "accessToken { id name role createdBy expiresAt revokedAt isActive } token"


def test_a_token_is_shown_once_and_stored_hashed(surface: Surface) -> None:
    events, audited = surface.events(), surface.audit()
    given = {"name": "for the board", "role": "WORKSPACE_MEMBER", "expiresAt": "2099-01-31T12:00:00+02:00"}
    given["expiresAt"] = (datetime.now(UTC) + timedelta(days=30)).isoformat()

    payload = surface.mutate("createAccessToken", given, WHOLE)

    token = payload["token"]
    assert token.startswith("irat_")
    made = payload["accessToken"]
    assert {name: made[name] for name in ("name", "role", "createdBy", "revokedAt", "isActive")} == {
        "name": "for the board",
        "role": "WORKSPACE_MEMBER",
        "createdBy": "admin",
        "revokedAt": None,
        "isActive": True,
    }
    assert surface.server.graphql("{ viewer { name role } }", token=token) == {
        "viewer": {"name": "for the board", "role": "WORKSPACE_MEMBER"}
    }
    everything = (surface.stored(), surface.audit())
    assert token not in repr(everything)
    ((type_, data),) = surface.events()[len(events) :]
    assert (type_, data["name"], data["by"]) == ("ACCESS_TOKEN_CREATED", "for the board", "admin")
    (row,) = surface.audit()[len(audited) :]
    assert (row["mutation"], row["outcome"]) == ("createAccessToken", "SUCCEEDED")


@pytest.mark.parametrize("days", [-1, 0, 4000, 300_000])
def test_it_must_end_and_not_yet(surface: Surface, days: int) -> None:
    stored = surface.stored()
    given = {"name": "x", "role": "PLATFORM_ADMIN", "expiresAt": (datetime.now(UTC) + timedelta(days)).isoformat()}

    assert surface.errors_of("createAccessToken", given) == [
        {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", "expiresAt"]}
    ]
    assert surface.stored() == stored


def test_a_revoked_one_stays_as_it_is(surface: Surface) -> None:
    given = {"name": "x", "role": "WORKSPACE_MEMBER", "expiresAt": tomorrow()}
    key = {"id": surface.mutate("createAccessToken", given, WHOLE)["accessToken"]["id"]}
    events = surface.events()

    first = surface.mutate("revokeAccessToken", key, "accessToken { revokedAt isActive }")
    second = surface.mutate("revokeAccessToken", key, "accessToken { revokedAt isActive }")

    assert first == second
    assert first["accessToken"]["isActive"] is False
    assert [(type_, data["by"]) for type_, data in surface.events()[len(events) :]] == [
        ("ACCESS_TOKEN_REVOKED", "admin")
    ]
