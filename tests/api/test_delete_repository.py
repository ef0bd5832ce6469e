"""deleteRepository: at the registry with all that it holds, and at once in the mirror."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from models.database import Transaction
from models.integration import Integration
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents
from resolvers.global_ids import global_id
from services.mirror import write_full_look
from tests.api.deletions import (
    API,
    ONE,
    FollowedHarbor,
    delete_repository,
    followed,
    mirrored,
    repository_id,
    told,
)
from tests.api.fake_registry import FakeRegistry
from tests.api.spaces import delete_space, follow_no_log, impatient_registries, is_due, space_ids
from tests.api.surface import Surface
from tests.doubles.harbor.images import made_image
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor

APP, TOOL = "team/app/web", "team/tool"
ONE_DIGEST, OTHER_DIGEST, TOOL_DIGEST = (made_image(text).digest for text in ("one", "other", "tool"))
LEFT = {TOOL: {TOOL_DIGEST: ["1"]}}
WHOLE = {APP: {ONE_DIGEST: ["1.0", "latest"], OTHER_DIGEST: ["2.0"]}, **LEFT}


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with two repositories."""
    with running_harbor() as running:
        running.create_project("team")
        for tag, text in [("1.0", "one"), ("latest", "one"), ("2.0", "other")]:
            running.push(APP, tag, made_image(text))
        running.push(TOOL, "1", made_image("tool"))
        yield running


@pytest.fixture
def there(surface: Surface, harbor: HarborDouble) -> FollowedHarbor:
    return followed(surface, harbor)


@pytest.fixture
def key(surface: Surface, there: FollowedHarbor) -> str:
    return repository_id(surface, APP)


def test_it_goes_with_all_that_it_holds_and_is_told_once(surface: Surface, there: FollowedHarbor, key: str) -> None:
    kept, events = there.kept(), len(surface.events())

    dry = delete_repository(surface, id=key, dryRun=True)

    assert dry == {
        "errors": [],
        "repository": {"id": key, "name": APP},
        "artifactCount": 2,
        "deletedTags": ["1.0", "2.0", "latest"],
        "hasMoreTags": False,
    }
    assert (there.kept(), there.deletions(), there.held()) == (kept, [], WHOLE)

    assert delete_repository(surface, id=key) == dry

    assert (there.held(), mirrored(surface)) == (LEFT, [TOOL])
    assert there.harbor.calls.count("DELETE", ONE, "user admin") == 1
    expected = [("IMAGE_DELETED", APP, None, "admin")]
    assert told(surface, events) == expected
    # The log tells of each artifact, and of the repository: all of it is known.
    there.wait_until_read()
    assert surface.errors_of("synchronizeIntegration", {"id": there.integration_id}) == []
    assert (told(surface, events), mirrored(surface)) == (expected, [TOOL])
    assert surface.server.graphql("query ($id: ID!) { node(id: $id) { id } }", {"id": key}) == {"node": None}
    for dry_run in (True, False):
        (error,) = delete_repository(surface, id=key, dryRun=dry_run)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])


def test_an_empty_one_goes_and_then_its_space(surface: Surface, there: FollowedHarbor) -> None:
    there.harbor.delete_repository(APP)
    there.harbor.delete_artifact(TOOL, "1")
    payload = delete_repository(surface, id=repository_id(surface, TOOL))
    assert (payload["errors"], payload["artifactCount"], payload["deletedTags"]) == ([], 0, [])
    assert there.held() == {}
    assert delete_space(surface, id=space_ids(surface, there.integration_id)["team"])["errors"] == []


def test_of_very_many_tags_the_first_are_told(surface: Surface, there: FollowedHarbor, key: str) -> None:
    for number in range(1, 1_002):
        there.harbor.push(APP, f"t{number:04}", made_image(f"image {number // 3}"))
    payload = delete_repository(surface, id=key, dryRun=True)
    # Of 336 artifacts.
    assert (payload["errors"], payload["artifactCount"], payload["hasMoreTags"]) == ([], 336, True)
    assert payload["deletedTags"] == sorted(["1.0", "2.0", "latest", *(f"t{n:04}" for n in range(1, 1_002))])[:1_000]


def test_one_with_a_tag_that_a_rule_keeps_stays(surface: Surface, there: FollowedHarbor, key: str) -> None:
    follow_no_log(surface)
    there.harbor.keep_tags("team", "2.*")
    kept = there.kept()
    for dry_run in (True, False):
        payload = delete_repository(surface, id=key, dryRun=dry_run)
        (error,) = payload["errors"]
        assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "IMMUTABLE")
        assert (error["path"], payload["repository"], payload["artifactCount"]) == (["input", "id"], None, None)
    assert error["registryMessage"] == "PRECONDITION: the tag 2.0 configured as immutable, cannot be deleted"
    assert (there.held(), there.kept()) == (WHOLE, kept)
    assert not is_due(surface, there.integration_id)


def test_what_the_registry_refuses_for_its_own_reasons_is_told_in_its_words(
    surface: Surface, harbor: HarborDouble
) -> None:
    with harbor.paused() as state:
        state.change_settings({"quota_per_project_enable": False})
    harbor.create_project("unmetered")
    with harbor.paused() as state:
        state.change_settings({"quota_per_project_enable": True})
    harbor.push("unmetered/app", "1")
    there = followed(surface, harbor)
    (error,) = delete_repository(surface, id=repository_id(surface, "unmetered/app"))["errors"]
    assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "OTHER")
    assert error["registryMessage"].startswith("NOT_FOUND: quota not found for (project, ")
    assert "unmetered/app" in there.held("unmetered")
    assert mirrored(surface) == [APP, TOOL, "unmetered/app"]


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(surface: Surface, there: FollowedHarbor, key: str, lie: Lie) -> None:
    there.harbor.lie(lie, API, "DELETE")
    assert delete_repository(surface, id=key)["errors"] == []
    assert (there.held(), mirrored(surface)) == (LEFT, [TOOL])


def test_what_was_not_done_is_said_not_to_be(surface: Surface, there: FollowedHarbor, key: str) -> None:
    kept = there.kept()
    there.harbor.lie(Lie.EMPTY_BAD_GATEWAY, API, "DELETE")
    (error,) = delete_repository(surface, id=key)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" not in error["message"]
    assert (there.held(), there.kept()) == (WHOLE, kept)


def test_what_can_not_be_found_out_is_not_guessed_and_looked_at_soon(
    surface: Surface, there: FollowedHarbor, key: str
) -> None:
    def falls_silent(request: HarborRequest) -> None:
        if request.method == "DELETE":
            there.harbor.lie(Lie.ANSWER_LOST, API)

    follow_no_log(surface)
    there.harbor.before_each_call(falls_silent)
    (error,) = delete_repository(surface, id=key)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" in error["message"]
    there.harbor.before_each_call(None)
    there.harbor.tell_the_truth()
    surface.wait_until(lambda: mirrored(surface) == [TOOL], "it is found to be gone")


@pytest.mark.parametrize("reason", ["READ_ONLY", "CONNECTION_REFUSED"])
def test_a_registry_that_does_not_do_it_says_so(surface: Surface, there: FollowedHarbor, key: str, reason: str) -> None:
    follow_no_log(surface)
    there.harbor.set_read_only(True)
    if reason == "CONNECTION_REFUSED":
        there.harbor.stop()
    kept = there.kept()
    (error,) = delete_repository(surface, id=key)["errors"]
    assert (error["code"], error["reason"], error["path"]) == ("REGISTRY_REFUSED", reason, ["input", "id"])
    assert (there.held(), there.kept()) == (WHOLE, kept)
    assert not is_due(surface, there.integration_id)


def test_of_three_at_once_one_deletes_it(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(delete_repository, surface, id=key) for _ in range(3)]
        payloads = [future.result() for future in futures]
    codes = [[error["code"] for error in payload["errors"]] for payload in payloads]
    assert sorted(codes) == [[], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert told(surface, events) == [("IMAGE_DELETED", APP, None, "admin")]


def test_a_look_that_was_quicker_changes_nothing(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())

    async def see_it_gone(transaction: Transaction) -> None:
        await transaction.execute(f"""DELETE FROM "repository" WHERE "name" = '{APP}'""")

    def look(request: HarborRequest) -> None:
        if request.method == "DELETE":
            surface.server.run(surface.server.services.database.transact(see_it_gone))

    there.harbor.before_each_call(look)
    payload = delete_repository(surface, id=key)
    assert (payload["errors"], payload["repository"]) == ([], {"id": key, "name": APP})
    assert (there.held(), mirrored(surface)) == (LEFT, [TOOL])
    assert told(surface, events) == [("IMAGE_DELETED", APP, None, "admin")]


@pytest.mark.parametrize("is_earlier", [True, False])
def test_a_look_that_began_before_does_not_bring_it_back_and_one_behind_knows_better(
    surface: Surface, there: FollowedHarbor, key: str, is_earlier: bool
) -> None:
    follow_no_log(surface)
    services = surface.server.services
    looked_at = services.clock() if is_earlier else None
    assert delete_repository(surface, id=key)["errors"] == []
    ((external_id,),) = surface.rows("""SELECT "external_id" FROM "space" WHERE "name" = 'team'""")

    async def write_look(transaction: Transaction, at: datetime) -> None:
        (integration,) = await Integration.all()
        integration.looked_at = None
        spaces = (FoundSpace("1", "library", True), FoundSpace(external_id, "team", False))
        repositories = tuple(FoundRepository(name, external_id, 1, 0, None) for name in (APP, TOOL))
        await write_full_look(transaction, integration, RegistryContents(spaces, repositories), at, accept_loss=False)

    at = looked_at or services.clock()
    surface.server.run(services.database.transact(lambda transaction: write_look(transaction, at)))
    assert mirrored(surface) == ([TOOL] if is_earlier else [APP, TOOL])


def test_a_docker_registry_deletes_none_and_is_not_asked(surface: Surface, registry: FakeRegistry) -> None:
    surface.integrate(registry)
    key, asked = repository_id(surface, "team/app"), len(registry.requests)
    for dry_run in (True, False):
        payload = delete_repository(surface, id=key, dryRun=dry_run)
        (error,) = payload["errors"]
        assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "NOT_OFFERED")
        assert (error["registryMessage"], error["path"], payload["repository"]) == (None, ["input", "id"], None)
        assert "Delete the artifacts in it" in error["message"]
    assert (len(registry.requests), mirrored(surface)) == (asked, ["team/app"])
    query = "{ registryKinds { kind abilities } }"
    kinds = {kind["kind"]: kind["abilities"] for kind in surface.server.graphql(query)["registryKinds"]}
    deletes = {kind: {name for name in abilities if name.startswith("DELETE_")} for kind, abilities in kinds.items()}
    assert deletes == {
        "HARBOR": {"DELETE_SPACES", "DELETE_ARTIFACTS", "DELETE_TAGS", "DELETE_REPOSITORIES"},
        "DOCKER_REGISTRY": {"DELETE_ARTIFACTS"},
    }


def test_an_id_that_is_none_finds_nothing(surface: Surface, there: FollowedHarbor) -> None:
    for key in ["nonsense", there.integration_id, global_id("Repository", 10**9), global_id("Space", 1)]:
        (error,) = delete_repository(surface, id=key)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])
        assert error["message"] == "There is no repository with this id."
    assert there.deletions() == []
