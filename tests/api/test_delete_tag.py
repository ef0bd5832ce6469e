"""deleteTag: at the registry; what it named stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundArtifact
from resolvers.global_ids import global_id
from tests.api.deletions import (
    API,
    ONE,
    FollowedHarbor,
    artifact_id,
    delete_tag,
    followed,
    listed,
    repository_id,
    told,
)
from tests.api.spaces import follow_no_log, impatient_registries
from tests.api.surface import Surface
from tests.doubles.harbor.images import made_image
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble, running_harbor

APP = "team/app/web"
IMAGE = made_image("one")
WHOLE = {APP: {IMAGE.digest: ["1.0", "latest"]}}
LEFT = {APP: {IMAGE.digest: ["1.0"]}}


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with impatient_registries():
        yield


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with an image under two tags."""
    with running_harbor() as running:
        running.create_project("team")
        for tag in ("1.0", "latest"):
            running.push(APP, tag, IMAGE)
        yield running


@pytest.fixture
def there(surface: Surface, harbor: HarborDouble) -> FollowedHarbor:
    return followed(surface, harbor)


@pytest.fixture
def key(surface: Surface, there: FollowedHarbor) -> str:
    return repository_id(surface, APP)


def test_it_goes_alone_and_is_told_once(surface: Surface, there: FollowedHarbor, key: str) -> None:
    assert set(listed(surface, key)[IMAGE.digest]) == {"1.0", "latest"}
    kept, events = there.kept(), len(surface.events())
    shown = {
        "name": "latest",
        "image": f"127.0.0.1:{there.harbor.port}/{APP}:latest",
        "digest": IMAGE.digest,
        "isImmutable": False,
    }

    dry = delete_tag(surface, repositoryId=key, name="latest", dryRun=True)

    assert dry == {"errors": [], "tag": shown, "deletedTags": ["latest"], "hasMoreTags": False}
    assert (there.kept(), there.deletions(), there.held()) == (kept, [], WHOLE)

    assert delete_tag(surface, repositoryId=key, name="latest") == dry

    assert listed(surface, key) == there.held()[APP] == LEFT[APP]
    assert there.harbor.calls.count("DELETE", f"{ONE}/artifacts/{{reference}}/tags/{{tag}}", "user admin") == 1
    expected = [("TAG_CHANGED", APP, "latest", "admin")]
    there.wait_until_read()
    assert told(surface, events) == expected
    # The last one goes as well.
    assert delete_tag(surface, repositoryId=key, name="1.0")["errors"] == []
    assert there.held() == {APP: {IMAGE.digest: []}}
    for dry_run in (True, False):
        (error,) = delete_tag(surface, repositoryId=key, name="latest", dryRun=dry_run)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "name"])
        assert error["message"] == "There is no tag with this name."


def test_one_that_is_set_again_is_told(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())
    assert delete_tag(surface, repositoryId=key, name="latest")["errors"] == []
    there.wait_until_read()
    there.harbor.write_late_entry(there.harbor.take_audit_id(), "create", "tag", f"{APP}:latest")
    there.wait_until_read()
    assert told(surface, events) == [("TAG_CHANGED", APP, "latest", "admin"), ("TAG_CHANGED", APP, "latest", None)]


def test_one_that_a_rule_keeps_stays(surface: Surface, there: FollowedHarbor, key: str) -> None:
    follow_no_log(surface)
    there.harbor.keep_tags("team", "1.*")
    kept = there.kept()
    for dry_run in (True, False):
        payload = delete_tag(surface, repositoryId=key, name="1.0", dryRun=dry_run)
        (error,) = payload["errors"]
        assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "IMMUTABLE")
        assert (error["path"], payload["tag"]) == (["input", "name"], None)
    assert error["registryMessage"] == "PRECONDITION: the tag 1.0 configured as immutable, cannot be deleted"
    assert (there.held(), there.kept()) == (WHOLE, kept)
    # The other one of the same image isn't kept.
    assert delete_tag(surface, repositoryId=key, name="latest")["errors"] == []
    assert there.held() == LEFT


@pytest.mark.parametrize("lie", [Lie.ANSWER_LOST, Lie.CONNECTION_CUT, Lie.NO_ANSWER])
def test_an_answer_that_was_lost_is_found_again(surface: Surface, there: FollowedHarbor, key: str, lie: Lie) -> None:
    events = len(surface.events())
    there.harbor.lie(lie, API, "DELETE")
    assert delete_tag(surface, repositoryId=key, name="latest")["errors"] == []
    assert there.held() == LEFT
    there.wait_until_read()
    assert [each[:3] for each in told(surface, events)] == [("TAG_CHANGED", APP, "latest")]


def test_what_was_not_done_is_said_not_to_be(surface: Surface, there: FollowedHarbor, key: str) -> None:
    kept = there.kept()
    there.harbor.lie(Lie.EMPTY_BAD_GATEWAY, API, "DELETE")
    (error,) = delete_tag(surface, repositoryId=key, name="latest")["errors"]
    assert (error["code"], error["reason"], error["path"]) == (
        "REGISTRY_REFUSED",
        "COMPONENT_UNHEALTHY",
        ["input", "repositoryId"],
    )
    assert "not known" not in error["message"]
    assert (there.held(), there.kept()) == (WHOLE, kept)


def test_a_registry_that_takes_no_writes_says_so(surface: Surface, there: FollowedHarbor, key: str) -> None:
    follow_no_log(surface)
    there.harbor.set_read_only(True)
    kept = there.kept()
    (error,) = delete_tag(surface, repositoryId=key, name="latest")["errors"]
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "READ_ONLY")
    assert (there.held(), there.kept()) == (WHOLE, kept)


def test_of_three_at_once_one_deletes_it(surface: Surface, there: FollowedHarbor, key: str) -> None:
    events = len(surface.events())
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(delete_tag, surface, repositoryId=key, name="latest") for _ in range(3)]
        payloads = [future.result() for future in futures]
    codes = [[error["code"] for error in payload["errors"]] for payload in payloads]
    assert sorted(codes) == [[], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert told(surface, events) == [("TAG_CHANGED", APP, "latest", "admin")]


def test_two_of_a_repository_take_turns(
    surface: Surface, there: FollowedHarbor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    both_looked = asyncio.Event()
    look, delete = HarborClient.look_at_artifact, HarborClient.delete_tag

    async def noted_look(client: HarborClient, repository_name: str, reference: str) -> FoundArtifact | None:
        asked.append("look")
        if asked.count("look") == 2:
            both_looked.set()
        return await look(client, repository_name, reference)

    async def slow_delete(client: HarborClient, repository_name: str, tag: str) -> None:
        # Time enough for the other to look, were it let.
        with suppress(TimeoutError):
            await asyncio.wait_for(both_looked.wait(), 0.5)
        await delete(client, repository_name, tag)
        asked.append("deleted")

    monkeypatch.setattr(HarborClient, "look_at_artifact", noted_look)
    monkeypatch.setattr(HarborClient, "delete_tag", slow_delete)
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(delete_tag, surface, repositoryId=key, name=name) for name in ("1.0", "latest")]
        assert [future.result()["errors"] for future in futures] == [[], []]
    assert there.held() == {APP: {IMAGE.digest: []}}
    assert asked == ["look", "deleted"] * 2


@pytest.mark.parametrize("name", ["", "nothing", "..", "a/b", "x" * 129, IMAGE.digest, "lat est", "latest\n", "l\x00"])
def test_a_name_that_is_none_finds_nothing(surface: Surface, there: FollowedHarbor, key: str, name: str) -> None:
    (error,) = delete_tag(surface, repositoryId=key, name=name)["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "name"])
    assert (there.deletions(), there.held()) == ([], WHOLE)


def test_an_id_that_is_none_finds_nothing(surface: Surface, there: FollowedHarbor) -> None:
    unknown = global_id("Repository", 10**9)
    for key in ["nonsense", artifact_id(surface, APP, IMAGE.digest), there.integration_id, unknown]:
        (error,) = delete_tag(surface, repositoryId=key, name="latest")["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "repositoryId"])
    assert there.deletions() == []
