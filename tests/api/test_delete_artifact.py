"""deleteArtifact: at the registry, with all its tags; told once, whoever tells of it first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.database import NewEvent, Transaction
from models.enums import EventType, Role
from resolvers.global_ids import ArtifactKey, global_id, parse_global_id
from services.viewer import Viewer
from tests.api.deletions import (
    API,
    NO_DIGEST,
    ONE,
    FollowedHarbor,
    artifact_id,
    delete_artifact,
    followed,
    listed,
    repository_id,
    told,
)
from tests.api.spaces import SECONDS_TO_ANSWER, follow_no_log, impatient_registries
from tests.api.surface import Surface
from tests.doubles.harbor.images import Platform, made_image, made_index
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor

APP = "team/app/web"
IMAGE, OTHER = made_image("one"), made_image("other")
KEPT = {APP: {OTHER.digest: ["2.0"]}}
WHOLE = {APP: {IMAGE.digest: ["1.0", "latest"], OTHER.digest: ["2.0"]}}
SECONDS_TO_WAIT = 10.0


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with two images in a repository, one of them under two tags."""
    with running_harbor() as running:
        running.create_project("team")
        for tag in ("1.0", "latest"):
            running.push(APP, tag, IMAGE)
        running.push(APP, "2.0", OTHER)
        yield running


@pytest.fixture
def there(surface: Surface, harbor: HarborDouble) -> FollowedHarbor:
    return followed(surface, harbor)


@pytest.fixture
def key(surface: Surface, there: FollowedHarbor) -> str:
    """The id of the image with two tags."""
    return artifact_id(surface, APP, IMAGE.digest)


def test_it_goes_with_its_tags_and_is_told_once(surface: Surface, there: FollowedHarbor, key: str) -> None:
    repository = repository_id(surface, APP)
    assert set(listed(surface, repository)) == {IMAGE.digest, OTHER.digest}
    kept, events = there.kept(), len(surface.events())

    dry = delete_artifact(surface, id=key, dryRun=True)

    assert (dry["errors"], dry["deletedTags"], dry["hasMoreTags"]) == ([], ["1.0", "latest"], False)
    assert (dry["artifact"]["id"], dry["artifact"]["repository"]["name"]) == (key, APP)
    assert [node["name"] for node in dry["artifact"]["tags"]["nodes"]] == ["latest", "1.0"]
    assert (there.kept(), there.deletions(), there.held()) == (kept, [], WHOLE)

    payload = delete_artifact(surface, id=key)

    assert payload == dry
    # Asked for at once, what was there a moment ago is no longer shown.
    assert listed(surface, repository) == {OTHER.digest: ["2.0"]}
    assert there.held() == KEPT
    assert there.harbor.calls.count("DELETE", f"{ONE}/artifacts/{{reference}}", "user admin") == 1
    expected = [("IMAGE_DELETED", APP, IMAGE.digest, "admin")]
    assert told(surface, events) == expected
    # The log tells of it as well, which is known; and of how many artifacts are left.
    there.wait_until_read()
    assert told(surface, events) == expected
    assert surface.rows('SELECT "artifact_count" FROM "repository"') == [(1,)]
    rows = [(row["outcome"], row["is_dry_run"]) for row in surface.audit() if row["mutation"] == "deleteArtifact"]
    assert rows[-2:] == [("SUCCEEDED", True), ("SUCCEEDED", False)]
    for dry_run in (True, False):
        (error,) = delete_artifact(surface, id=key, dryRun=dry_run)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])


def test_who_asks_at_once_is_not_shown_what_was_there_before_any_event_is_read(
    surface: Surface, there: FollowedHarbor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, repository = surface.server.services, repository_id(surface, APP)
    deaf = [observer for observer in services.events._observers if observer != services.live_contents.notice]
    assert len(deaf) == len(services.events._observers) - 1
    monkeypatch.setattr(services.events, "_observers", deaf)
    assert set(listed(surface, repository)) == {IMAGE.digest, OTHER.digest}
    assert delete_artifact(surface, id=key)["errors"] == []
    assert set(listed(surface, repository)) == {OTHER.digest}


def test_another_deletion_of_the_same_is_told_too(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())
    assert delete_artifact(surface, id=key)["errors"] == []
    there.harbor.push(APP, "1.0", IMAGE)
    there.harbor.delete_artifact(APP, "1.0")
    there.wait_until_read()
    assert told(surface, events) == [
        ("IMAGE_DELETED", APP, IMAGE.digest, "admin"),
        ("IMAGE_PUSHED", APP, "1.0", None),
        ("IMAGE_DELETED", APP, IMAGE.digest, None),
    ]


def test_what_others_delete_meanwhile_is_told(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())

    def delete_other(request: HarborRequest) -> None:
        if request.method == "DELETE":
            there.harbor.before_each_call(None)
            there.harbor.delete_artifact(APP, "2.0")

    there.harbor.before_each_call(delete_other)
    assert delete_artifact(surface, id=key)["errors"] == []
    there.wait_until_read()
    assert sorted(told(surface, events), key=str) == sorted(
        [("IMAGE_DELETED", APP, OTHER.digest, None), ("IMAGE_DELETED", APP, IMAGE.digest, "admin")], key=str
    )


def test_a_log_that_was_read_more_quickly_has_told_of_it(surface: Surface, there: FollowedHarbor, key: str) -> None:
    follow_no_log(surface)
    events = len(surface.events())
    ((space_id, integration_id),) = surface.rows("""SELECT "id", "integration_id" FROM "space" WHERE "name" = 'team'""")
    data = {"integration_name": "x", "space_name": "team", "repository_name": APP, "reference": IMAGE.digest}
    services = surface.server.services
    event = NewEvent(EventType.IMAGE_DELETED, services.clock(), integration_id, data, space_id=space_id)

    async def tell(transaction: Transaction) -> None:
        transaction.events.append(event)

    def read(request: HarborRequest) -> None:
        if request.method == "DELETE":
            surface.server.run(services.database.transact(tell))

    there.harbor.before_each_call(read)
    assert delete_artifact(surface, id=key)["errors"] == []
    assert told(surface, events) == [("IMAGE_DELETED", APP, IMAGE.digest, None)]


def test_what_it_held_is_measured_again_soon_and_the_log_read(
    surface: Surface, there: FollowedHarbor, key: str
) -> None:
    database, before = surface.server.services.database, surface.server.services.clock()

    async def nothing_is_due(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "usage_hint"')
        # Its own next reading would be in twelve seconds.
        await transaction.execute('UPDATE "change_feed" SET "changed_at" = NULL')

    def due() -> list[tuple[str, str]]:
        return surface.rows(
            'SELECT s."name", h."repository_name" FROM "usage_hint" h JOIN "space" s ON s."id" = h."space_id"'
        )

    surface.server.run(database.transact(nothing_is_due))
    assert delete_artifact(surface, id=key, dryRun=True)["errors"] == []
    assert due() == []
    assert delete_artifact(surface, id=key)["errors"] == []
    assert ("team", APP) in due()
    ((changed_at,),) = surface.rows('SELECT "changed_at" FROM "change_feed"')
    assert database.dialect.datetime(changed_at) >= before


def test_an_index_goes_with_its_images_and_they_alone_do_not(surface: Surface, there: FollowedHarbor) -> None:
    images = {Platform("amd64"): made_image("amd64"), Platform("arm64"): made_image("arm64")}
    index = made_index(images)
    there.harbor.push(APP, "3.0", index)
    child = next(iter(images.values()))
    kept = there.held()
    (error,) = delete_artifact(surface, id=artifact_id(surface, APP, child.digest))["errors"]
    assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "IN_USE")
    assert "VIOLATE_FOREIGN_KEY_CONSTRAINT" in error["registryMessage"]
    assert there.held() == kept
    payload = delete_artifact(surface, id=artifact_id(surface, APP, index.digest))
    assert (payload["errors"], payload["deletedTags"]) == ([], ["3.0"])
    assert there.held() == WHOLE


def test_a_tag_that_a_rule_keeps_keeps_it(surface: Surface, there: FollowedHarbor, key: str) -> None:
    follow_no_log(surface)
    there.harbor.keep_tags("team", "1.*")
    kept = there.kept()
    for dry_run in (True, False):
        payload = delete_artifact(surface, id=key, dryRun=dry_run)
        (error,) = payload["errors"]
        assert error["code"] == "DELETION_REFUSED"
        assert (error["refusalReason"], error["path"]) == ("IMMUTABLE", ["input", "id"])
        assert "immutable" in error["message"]
        assert (payload["artifact"], payload["deletedTags"]) == (None, [])
    # The words are the registry's, where it was asked.
    assert error["registryMessage"] == "PRECONDITION: the tag 1.0 configured as immutable, cannot be deleted"
    assert (there.held(), there.kept(), len(there.deletions())) == (WHOLE, kept, 1)
    audited = surface.audit()[-1]
    assert (audited["outcome"], audited["error_codes"]) == ("REFUSED", ["DELETION_REFUSED"])


@pytest.mark.parametrize("reason", ["READ_ONLY", "UNAUTHORIZED", "CONNECTION_REFUSED"])
def test_a_registry_that_does_not_do_it_says_so(surface: Surface, there: FollowedHarbor, key: str, reason: str) -> None:
    follow_no_log(surface)
    if reason == "READ_ONLY":
        there.harbor.set_read_only(True)
    elif reason == "UNAUTHORIZED":
        with there.harbor.paused() as state:
            state.users["admin"].is_administrator = False
            for project in state.projects.values():
                project.members.clear()
    else:
        there.harbor.stop()
    kept = there.kept()
    payload = delete_artifact(surface, id=key)
    (error,) = payload["errors"]
    assert (error["code"], error["reason"], error["path"]) == ("REGISTRY_REFUSED", reason, ["input", "id"])
    assert "not known" not in error["message"]
    assert (payload["artifact"], payload["deletedTags"]) == (None, [])
    assert (there.held(), there.kept()) == (WHOLE, kept)


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(surface: Surface, there: FollowedHarbor, key: str, lie: Lie) -> None:
    events = len(surface.events())
    there.harbor.lie(lie, API, "DELETE")
    payload = delete_artifact(surface, id=key)
    assert (payload["errors"], payload["deletedTags"]) == ([], ["1.0", "latest"])
    assert there.held() == KEPT
    there.wait_until_read()
    # Who told of it depends on who was quicker.
    assert [each[:3] for each in told(surface, events)] == [("IMAGE_DELETED", APP, IMAGE.digest)]


def test_what_was_not_done_is_said_not_to_be(surface: Surface, there: FollowedHarbor, key: str) -> None:
    kept = there.kept()
    there.harbor.lie(Lie.EMPTY_BAD_GATEWAY, API, "DELETE")
    (error,) = delete_artifact(surface, id=key)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" not in error["message"]
    assert (there.held(), there.kept()) == (WHOLE, kept)


def test_what_can_not_be_found_out_is_not_guessed(surface: Surface, there: FollowedHarbor, key: str) -> None:
    def falls_silent(request: HarborRequest) -> None:
        if request.method == "DELETE":
            there.harbor.lie(Lie.ANSWER_LOST, API)

    events = len(surface.events())
    there.harbor.before_each_call(falls_silent)
    (error,) = delete_artifact(surface, id=key)["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "COMPONENT_UNHEALTHY")
    assert "not known" in error["message"]
    there.harbor.before_each_call(None)
    there.harbor.tell_the_truth()
    # The log knows.
    there.wait_until_read()
    assert told(surface, events) == [("IMAGE_DELETED", APP, IMAGE.digest, None)]


def test_of_three_at_once_one_deletes_it(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(delete_artifact, surface, id=key) for _ in range(3)]
        payloads = [future.result() for future in futures]
    codes = [[error["code"] for error in payload["errors"]] for payload in payloads]
    assert sorted(codes) == [[], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert len(there.deletions()) == 1
    assert told(surface, events) == [("IMAGE_DELETED", APP, IMAGE.digest, "admin")]


def test_whoever_stops_waiting_ends_nothing_half_way(surface: Surface, there: FollowedHarbor) -> None:
    services, (_, key) = surface.server.services, parse_global_id(repository_id(surface, APP))
    asked, gone = threading.Event(), threading.Event()
    events = len(surface.events())

    def hold(request: HarborRequest) -> None:
        if request.method == "DELETE":
            asked.set()
            gone.wait(SECONDS_TO_ANSWER)

    async def give_up() -> None:
        viewer = Viewer(Role.PLATFORM_ADMIN, None, 1, "somebody", services.clock() + timedelta(hours=1))
        deleting = asyncio.create_task(services.content_deleter.delete_artifact(key, IMAGE.digest, False, viewer))
        await asyncio.to_thread(asked.wait, SECONDS_TO_WAIT)
        deleting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await deleting

    there.harbor.before_each_call(hold)
    surface.server.run(give_up())
    assert told(surface, events) == []
    gone.set()
    expected = [("IMAGE_DELETED", APP, IMAGE.digest, "somebody")]
    surface.wait_until(lambda: told(surface, events) == expected, "it is written down")
    assert there.held() == KEPT


def test_an_integration_that_was_removed_meanwhile_is_not_found(
    surface: Surface, there: FollowedHarbor, key: str
) -> None:
    async def remove(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "integration"')

    def removed(request: HarborRequest) -> None:
        if request.method == "DELETE":
            surface.server.run(surface.server.services.database.transact(remove))

    there.harbor.before_each_call(removed)
    (error,) = delete_artifact(surface, id=key)["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])


def test_an_id_that_is_none_finds_nothing(surface: Surface, there: FollowedHarbor) -> None:
    events = len(surface.events())
    unknown = global_id("Artifact", ArtifactKey(10**9, IMAGE.digest))
    for key in ["nonsense", repository_id(surface, APP), unknown, artifact_id(surface, APP, NO_DIGEST)]:
        for dry_run in (True, False):
            (error,) = delete_artifact(surface, id=key, dryRun=dry_run)["errors"]
            assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])
            assert error["message"] == "There is no artifact with this id."
    assert (there.deletions(), there.held(), told(surface, events)) == ([], WHOLE, [])
