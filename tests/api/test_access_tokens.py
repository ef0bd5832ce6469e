"""createAccessToken and revokeAccessToken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.database import Transaction
from models.enums import Role
from models.workspace import Workspace
from resolvers.global_ids import global_id
from services.access_writing import lock_access
from tests.api.surface import Surface, tomorrow
from tests.workspaces import add_workspace, token_in

NO_WORKSPACE = {"__typename": "NotFound", "code": "NOT_FOUND", "path": ["input", "workspaceId"]}

WHOLE = "accessToken { id name role workspace { name } createdBy expiresAt revokedAt isActive } token"


def test_a_token_is_shown_once_and_stored_hashed(surface: Surface) -> None:
    events, audited = surface.events(), surface.audit()
    given = {"name": "for the board", "role": "WORKSPACE_MEMBER", "expiresAt": "2099-01-31T12:00:00+02:00"}
    given["expiresAt"] = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    given["workspaceId"] = surface.workspace_id

    payload = surface.mutate("createAccessToken", given, WHOLE)

    token = payload["token"]
    assert token.startswith("irat_")
    made = payload["accessToken"]
    assert {name: made[name] for name in ("name", "role", "workspace", "createdBy", "revokedAt", "isActive")} == {
        "name": "for the board",
        "role": "WORKSPACE_MEMBER",
        "workspace": {"name": "a workspace with nothing"},
        "createdBy": "admin",
        "revokedAt": None,
        "isActive": True,
    }
    assert surface.server.graphql("{ viewer { name role workspace { id } } }", token=token) == {
        "viewer": {"name": "for the board", "role": "WORKSPACE_MEMBER", "workspace": {"id": surface.workspace_id}}
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
    given = {"name": "x", "role": "PLATFORM_ADMIN", "expiresAt": tomorrow()}
    key = {"id": surface.mutate("createAccessToken", given, WHOLE)["accessToken"]["id"]}
    events = surface.events()

    first = surface.mutate("revokeAccessToken", key, "accessToken { revokedAt isActive }")
    second = surface.mutate("revokeAccessToken", key, "accessToken { revokedAt isActive }")

    assert first == second
    assert first["accessToken"]["isActive"] is False
    assert [(type_, data["by"]) for type_, data in surface.events()[len(events) :]] == [
        ("ACCESS_TOKEN_REVOKED", "admin")
    ]


@pytest.mark.parametrize("role", ["WORKSPACE_ADMIN", "WORKSPACE_MEMBER", "PLATFORM_ADMIN"])
def test_a_role_in_a_workspace_names_it_and_one_for_the_platform_does_not(surface: Surface, role: str) -> None:
    given = {"name": "x", "role": role, "expiresAt": tomorrow()}
    given |= {"workspaceId": surface.workspace_id} if role == "PLATFORM_ADMIN" else {}
    stored = surface.stored()

    assert surface.errors_of("createAccessToken", given) == [
        {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", "workspaceId"]}
    ]
    assert surface.stored() == stored


@pytest.mark.parametrize(
    "workspace_id", ["", "\x00", "x" * 10_000, global_id("Workspace", 2**63 - 1), global_id("Integration", 1)]
)
def test_a_workspace_that_is_none(surface: Surface, workspace_id: str) -> None:
    stored = surface.stored()
    given = {"name": "x", "role": "WORKSPACE_MEMBER", "expiresAt": tomorrow(), "workspaceId": workspace_id}

    assert surface.errors_of("createAccessToken", given) == [NO_WORKSPACE]
    assert surface.stored() == stored


def test_a_workspace_that_is_being_deleted_gets_no_token(surface: Surface) -> None:
    given = {"name": "x", "role": "WORKSPACE_ADMIN", "expiresAt": tomorrow(), "workspaceId": surface.workspace_id}
    standing = surface.mutate("createAccessToken", given, WHOLE)["accessToken"]
    now = surface.server.services.clock()

    def set_deleted(deleted_at: datetime | None) -> None:
        async def work(_: Transaction) -> None:
            await Workspace.filter(name="a workspace with nothing").update(deleted_at=deleted_at)

        surface.server.run(surface.server.services.database.transact(work))

    set_deleted(now)
    try:
        stored = surface.stored()
        assert surface.errors_of("createAccessToken", given) == [NO_WORKSPACE]
        assert surface.stored() == stored
    finally:
        set_deleted(None)
    assert standing["workspace"] == {"name": "a workspace with nothing"}


def test_all_tokens_of_a_workspace_end_with_it(surface: Surface) -> None:
    services = surface.server.services
    ids = [surface.server.run(add_workspace(services.database, name)) for name in ("goes", "stays")]
    gone = [token_in(surface.server, ids[0], role) for role in (Role.WORKSPACE_ADMIN, Role.WORKSPACE_MEMBER)]
    kept = token_in(surface.server, ids[1])
    events = surface.events()

    async def revoke(transaction: Transaction) -> None:
        await lock_access(transaction)
        await services.access_tokens.revoke_all_of(transaction, ids[0], "the test")

    for _ in range(2):
        surface.server.run(services.database.transact(revoke))

    statuses = [surface.server.post("{ viewer { name } }", token=token).get("data") for token in (*gone, kept)]
    assert statuses == [None, None, {"viewer": {"name": "a WORKSPACE_MEMBER"}}]
    assert [(type_, data["name"], data["by"]) for type_, data in surface.events()[len(events) :]] == [
        ("ACCESS_TOKEN_REVOKED", "a WORKSPACE_ADMIN", "the test"),
        ("ACCESS_TOKEN_REVOKED", "a WORKSPACE_MEMBER", "the test"),
    ]
