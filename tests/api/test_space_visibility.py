"""setSpaceVisibility: at the registry where it knows of it, else here; each that can be done is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.database import Transaction
from models.enums import Role
from registry_clients.errors import ComponentUnhealthy
from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundSpace
from resolvers.global_ids import global_id, parse_global_id
from tests.api.fake_registry import FakeRegistry
from tests.api.harbors import integrate_harbor
from tests.api.spaces import (
    bind,
    create_space,
    delete_space,
    follow_no_log,
    impatient_registries,
    is_due,
    new_events,
    new_tenant,
    set_visibility,
    space_ids,
    space_rows,
)
from tests.api.surface import Surface
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.workspaces import token_in

PROJECTS = "/api/v2.0/projects/"
WORDS = {"true": "PUBLIC", "false": "PRIVATE"}


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with two open projects and a closed one."""
    with running_harbor() as running:
        running.create_project("closed")
        running.create_project("open", is_public=True)
        yield running


@pytest.fixture
def integration_id(harbor: HarborDouble, surface: Surface) -> str:
    return integrate_harbor(surface, harbor)


def at_registry(harbor: HarborDouble) -> dict[str, str]:
    """Return the visibility of each project, by name."""
    with harbor.paused() as state:
        return {project.name: WORDS[project.metadata["public"]] for project in state.projects.values()}


def in_mirror(surface: Surface, integration_id: str) -> dict[str, str]:
    """Return the visibility of each space, by name."""
    return {name: visibility for name, visibility, _ in space_rows(surface, integration_id)}


def changes(harbor: HarborDouble) -> int:
    """Return how often a change was asked for."""
    return harbor.calls.count("PUT", "/projects/{project}")


def namespace_count(surface: Surface) -> int:
    """Return how many namespaces there are: a public space of the platform is everybody's to lose."""
    ((count,),) = surface.rows('SELECT COUNT(*) FROM "namespace"')
    return int(count)


def test_what_is_closed_is_lost_to_all_but_those_that_are_bound(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    ids = space_ids(surface, integration_id)
    bound, other = new_tenant(surface), new_tenant(surface)
    binding = bind(surface, ids["open"], bound)
    events, prefix = len(surface.events()), f"127.0.0.1:{harbor.port}/open/"
    stored, asked = surface.stored(), changes(harbor)
    given = {"ids": [ids["open"], ids["closed"]], "visibility": "PRIVATE"}

    dry = set_visibility(surface, **given, dryRun=True)

    assert (dry["errors"], changes(harbor), surface.stored()) == ([], asked, stored)
    assert [space["visibility"] for space in dry["spaces"]] == ["PUBLIC", "PRIVATE"]

    payload = set_visibility(surface, **given)

    assert payload["errors"] == []
    assert [(space["id"], space["visibility"]) for space in payload["spaces"]] == [
        (ids["open"], "PRIVATE"),
        (ids["closed"], "PRIVATE"),
    ]
    assert payload["lossCount"] == len(payload["losses"]) == namespace_count(surface)
    assert other.loss(prefix) in payload["losses"]
    assert bound.loss(prefix, kept_by=binding) in payload["losses"]
    assert {name: dry[name] for name in ("losses", "lossCount")} == {
        name: payload[name] for name in ("losses", "lossCount")
    }
    expected = {"closed": "PRIVATE", "open": "PRIVATE", "library": "PUBLIC"}
    assert at_registry(harbor) == in_mirror(surface, integration_id) == expected
    # The closed one was looked at, and left alone.
    assert changes(harbor) == asked + 1
    ((type_, data),) = new_events(surface, events)
    assert (type_, data["space_name"], data["visibility"], data["by"]) == (
        "SPACE_VISIBILITY_CHANGED",
        "open",
        "PRIVATE",
        "admin",
    )


def test_what_is_opened_loses_nothing(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    key = space_ids(surface, integration_id)["closed"]
    tenant = new_tenant(surface)
    bind(surface, key, tenant)
    (before,) = targets_of(surface, tenant.id)

    payload = set_visibility(surface, ids=[key], visibility="PUBLIC")

    assert (payload["errors"], payload["losses"], payload["lossCount"]) == ([], [], 0)
    assert at_registry(harbor)["closed"] == in_mirror(surface, integration_id)["closed"] == "PUBLIC"
    # The bound workspace's target is to be looked at anew.
    assert targets_of(surface, tenant.id) == [(before[0] + 1,)]


def targets_of(surface: Surface, workspace_id: str) -> list[tuple[Any, ...]]:
    """Return the versions that are wanted of a workspace's targets."""
    _, key = parse_global_id(workspace_id)
    return surface.rows(f'SELECT "desired_version" FROM "registry_enforcement" WHERE "workspace_id" = {key}')


def test_what_is_as_wanted_is_no_change(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    key = space_ids(surface, integration_id)["open"]
    stored, asked = surface.stored(), changes(harbor)
    payload = set_visibility(surface, ids=[key], visibility="PUBLIC")
    assert (payload["errors"], [space["id"] for space in payload["spaces"]]) == ([], [key])
    assert changes(harbor) == asked
    # Its time of being looked at apart, nothing was written.
    assert surface.stored()["event"] == stored["event"]
    assert in_mirror(surface, integration_id)["open"] == "PUBLIC"


def test_the_registry_knows_better_whether_it_is_as_wanted(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    key = space_ids(surface, integration_id)["closed"]

    follow_no_log(surface)
    harbor.set_public("closed", True)
    assert set_visibility(surface, ids=[key], visibility="PRIVATE")["errors"] == []
    assert at_registry(harbor)["closed"] == in_mirror(surface, integration_id)["closed"] == "PRIVATE"


def test_a_look_that_was_quicker_hides_no_loss(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    key, tenant = space_ids(surface, integration_id)["open"], new_tenant(surface)
    _, row_id = parse_global_id(key)

    async def see_it_closed(transaction: Transaction) -> None:
        await transaction.execute(f'UPDATE "space" SET "visibility" = \'PRIVATE\' WHERE "id" = {row_id}')

    def look(request: HarborRequest) -> None:
        if request.method == "PUT":
            surface.server.run(surface.server.services.database.transact(see_it_closed))

    harbor.before_each_call(look)
    events = len(surface.events())
    payload = set_visibility(surface, ids=[key], visibility="PRIVATE")
    assert payload["errors"] == []
    assert tenant.loss(f"127.0.0.1:{harbor.port}/open/") in payload["losses"]
    assert in_mirror(surface, integration_id)["open"] == "PRIVATE"
    # That look has told of it.
    assert new_events(surface, events) == []


def test_each_that_can_be_done_is(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    names = ["one", "two", "three", "four", "five"]
    keys = [create_space(surface, integrationId=integration_id, name=name)["space"]["id"] for name in names]

    def deleted(request: HarborRequest) -> None:
        if request.method == "PUT":
            harbor.before_each_call(None)
            for name in ("two", "four"):
                harbor.delete_project(name)

    harbor.before_each_call(deleted)
    payload = set_visibility(surface, ids=keys, visibility="PUBLIC")

    assert [space["name"] for space in payload["spaces"]] == ["one", "three", "five"]
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("INVALID_INPUT", ["input", "ids", "1"]),
        ("INVALID_INPUT", ["input", "ids", "3"]),
    ]
    assert {name: at_registry(harbor)[name] for name in ("one", "three", "five")} == dict.fromkeys(
        ("one", "three", "five"), "PUBLIC"
    )
    surface.wait_until(lambda: ("two", "PRIVATE", "VANISHED") in space_rows(surface, integration_id), "it is seen")


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(
    surface: Surface, harbor: HarborDouble, integration_id: str, lie: Lie
) -> None:
    key, events = space_ids(surface, integration_id)["open"], len(surface.events())
    harbor.lie(lie, PROJECTS, "PUT")
    payload = set_visibility(surface, ids=[key], visibility="PRIVATE")
    assert (payload["errors"], [space["visibility"] for space in payload["spaces"]]) == ([], ["PRIVATE"])
    assert at_registry(harbor)["open"] == in_mirror(surface, integration_id)["open"] == "PRIVATE"
    assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_VISIBILITY_CHANGED"]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_was_not_done_or_is_not_known_stays_as_it_was(
    surface: Surface,
    harbor: HarborDouble,
    integration_id: str,
    is_known: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, events = space_ids(surface, integration_id)["open"], len(surface.events())
    follow_no_log(surface)
    harbor.lie(Lie.EMPTY_BAD_GATEWAY if is_known else Lie.ANSWER_LOST, PROJECTS, "PUT")
    if not is_known:
        # After the look before the change none gets through.
        _look_once(monkeypatch)
    payload = set_visibility(surface, ids=[key], visibility="PRIVATE")
    (error,) = payload["errors"]
    assert (error["code"], error["reason"], error["path"]) == (
        "REGISTRY_REFUSED",
        "COMPONENT_UNHEALTHY",
        ["input", "ids", "0"],
    )
    assert ("not known" in error["message"]) is not is_known
    assert (payload["spaces"], payload["losses"], new_events(surface, events)) == ([], [], [])
    harbor.tell_the_truth()
    expected = "PUBLIC" if is_known else "PRIVATE"
    surface.wait_until(lambda: in_mirror(surface, integration_id)["open"] == expected, "the mirror follows")


def _look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    look = HarborClient.look_at_space
    looks = 0

    async def look_once(client: HarborClient, name: str) -> FoundSpace | None:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise ComponentUnhealthy("harbor answers 502.", http_status=502)
        return await look(client, name)

    monkeypatch.setattr(HarborClient, "look_at_space", look_once)


@pytest.mark.parametrize("reason", ["READ_ONLY", "CONNECTION_REFUSED"])
def test_a_registry_that_does_not_do_it_says_so(
    surface: Surface, harbor: HarborDouble, integration_id: str, reason: str
) -> None:
    key = space_ids(surface, integration_id)["open"]
    harbor.set_read_only(True)
    if reason == "CONNECTION_REFUSED":
        harbor.stop()
    stored = surface.stored()
    payload = set_visibility(surface, ids=[key], visibility="PRIVATE")
    assert [(error["code"], error["reason"]) for error in payload["errors"]] == [("REGISTRY_REFUSED", reason)]
    assert (payload["spaces"], surface.stored()) == ([], stored)
    assert not is_due(surface, integration_id)


def test_of_two_that_want_opposites_the_last_is_true_everywhere(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    key = space_ids(surface, integration_id)["open"]
    with ThreadPoolExecutor(4) as threads:
        wanted = ["PRIVATE", "PUBLIC"] * 6
        futures = [threads.submit(set_visibility, surface, ids=[key], visibility=visibility) for visibility in wanted]
        assert [future.result()["errors"] for future in futures] == [[]] * len(wanted)
    assert at_registry(harbor)["open"] == in_mirror(surface, integration_id)["open"]


def test_where_the_registry_knows_nothing_of_it_it_is_kept_here(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = [f"team-{number:03}/app" for number in range(99)] + ["web"]
    integration_id = surface.integrate(registry)["id"]
    ids = space_ids(surface, integration_id)
    events, asked, tenant = len(surface.events()), len(registry.requests), new_tenant(surface)

    payload = set_visibility(surface, ids=list(ids.values()), visibility="PUBLIC")

    assert (payload["errors"], payload["losses"], len(registry.requests)) == ([], [], asked)
    assert [space["id"] for space in payload["spaces"]] == list(ids.values())
    assert {space["visibility"] for space in payload["spaces"]} == {"PUBLIC"}
    told = [(type_, data["by"]) for type_, data in new_events(surface, events) if type_.startswith("SPACE")]
    assert told == [("SPACE_VISIBILITY_CHANGED", "admin")] * 100
    # A look doesn't close them again.
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    assert set(in_mirror(surface, integration_id).values()) == {"PUBLIC"}
    # The space of names without a slash has two prefixes.
    closed = set_visibility(surface, ids=[ids["library"]], visibility="PRIVATE")
    assert closed["lossCount"] == 2 * namespace_count(surface)
    for prefix in (f"{registry.image_host}/", f"{registry.image_host}/library/"):
        assert tenant.loss(prefix) in closed["losses"]


def test_one_that_vanished_is_neither_opened_nor_closed(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["gone/app", "here/app", "here-too/app"]
    integration_id = surface.integrate(registry)["id"]
    ids = space_ids(surface, integration_id)
    registry.repositories = ["here/app", "here-too/app"]
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    stored = surface.stored()
    given = {"ids": [ids["here"], ids["gone"]], "visibility": "PUBLIC"}
    payload = set_visibility(surface, **given)
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID_INPUT", ["input", "ids", "1"])]
    assert (payload["spaces"], surface.stored()) == (None, stored)


def test_bad_ids_are_refused_each_at_its_place(surface: Surface, registry: FakeRegistry) -> None:
    integration_id = surface.integrate(registry)["id"]
    key = space_ids(surface, integration_id)["team"]
    unknown = [global_id("Space", 10**9 + number) for number in range(101)]
    stored = surface.stored()
    cases: list[tuple[list[str], list[tuple[str, list[str]]]]] = [
        ([], [("INVALID_INPUT", ["input", "ids"])]),
        (unknown, [("INVALID_INPUT", ["input", "ids"])]),
        ([key, key], [("INVALID_INPUT", ["input", "ids", "1"])]),
        ([key, integration_id, "x"], [("NOT_FOUND", ["input", "ids", "1"]), ("NOT_FOUND", ["input", "ids", "2"])]),
        ([unknown[0], key, unknown[1]], [("NOT_FOUND", ["input", "ids", "0"]), ("NOT_FOUND", ["input", "ids", "2"])]),
    ]
    for ids, expected in cases:
        payload = set_visibility(surface, ids=ids, visibility="PUBLIC")
        assert [(error["code"], error["path"]) for error in payload["errors"]] == expected
        assert payload["spaces"] is None
    assert surface.stored() == stored


def test_workspace_administrators_change_what_their_workspace_brought(surface: Surface, registry: FakeRegistry) -> None:
    tenant, other = new_tenant(surface), new_tenant(surface)
    integration_id = surface.integrate(registry)["id"]
    (_, own), (_, key) = parse_global_id(tenant.id), parse_global_id(integration_id)
    space_id = space_ids(surface, integration_id)["team"]
    administrator = token_in(surface.server, own, Role.WORKSPACE_ADMIN)
    stranger = token_in(surface.server, parse_global_id(other.id)[1], Role.WORKSPACE_ADMIN)
    opening = {"ids": [space_id], "visibility": "PUBLIC"}

    # The platform's, public: seen, and not theirs.
    assert set_visibility(surface, **opening)["errors"] == []
    for attempt in (
        set_visibility(surface, administrator, **opening),
        delete_space(surface, administrator, id=space_id),
    ):
        assert [error["code"] for error in attempt["errors"]] == ["FORBIDDEN"]

    async def give(transaction: Transaction) -> None:
        owner = f'"workspace_id" = {own}, "scope" = {own} WHERE "id" = {key}'
        await transaction.execute(f'UPDATE "integration" SET {owner}')

    surface.server.run(surface.server.services.database.transact(give))
    for attempt in (
        create_space(surface, stranger, integrationId=integration_id, name="new"),
        set_visibility(surface, stranger, **opening),
        delete_space(surface, stranger, id=space_id),
    ):
        assert [error["code"] for error in attempt["errors"]] == ["NOT_FOUND"]
    made = create_space(surface, administrator, integrationId=integration_id, name="new")
    assert made["errors"] == []
    closed = set_visibility(surface, administrator, ids=[space_id], visibility="PRIVATE")
    # Nobody but the workspace's own namespaces could pull from there.
    prefix = f"{registry.image_host}/team/"
    assert (closed["errors"], closed["losses"]) == ([], [tenant.loss(prefix)])
    assert delete_space(surface, administrator, id=made["space"]["id"])["errors"] == []
