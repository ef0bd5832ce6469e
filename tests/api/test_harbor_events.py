"""What happens in a Harbor's own portal, as it is told on the surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from services import feed_claims
from tests.api.fake_registry import FakeRegistry
from tests.api.harbors import integrate_harbor
from tests.api.live import Subscribed, over_event_stream, over_websocket
from tests.api.surface import Surface
from tests.doubles.harbor.images import made_image
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble, running_harbor

Transport = Callable[..., AbstractContextManager[Subscribed]]
TRANSPORTS = pytest.mark.parametrize("over", [over_websocket, over_event_stream], ids=["websocket", "sse"])

TYPES = ["SPACE_ADDED", "SPACE_VISIBILITY_CHANGED", "SPACE_VANISHED", "IMAGE_PUSHED", "IMAGE_DELETED", "TAG_CHANGED"]
IMAGE = made_image("an image")
FIELDS = """
  __typename type cursor integration { id }
  ... on SpaceAdded { integrationName spaceName visibility }
  ... on SpaceVisibilityChanged { integrationName spaceName visibility }
  ... on SpaceVanished { integrationName spaceName }
  ... on ImagePushed { integrationName spaceName repositoryName reference }
  ... on ImageDeleted { integrationName spaceName repositoryName reference }
  ... on TagChanged { integrationName spaceName repositoryName reference }
"""
SUBSCRIPTION = (
    f"subscription ($filter: EventFilter, $after: Cursor) {{ events(filter: $filter, after: $after) {{ {FIELDS} }} }}"
)
QUERY = f"query ($filter: EventFilter) {{ events(first: 100, filter: $filter) {{ totalCount nodes {{ {FIELDS} }} }} }}"
ROUTINE = """query ($id: ID!) { integration(id: $id) { name routineCredential { kind username reason } } }"""


@pytest.fixture(autouse=True)
def _watched_logs_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_claims, "WATCHED_INTERVAL", timedelta(milliseconds=100))


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with a project."""
    with running_harbor() as running:
        running.create_project("team")
        yield running


@pytest.fixture
def integration_id(harbor: HarborDouble, surface: Surface) -> str:
    """It, integrated and followed."""
    key = integrate_harbor(surface, harbor)
    surface.wait_until(
        lambda: surface.rows('SELECT 1 FROM "change_feed" WHERE "position" IS NOT NULL') != [], "the log is followed"
    )
    return key


@TRANSPORTS
def test_what_people_do_in_the_portal_is_told(
    harbor: HarborDouble, surface: Surface, integration_id: str, over: Transport
) -> None:
    only = {"integrationIds": [integration_id], "types": TYPES}
    image = {"spaceName": "new", "repositoryName": "new/app/web"}
    steps: list[tuple[Callable[[], object], dict[str, Any]]] = [
        (
            lambda: harbor.create_project("new"),
            {"__typename": "SpaceAdded", "type": "SPACE_ADDED", "spaceName": "new", "visibility": "PRIVATE"},
        ),
        (
            lambda: harbor.set_public("new", True),
            {
                "__typename": "SpaceVisibilityChanged",
                "type": "SPACE_VISIBILITY_CHANGED",
                "spaceName": "new",
                "visibility": "PUBLIC",
            },
        ),
        (
            lambda: harbor.push("new/app/web", "1.0", IMAGE),
            {"__typename": "ImagePushed", "type": "IMAGE_PUSHED", "reference": "1.0", **image},
        ),
        (
            lambda: harbor.write_late_entry(harbor.take_audit_id(), "create", "tag", "new/app/web:stable"),
            {"__typename": "TagChanged", "type": "TAG_CHANGED", "reference": "stable", **image},
        ),
        (
            lambda: harbor.delete_artifact("new/app/web", "1.0"),
            {"__typename": "ImageDeleted", "type": "IMAGE_DELETED", "reference": IMAGE.digest, **image},
        ),
        (
            lambda: harbor.delete_project("new"),
            {"__typename": "SpaceVanished", "type": "SPACE_VANISHED", "spaceName": "new"},
        ),
    ]
    with over(surface.server, SUBSCRIPTION, {"filter": only}, surface.server.admin_token) as subscribed:
        told = [done(subscribed, act) for act, _ in steps]

    of_it = {"integration": {"id": integration_id}, "integrationName": told[0]["integrationName"]}
    for event, (_, expected) in zip(told, steps, strict=True):
        assert event == {"cursor": event["cursor"], **of_it, **expected}
    # Who was away is told the same, and the list says it again, newest first.
    again = {"filter": only, "after": told[1]["cursor"]}
    with over(surface.server, SUBSCRIPTION, again, surface.server.admin_token) as resumed:
        assert [resumed.next()["data"]["events"] for _ in told[2:]] == told[2:]
    listed = surface.server.graphql(QUERY, {"filter": only})["events"]
    assert listed["nodes"][: len(told)] == told[::-1]
    # Nothing else but what stood there when it was integrated.
    first = listed["nodes"][len(told) :]
    assert {(event["type"], event["spaceName"]) for event in first} == {
        ("SPACE_ADDED", "library"),
        ("SPACE_ADDED", "team"),
    }
    assert listed["totalCount"] == len(told) + len(first) == len(told) + 2


def done(subscribed: Subscribed, act: Callable[[], object]) -> dict[str, Any]:
    """Do something in the portal and return what is told of it."""
    act()
    event: dict[str, Any] = subscribed.next()["data"]["events"]
    return event


def test_administrators_see_with_what_a_harbor_is_read(
    harbor: HarborDouble, surface: Surface, integration_id: str, registry: FakeRegistry
) -> None:
    (reader,) = harbor.robots()

    def shown(key: str, token: str | None = None) -> Any:
        return surface.server.graphql(ROUTINE, {"id": key}, token)["integration"]["routineCredential"]

    assert shown(integration_id) == {"kind": "READER_ROBOT", "username": reader, "reason": None}
    assert shown(integration_id, surface.member_token) is None
    # A kind without such credentials has no choice to tell of.
    assert shown(surface.integrate(registry)["id"]) is None


def test_where_no_reader_can_be_had_it_is_said_why(harbor: HarborDouble, surface: Surface) -> None:
    harbor.lie(Lie.EMPTY_BAD_GATEWAY, "/api/v2.0/robots")

    key = integrate_harbor(surface, harbor)

    routine = surface.server.graphql(ROUTINE, {"id": key})["integration"]["routineCredential"]
    assert (routine["kind"], routine["username"]) == ("ADMINISTRATOR", None)
    assert "502" in routine["reason"]
    assert harbor.administrator[1] not in routine["reason"]
    assert harbor.robots() == {}
