"""deleteSpace: at the registry and here, with what was given of it; never one that holds something."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.database import Transaction
from models.integration import Integration
from registry_clients.records import FoundSpace, RegistryContents
from resolvers.global_ids import parse_global_id
from services.mirror import write_full_look
from tests.api.fake_registry import FakeRegistry
from tests.api.harbors import integrate_harbor
from tests.api.spaces import (
    Tenant,
    bind,
    binding_rows,
    create_space,
    delete_space,
    follow_no_log,
    impatient_registries,
    is_due,
    new_events,
    new_tenant,
    space_ids,
    space_rows,
)
from tests.api.surface import Surface
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor

PROJECTS = "/api/v2.0/projects/"
LIBRARY = ("library", "PUBLIC", "PRESENT")
STANDING = [LIBRARY, ("team", "PRIVATE", "PRESENT")]
GONE = [LIBRARY, ("team", "PRIVATE", "VANISHED")]


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with an empty project."""
    with running_harbor() as running:
        running.create_project("team")
        yield running


@pytest.fixture
def integration_id(harbor: HarborDouble, surface: Surface) -> str:
    return integrate_harbor(surface, harbor)


@pytest.fixture
def space_id(surface: Surface, integration_id: str) -> str:
    return space_ids(surface, integration_id)["team"]


def projects(harbor: HarborDouble) -> list[str]:
    with harbor.paused() as state:
        return [project.name for project in state.projects.values()]


def deletions(harbor: HarborDouble) -> int:
    return harbor.calls.count("DELETE", "/projects/{project}")


def losses_of(payload: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    return payload["losses"], payload["lossCount"]


def test_it_goes_at_the_registry_and_here_with_its_bindings(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    tenant = new_tenant(surface)
    binding = bind(surface, space_id, tenant)
    lost = ([tenant.loss(f"127.0.0.1:{harbor.port}/team/")], 1)
    stored, events = surface.stored(), len(surface.events())

    dry = delete_space(surface, id=space_id, dryRun=True)

    assert (dry["errors"], dry["space"]["state"], losses_of(dry)) == ([], "PRESENT", lost)
    assert (surface.stored(), deletions(harbor), projects(harbor)) == (stored, 0, ["library", "team"])
    assert binding_rows(surface, binding) == [(False,)]

    payload = delete_space(surface, id=space_id)

    assert (payload["errors"], payload["space"], losses_of(payload)) == ([], dry["space"], lost)
    assert projects(harbor) == ["library"]
    assert space_rows(surface, integration_id) == GONE
    assert binding_rows(surface, binding) == []
    told = new_events(surface, events)
    assert [(type_, data["by"]) for type_, data in told] == [("BINDING_REVOKED", "admin"), ("SPACE_DELETED", "admin")]
    # A look finds nothing new in it.
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    assert new_events(surface, events + 2) == []
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "id"])


@pytest.mark.parametrize("dry_run", [False, True])
def test_one_that_holds_something_stays(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str, dry_run: bool
) -> None:
    tenant = new_tenant(surface)
    binding = bind(surface, space_id, tenant)
    # More than a page of them, and most of them the mirror hasn't seen yet.
    for number in range(101):
        harbor.push(f"team/app-{number}", "1")
    payload = delete_space(surface, id=space_id, dryRun=dry_run)
    (error,) = payload["errors"]
    assert (error["code"], error["path"], error["repositoryCount"]) == ("SPACE_NOT_EMPTY", ["input", "id"], 101)
    assert (payload["space"], losses_of(payload)) == (None, ([], 0))
    assert (deletions(harbor), projects(harbor)) == (0, ["library", "team"])
    assert space_rows(surface, integration_id) == STANDING
    assert binding_rows(surface, binding) == [(False,)]


def test_one_without_images_but_with_a_repository_holds_something(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    harbor.push("team/app", "1")
    harbor.delete_artifact("team/app", "1")
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["repositoryCount"]) == ("SPACE_NOT_EMPTY", 1)
    harbor.delete_repository("team/app")
    assert delete_space(surface, id=space_id)["errors"] == []
    _, key = parse_global_id(space_id)
    assert surface.rows(f'SELECT 1 FROM "repository" WHERE "space_id" = {key}') == []


def test_one_that_is_filled_meanwhile_stays_and_the_count_is_looked_up_again(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    def push(request: HarborRequest) -> None:
        if request.method == "DELETE" and request.raw_path.startswith(PROJECTS):
            for repository in ("team/app", "team/tool"):
                harbor.push(repository, "1")

    harbor.before_each_call(push)
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["repositoryCount"]) == ("SPACE_NOT_EMPTY", 2)
    assert (deletions(harbor), projects(harbor)) == (1, ["library", "team"])
    assert space_rows(surface, integration_id) == STANDING


def test_another_of_the_same_name_is_left_alone(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    binding = bind(surface, space_id, new_tenant(surface))

    def replace(request: HarborRequest) -> None:
        if request.raw_path == f"{PROJECTS}team/repositories":
            harbor.before_each_call(None)
            harbor.delete_project("team")
            harbor.create_project("team", is_public=True)
            harbor.push("team/app", "1")

    harbor.before_each_call(replace)
    payload = delete_space(surface, id=space_id)
    assert payload["errors"] == []
    assert projects(harbor) == ["library", "team"]
    assert binding_rows(surface, binding) == []
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    assert sorted(space_rows(surface, integration_id)) == sorted([*GONE, ("team", "PUBLIC", "PRESENT")])


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str, lie: Lie
) -> None:
    events = len(surface.events())
    harbor.lie(lie, PROJECTS, "DELETE")
    payload = delete_space(surface, id=space_id)
    assert (payload["errors"], payload["space"]["name"]) == ([], "team")
    assert (projects(harbor), space_rows(surface, integration_id)) == (["library"], GONE)
    assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_DELETED"]


def test_what_was_not_done_is_said_not_to_be(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    binding = bind(surface, space_id, new_tenant(surface))
    events = len(surface.events())
    harbor.lie(Lie.EMPTY_BAD_GATEWAY, PROJECTS, "DELETE")
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" not in error["message"]
    assert (space_rows(surface, integration_id), new_events(surface, events)) == (STANDING, [])
    assert binding_rows(surface, binding) == [(False,)]


def test_what_can_not_be_found_out_is_not_guessed(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    def falls_silent(request: HarborRequest) -> None:
        if request.method == "DELETE" and request.raw_path.startswith(PROJECTS):
            harbor.lie(Lie.ANSWER_LOST, PROJECTS)

    follow_no_log(surface)
    harbor.before_each_call(falls_silent)
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" in error["message"]
    harbor.before_each_call(None)
    harbor.tell_the_truth()
    surface.wait_until(lambda: space_rows(surface, integration_id) == GONE, "it is found to be gone")


@pytest.mark.parametrize("reason", ["READ_ONLY", "CONNECTION_REFUSED"])
def test_a_registry_that_does_not_do_it_says_so(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str, reason: str
) -> None:
    harbor.set_read_only(True)
    if reason == "CONNECTION_REFUSED":
        harbor.stop()
    stored = surface.stored()
    (error,) = delete_space(surface, id=space_id)["errors"]
    assert (error["code"], error["reason"], error["path"]) == ("REGISTRY_REFUSED", reason, ["input", "id"])
    assert surface.stored() == stored
    assert not is_due(surface, integration_id)


def test_a_look_that_was_quicker_hides_no_loss(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    tenant = new_tenant(surface)
    binding = bind(surface, space_id, tenant)
    _, row_id = parse_global_id(space_id)

    async def see_it_gone(transaction: Transaction) -> None:
        await transaction.execute(f'UPDATE "space" SET "state" = \'VANISHED\' WHERE "id" = {row_id}')

    def look(request: HarborRequest) -> None:
        if request.method == "DELETE" and request.raw_path.startswith(PROJECTS):
            surface.server.run(surface.server.services.database.transact(see_it_gone))

    harbor.before_each_call(look)
    payload = delete_space(surface, id=space_id)
    assert (payload["errors"], losses_of(payload)) == ([], ([tenant.loss(f"127.0.0.1:{harbor.port}/team/")], 1))
    assert binding_rows(surface, binding) == []
    assert space_rows(surface, integration_id) == GONE


def test_a_look_that_began_before_does_not_bring_it_back(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    before = surface.server.services.clock()
    assert delete_space(surface, id=space_id)["errors"] == []
    ((external_id,),) = surface.rows('SELECT "external_id" FROM "space" WHERE "name" = \'team\'')
    stored = surface.stored()["space"]

    async def write_older_look(transaction: Transaction) -> None:
        (integration,) = await Integration.all()
        seen = (FoundSpace("1", "library", True), FoundSpace(external_id, "team", True))
        await write_full_look(transaction, integration, RegistryContents(seen, ()), before, accept_loss=False)

    surface.server.run(surface.server.services.database.transact(write_older_look))
    assert surface.stored()["space"] == stored


def test_of_two_at_once_one_deletes_it(
    surface: Surface, harbor: HarborDouble, integration_id: str, space_id: str
) -> None:
    events = len(surface.events())
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(delete_space, surface, id=space_id) for _ in range(3)]
        payloads = [future.result() for future in futures]
    codes = [[error["code"] for error in payload["errors"]] for payload in payloads]
    assert sorted(codes) == [[], ["INVALID_INPUT"], ["INVALID_INPUT"]]
    assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_DELETED"]


def declared(surface: Surface, registry: FakeRegistry) -> tuple[str, str, Tenant]:
    """Return a Docker Registry with a space that was declared, and to whom that was given."""
    integration_id = surface.integrate(registry)["id"]
    key = create_space(surface, integrationId=integration_id, name="new")["space"]["id"]
    return integration_id, key, new_tenant(surface)


def test_a_declared_space_is_taken_back(surface: Surface, registry: FakeRegistry) -> None:
    integration_id, key, tenant = declared(surface, registry)
    binding = bind(surface, key, tenant)
    lost = ([tenant.loss(f"{registry.image_host}/new/")], 1)
    stored, events, asked = surface.stored(), len(surface.events()), len(registry.requests)

    dry = delete_space(surface, id=key, dryRun=True)
    assert (dry["errors"], losses_of(dry), surface.stored()) == ([], lost, stored)

    payload = delete_space(surface, id=key)
    assert (payload["errors"], losses_of(payload)) == ([], lost)
    assert payload["space"] == dry["space"]
    assert (payload["space"]["name"], payload["space"]["state"]) == ("new", "DECLARED")
    assert space_rows(surface, integration_id) == [("team", "PRIVATE", "PRESENT")]
    assert binding_rows(surface, binding) == []
    assert [type_ for type_, _ in new_events(surface, events)] == ["BINDING_REVOKED", "SPACE_DELETED"]
    assert len(registry.requests) == asked
    (error,) = delete_space(surface, id=key)["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])


def test_one_that_was_found_goes_with_its_last_image_alone(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["team/app", "team/tool", "web"]
    integration_id = surface.integrate(registry)["id"]
    ids = space_ids(surface, integration_id)
    stored = surface.stored()
    (error,) = delete_space(surface, id=ids["team"])["errors"]
    assert (error["code"], error["repositoryCount"]) == ("SPACE_NOT_EMPTY", 2)
    assert "goes with its last image" in error["message"]
    assert surface.stored() == stored
    registry.repositories = ["team/app"]
    assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
    (error,) = delete_space(surface, id=ids["library"])["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "id"])


def test_an_id_that_is_none_finds_nothing(surface: Surface) -> None:
    for key in ["nonsense", "SW50ZWdyYXRpb246MQ", "U3BhY2U6OTk5OTk5OTk5"]:
        (error,) = delete_space(surface, id=key)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])
