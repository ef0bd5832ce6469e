"""integrationHealth and events, over both transports: the present, what was missed, what happens."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.fake_registry import FakeRegistry
from tests.api.live import ANSWER_SECONDS, OverWebSocket, Subscribed, over_event_stream, over_websocket
from tests.api.surface import Surface

Transport = Callable[..., AbstractContextManager[Subscribed]]
TRANSPORTS = pytest.mark.parametrize("over", [over_websocket, over_event_stream], ids=["websocket", "sse"])

HEALTH = """subscription ($ids: [ID!], $after: Cursor) { integrationHealth(integrationIds: $ids, after: $after) {
  integration { name } previous { status } current { status reason registryMessage } cursor } }"""
EVENTS = """subscription ($filter: EventFilter, $after: Cursor) { events(filter: $filter, after: $after) {
  __typename type cursor integration { name }
  ... on IntegrationUpdated { integrationName by }
  ... on AccessTokenCreated { tokenName by }
} }"""


def health(subscribed: Subscribed) -> dict[str, Any]:
    event: dict[str, Any] = subscribed.next()["data"]["integrationHealth"]
    return event


def event(subscribed: Subscribed) -> dict[str, Any]:
    told: dict[str, Any] = subscribed.next()["data"]["events"]
    return told


def newest_cursor(surface: Surface) -> str:
    cursor: str = surface.server.graphql("{ events(first: 1) { nodes { cursor } } }")["events"]["nodes"][0]["cursor"]
    return cursor


def describe(surface: Surface, key: str, *texts: str) -> None:
    """Change a description once for each text: an event each."""
    for text in texts:
        assert surface.errors_of("updateIntegration", {"id": key, "description": text}) == []


@TRANSPORTS
def test_health_begins_with_the_present_and_goes_on_with_each_change(
    surface: Surface, guarded_registry: FakeRegistry, over: Transport
) -> None:
    credential = {"username": "robot", "password": "right"}
    second = surface.integrate(guarded_registry, name="b", **credential)["id"]
    surface.integrate(guarded_registry, name="a", url=guarded_registry.other_url, **credential)

    with over(surface.server, HEALTH, {}) as all_of_them, over(surface.server, HEALTH, {"ids": [second]}) as one:
        for name, subscribed in (("a", all_of_them), ("b", all_of_them), ("b", one)):
            present = health(subscribed)
            assert (present["integration"], present["previous"]) == ({"name": name}, None)
            assert present["current"]["status"] == "HEALTHY"
        guarded_registry.users = {"robot": "changed"}
        surface.mutate("checkIntegration", {"id": second})
        for subscribed in (all_of_them, one):
            change = health(subscribed)
            assert change["integration"] == {"name": "b"}
            assert change["previous"] == {"status": "HEALTHY"}
            assert change["current"] == {
                "status": "UNHEALTHY",
                "reason": "UNAUTHORIZED",
                "registryMessage": "UNAUTHORIZED: who is it",
            }
        guarded_registry.users = {"robot": "right"}
        surface.mutate("checkIntegration", {"id": second})
        assert health(one)["current"]["status"] == "HEALTHY"

    # What came after the change, for one who comes back with its cursor; the present is not told again.
    with over(surface.server, HEALTH, {"after": change["cursor"]}) as resumed:
        missed = health(resumed)
        assert (missed["previous"], missed["current"]["status"]) == ({"status": "UNHEALTHY"}, "HEALTHY")


@TRANSPORTS
def test_health_of_some_is_of_no_others(surface: Surface, guarded_registry: FakeRegistry, over: Transport) -> None:
    credential = {"username": "robot", "password": "right"}
    first = surface.integrate(guarded_registry, name="a", **credential)["id"]
    second = surface.integrate(guarded_registry, name="b", url=guarded_registry.other_url, **credential)["id"]

    with over(surface.server, HEALTH, {"ids": ["nothing", second]}) as subscribed:
        assert health(subscribed)["integration"] == {"name": "b"}
        guarded_registry.users = {"robot": "changed"}
        surface.mutate("checkIntegration", {"id": first})
        surface.mutate("checkIntegration", {"id": second})
        change = health(subscribed)
        assert (change["integration"], change["current"]["status"]) == ({"name": "b"}, "UNHEALTHY")


@TRANSPORTS
def test_events_are_told_from_now_on_or_from_a_cursor_on(
    surface: Surface, registry: FakeRegistry, over: Transport
) -> None:
    integration = surface.integrate(registry)
    before = newest_cursor(surface)
    describe(surface, integration["id"], "one", "two")
    only = {"types": ["INTEGRATION_UPDATED"]}

    with over(surface.server, EVENTS, {"filter": only, "after": before}) as resumed:
        first, second = event(resumed), event(resumed)
        assert first == {
            "__typename": "IntegrationUpdated",
            "type": "INTEGRATION_UPDATED",
            "cursor": first["cursor"],
            "integration": {"name": integration["name"]},
            "integrationName": integration["name"],
            "by": "admin",
        }
        # Behind a replay it goes live, without a gap and without telling twice.
        describe(surface, integration["id"], "three")
        third = event(resumed)
    cursors = [first["cursor"], second["cursor"], third["cursor"]]
    assert len(set(cursors)) == 3

    for missed in range(3):
        with over(surface.server, EVENTS, {"after": cursors[missed]}) as again:
            describe(surface, integration["id"], f"more {missed}")
            told = [event(again)["cursor"] for _ in range(3)]
            assert told[: 2 - missed] == cursors[missed + 1 :]


def cursor_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def text_of(cursor: str) -> str:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


@TRANSPORTS
@pytest.mark.parametrize(
    ("name", "query"), [("integrationHealth", HEALTH), ("events", EVENTS)], ids=["health", "events"]
)
def test_a_cursor_of_what_is_gone_is_expired(
    surface: Surface, registry: FakeRegistry, over: Transport, name: str, query: str
) -> None:
    key = surface.integrate(registry)["id"]
    old = newest_cursor(surface)
    describe(surface, key, "one", "two")
    mark, epoch, position = text_of(newest_cursor(surface)).split(":")
    place = surface.server.services.database.dialect.placeholder(1)
    # All but the newest is purged: what came right behind the old one is no longer there to be told.
    purge = f'DELETE FROM "event" WHERE "position" < {place}'
    surface.server.run(
        surface.server.services.database.transact(lambda transaction: transaction.execute(purge, int(position)))
    )
    of_another_epoch = cursor_of(f"{mark}:{epoch[::-1]}x:{position}")
    of_the_future = cursor_of(f"{mark}:{epoch}:{int(position) + 1000}")

    for after in (old, of_another_epoch, of_the_future):
        with over(surface.server, query, {"after": after}) as subscribed:
            assert [error["extensions"]["code"] for error in subscribed.end()] == ["CURSOR_EXPIRED"]


@TRANSPORTS
@pytest.mark.parametrize(
    ("name", "query"), [("integrationHealth", HEALTH), ("events", EVENTS)], ids=["health", "events"]
)
def test_a_cursor_that_was_made_up(surface: Surface, over: Transport, name: str, query: str) -> None:
    mark, epoch, position = text_of(newest_cursor_or_new(surface)).split(":")
    for after in (
        "",
        "???",
        "\x00",
        "é",
        "A" * 10_000,
        cursor_of("e"),
        cursor_of(f"x:{epoch}:{position}"),
        cursor_of(f"{mark}:{epoch}:-1"),
        cursor_of(f"{mark}:{epoch}:{'9' * 60}x"),
        # A place in a list is none in the log.
        surface.server.graphql("{ accessTokens(first: 1) { pageInfo { endCursor } } }")["accessTokens"]["pageInfo"][
            "endCursor"
        ],
    ):
        with over(surface.server, query, {"after": after}) as subscribed:
            assert [error["extensions"]["code"] for error in subscribed.end()] == ["INVALID_CURSOR"], after


def newest_cursor_or_new(surface: Surface) -> str:
    surface.new_token("WORKSPACE_MEMBER")
    return newest_cursor(surface)


@TRANSPORTS
def test_a_member_is_not_told_what_is_for_administrators(
    surface: Surface, guarded_registry: FakeRegistry, over: Transport
) -> None:
    token = surface.member_token
    credential = {"username": "robot", "password": "right"}
    integration = surface.integrate(guarded_registry, **credential)
    before = newest_cursor(surface)

    with (
        over(surface.server, EVENTS, {"after": before}, token) as as_member,
        over(surface.server, EVENTS, {"after": before}) as as_administrator,
        over(surface.server, HEALTH, {"after": before}, token) as of_health,
    ):
        surface.new_token("WORKSPACE_MEMBER")
        describe(surface, integration["id"], "one")
        guarded_registry.users = {"robot": "changed"}
        surface.mutate("checkIntegration", {"id": integration["id"]})

        made, changed = event(as_administrator), event(as_administrator)
        assert (made["type"], made["by"]) == ("ACCESS_TOKEN_CREATED", "admin")
        seen = event(as_member)
        assert seen == changed | {"by": None}
        assert event(as_member)["type"] == "HEALTH_CHANGED"
        assert health(of_health)["current"] == {
            "status": "UNHEALTHY",
            "reason": "UNAUTHORIZED",
            "registryMessage": None,
        }


@TRANSPORTS
def test_a_revoked_token_ends_what_runs_on_it(surface: Surface, registry: FakeRegistry, over: Transport) -> None:
    surface.integrate(registry)
    given = {"name": "to be revoked", "role": "WORKSPACE_MEMBER", "workspaceId": surface.workspace_id}
    given["expiresAt"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = surface.mutate("createAccessToken", given, "token accessToken { id }")

    with over(surface.server, HEALTH, {}, made["token"]) as subscribed, over(surface.server, HEALTH, {}) as other:
        assert health(subscribed)["current"]["status"] == "HEALTHY"
        assert surface.errors_of("revokeAccessToken", {"id": made["accessToken"]["id"]}) == []
        _assert_over(subscribed, "The access token was revoked.")
        # Nobody else's.
        assert health(other)["current"]["status"] == "HEALTHY"


@TRANSPORTS
def test_an_expired_token_ends_what_runs_on_it(surface: Surface, registry: FakeRegistry, over: Transport) -> None:
    surface.integrate(registry)
    given = {"name": "short", "role": "WORKSPACE_MEMBER", "workspaceId": surface.workspace_id}
    given["expiresAt"] = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    token = surface.mutate("createAccessToken", given, "token")["token"]

    with over(surface.server, HEALTH, {}, token) as subscribed:
        assert health(subscribed)["current"]["status"] == "HEALTHY"
        _assert_over(subscribed, "The access token has expired.")


def _assert_over(subscribed: Subscribed, reason: str) -> None:
    if isinstance(subscribed, OverWebSocket):
        with pytest.raises(ConnectionClosed) as closed:
            subscribed.connection.recv(ANSWER_SECONDS)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, reason)
        return
    assert [(error["message"], error["extensions"]["code"]) for error in subscribed.end()] == [
        (reason, "UNAUTHENTICATED")
    ]
