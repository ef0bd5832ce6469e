"""createSpace where the registry makes spaces: it is made there, and then stands here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.database import Transaction
from models.enums import Role
from models.integration import Integration
from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundSpace, RegistryContents
from registry_clients.refusals import QuotaExceeded
from resolvers.global_ids import parse_global_id
from services.mirror import write_full_look
from services.space_input import NewSpace
from services.viewer import Viewer
from tests.api.harbors import integrate_harbor
from tests.api.spaces import (
    SECONDS_TO_ANSWER,
    bind,
    create_space,
    delete_space,
    follow_no_log,
    impatient_registries,
    new_events,
    new_tenant,
    space_rows,
)
from tests.api.surface import Surface
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor

PROJECTS = "/api/v2.0/projects"
SECONDS_TO_WAIT = 10.0
STANDING = ("library", "PUBLIC", "PRESENT")


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as running:
        yield running


@pytest.fixture
def integration_id(harbor: HarborDouble, surface: Surface) -> str:
    return integrate_harbor(surface, harbor)


def projects(harbor: HarborDouble) -> dict[str, str]:
    """Return the visibility of each project, by name."""
    with harbor.paused() as state:
        return {project.name: project.metadata["public"] for project in state.projects.values()}


@pytest.mark.parametrize(
    ("given", "public", "limit_bytes"),
    [({}, "false", -1), ({"visibility": "PUBLIC", "storageLimitBytes": 2**40}, "true", 2**40)],
)
def test_it_is_made_at_the_registry_and_stands_in_the_mirror(
    surface: Surface, harbor: HarborDouble, integration_id: str, given: dict[str, Any], public: str, limit_bytes: int
) -> None:
    events = len(surface.events())

    payload = create_space(surface, integrationId=integration_id, name="team", **given)

    space = payload["space"]
    visibility = given.get("visibility", "PRIVATE")
    assert payload["errors"] == []
    assert (space["name"], space["visibility"], space["state"]) == ("team", visibility, "PRESENT")
    assert space["isVisibilityEnforced"] is True
    assert projects(harbor) == {"library": "true", "team": public}
    with harbor.paused() as state:
        project = state.project_named("team")
        assert project is not None
        assert project.quota is not None
        assert project.quota.limit_bytes == limit_bytes
        project_id = project.id
    assert space_rows(surface, integration_id) == [STANDING, ("team", visibility, "PRESENT")]
    ((type_, data),) = new_events(surface, events)
    assert (type_, data["space_name"], data["space_external_id"]) == ("SPACE_ADDED", "team", str(project_id))
    assert (data["visibility"], data["by"]) == (visibility, "admin")
    # What begins as it was made there is nothing that a look could find anew.
    events = len(surface.events())
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    assert new_events(surface, events) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": name}, "name")
        for name in ["", "Team", "te am", "team/app", "-team", "te--am", "team.", "täm", "x" * 256, "te\nam", "team\n"]
    ]
    + [({"name": "team", "storageLimitBytes": limit}, "storageLimitBytes") for limit in [0, 2**53 + 1]],
)
def test_what_no_registry_of_the_kind_takes_is_refused_unasked(
    surface: Surface, harbor: HarborDouble, integration_id: str, given: dict[str, Any], field: str
) -> None:
    stored = surface.stored()

    payload = create_space(surface, integrationId=integration_id, **given)

    assert payload["space"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID_INPUT", ["input", field])]
    assert surface.stored() == stored
    assert projects(harbor) == {"library": "true"}
    assert [call for call in harbor.calls.all if call.method == "POST" and "projects" in call.path] == []


def test_names_and_limits_at_the_edge_are_taken(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    for name, limit_bytes in [("a", 1), ("4711", 2**53), ("under_score.dot-dash", None), ("x" * 255, None)]:
        payload = create_space(surface, integrationId=integration_id, name=name, storageLimitBytes=limit_bytes)
        assert payload["errors"] == []
        assert name in projects(harbor)


def test_a_name_that_is_held_is_told_with_who_holds_it(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    stored = surface.stored()

    payload = create_space(surface, integrationId=integration_id, name="library")

    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == ("SPACE_NAME_TAKEN", ["input", "name"])
    assert error["holder"] == {"name": "library", "visibility": "PUBLIC"}
    assert (payload["space"], surface.stored()) == (None, stored)


def test_a_name_that_the_mirror_does_not_know_yet_is_held_too(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    # Made between the look and the call: then the registry says so.
    def made_meanwhile(request: HarborRequest) -> None:
        if request.method == "POST" and request.raw_path == PROJECTS and "quick" not in projects(harbor):
            harbor.create_project("quick")

    harbor.before_each_call(made_meanwhile)
    (error,) = create_space(surface, integrationId=integration_id, name="quick", visibility="PUBLIC")["errors"]
    assert (error["code"], error["path"]) == ("SPACE_NAME_TAKEN", ["input", "name"])
    assert projects(harbor)["quick"] == "false"


def test_of_two_at_once_one_makes_it(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    for number in range(3):
        name, events = f"wanted-{number}", len(surface.events())
        with ThreadPoolExecutor(3) as threads:
            given = {"integrationId": integration_id, "name": name}
            futures = [threads.submit(create_space, surface, **given) for _ in range(3)]
            payloads = [future.result() for future in futures]

        assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1]
        held = [error for payload in payloads for error in payload["errors"]]
        assert {(error["code"], error["holder"]["name"]) for error in held} == {("SPACE_NAME_TAKEN", name)}
        assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_ADDED"]
    assert len(space_rows(surface, integration_id)) == 4


def test_a_registry_that_takes_no_writes_says_so(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    harbor.set_read_only(True)
    stored = surface.stored()
    (error,) = create_space(surface, integrationId=integration_id, name="team")["errors"]
    assert (error["code"], error["reason"], error["path"]) == (
        "REGISTRY_REFUSED",
        "READ_ONLY",
        ["input", "integrationId"],
    )
    assert surface.stored() == stored


def test_what_the_registry_refuses_all_the_same_is_told_in_its_words(
    surface: Surface, harbor: HarborDouble, integration_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> FoundSpace:
        raise QuotaExceeded("team", "A limit on storage forbids it.", registry_message="as it says")

    monkeypatch.setattr(HarborClient, "create_space", refuse)
    stored = surface.stored()
    (error,) = create_space(surface, integrationId=integration_id, name="team")["errors"]
    assert (error["code"], error["path"], error["registryMessage"]) == (
        "SPACE_REFUSED",
        ["input", "name"],
        "as it says",
    )
    assert surface.stored() == stored


def test_a_registry_that_is_away_says_so(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    stored = surface.stored()
    with harbor.dead():
        (error,) = create_space(surface, integrationId=integration_id, name="team")["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "CONNECTION_REFUSED")
    assert surface.stored() == stored


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(
    surface: Surface, harbor: HarborDouble, integration_id: str, lie: Lie
) -> None:
    events = len(surface.events())
    harbor.lie(lie, PROJECTS, "POST")

    payload = create_space(surface, integrationId=integration_id, name="team", visibility="PUBLIC")

    assert payload["errors"] == []
    assert (payload["space"]["name"], payload["space"]["visibility"]) == ("team", "PUBLIC")
    assert space_rows(surface, integration_id) == [STANDING, ("team", "PUBLIC", "PRESENT")]
    assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_ADDED"]
    assert harbor.calls.count("POST", "/projects") == 1


def test_what_was_not_done_is_said_not_to_be(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    events = len(surface.events())
    harbor.lie(Lie.EMPTY_BAD_GATEWAY, PROJECTS, "POST")

    payload = create_space(surface, integrationId=integration_id, name="team")

    (error,) = payload["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" not in error["message"]
    assert (payload["space"], space_rows(surface, integration_id)) == (None, [STANDING])
    assert new_events(surface, events) == []
    assert harbor.calls.count("POST", "/projects") == 1


def test_what_can_not_be_found_out_is_not_guessed_and_looked_at_soon(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    # From the call on nothing gets through any more, though this one was done.
    def falls_silent(request: HarborRequest) -> None:
        if request.method == "POST":
            harbor.lie(Lie.ANSWER_LOST, PROJECTS)

    follow_no_log(surface)
    harbor.before_each_call(falls_silent)
    (error,) = create_space(surface, integrationId=integration_id, name="team")["errors"]

    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" in error["message"]
    harbor.before_each_call(None)
    harbor.tell_the_truth()
    surface.wait_until(lambda: len(space_rows(surface, integration_id)) == 2, "it is found")


def test_an_integration_that_was_removed_meanwhile_is_not_found(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    async def remove(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "integration"')

    def removed(request: HarborRequest) -> None:
        if request.method == "POST" and request.raw_path == PROJECTS:
            surface.server.run(surface.server.services.database.transact(remove))

    harbor.before_each_call(removed)
    (error,) = create_space(surface, integrationId=integration_id, name="team")["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "integrationId"])
    assert surface.rows('SELECT 1 FROM "space"') == []


def test_whoever_stops_waiting_ends_nothing_half_way(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    services, (_, key) = surface.server.services, parse_global_id(integration_id)
    asked, gone = threading.Event(), threading.Event()
    events = len(surface.events())

    def hold(request: HarborRequest) -> None:
        if request.method == "POST" and request.raw_path == PROJECTS:
            asked.set()
            gone.wait(SECONDS_TO_ANSWER)

    async def give_up() -> None:
        viewer = Viewer(Role.PLATFORM_ADMIN, None, 1, "somebody", services.clock() + timedelta(hours=1))
        creating = asyncio.create_task(services.space_changer.create(NewSpace(key, "team"), viewer))
        await asyncio.to_thread(asked.wait, SECONDS_TO_WAIT)
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating

    harbor.before_each_call(hold)
    surface.server.run(give_up())
    assert space_rows(surface, integration_id) == [STANDING]
    gone.set()

    surface.wait_until(lambda: len(space_rows(surface, integration_id)) == 2, "it stands in the mirror")
    assert [(type_, data.get("by")) for type_, data in new_events(surface, events)] == [("SPACE_ADDED", "somebody")]
    assert list(projects(harbor)) == ["library", "team"]


def test_a_look_that_began_before_knows_less(surface: Surface, harbor: HarborDouble, integration_id: str) -> None:
    services = surface.server.services
    before = services.clock()
    assert create_space(surface, integrationId=integration_id, name="team")["errors"] == []
    stored = surface.stored()["space"]

    async def write_older_look(transaction: Transaction) -> None:
        (integration,) = await Integration.all()
        integration.looked_at = None
        library = FoundSpace("1", "library", True)
        await write_full_look(transaction, integration, RegistryContents((library,), ()), before, accept_loss=True)

    surface.server.run(services.database.transact(write_older_look))
    assert surface.stored()["space"] == stored


def test_who_is_bound_to_another_of_the_name_is_not_bound_to_this(
    surface: Surface, harbor: HarborDouble, integration_id: str
) -> None:
    first = create_space(surface, integrationId=integration_id, name="team")["space"]["id"]
    tenant = new_tenant(surface)
    bind(surface, first, tenant)
    assert delete_space(surface, id=first)["errors"] == []

    again = create_space(surface, integrationId=integration_id, name="team")

    assert again["errors"] == []
    assert again["space"]["id"] != first
    query = "query ($id: ID!) { space(id: $id) { bindings { totalCount } } }"
    assert surface.server.graphql(query, {"id": again["space"]["id"]}) == {"space": {"bindings": {"totalCount": 0}}}


@pytest.mark.parametrize("role", ["WORKSPACE_ADMIN", "WORKSPACE_MEMBER"])
def test_others_make_none_at_the_platforms_registries(
    surface: Surface, harbor: HarborDouble, integration_id: str, role: str
) -> None:
    token = surface.new_token(role)
    stored, made = surface.stored(), projects(harbor)
    (error,) = create_space(surface, token, integrationId=integration_id, name="team")["errors"]
    assert error["code"] == "FORBIDDEN"
    assert (surface.stored(), projects(harbor)) == (stored, made)


def test_an_id_that_is_none_finds_nothing(surface: Surface) -> None:
    for key in ["nonsense", "U3BhY2U6MQ", "SW50ZWdyYXRpb246OTk5OTk5"]:
        (error,) = create_space(surface, integrationId=key, name="team")["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "integrationId"])
