"""Having things deleted by registries that take their time, or can't."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from registry_clients.errors import ComponentUnhealthy, TimedOut
from registry_clients.records import ArtifactPage, FoundArtifact
from registry_clients.refusals import DeletionRefused, NoDeletion
from services import deletion_asking, lost_answers
from services.deletion_asking import delete_artifact, delete_repository, delete_tag
from services.lost_answers import OutcomeUnknown

APP, DIGEST = "team/app", f"sha256:{'1' * 64}"
PAGE = ArtifactPage((), 0, is_last=True)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_answers, "LOOK_PAUSES_SECONDS", (0.0,) * 4)
    monkeypatch.setattr(deletion_asking, "LATER_PAUSES_SECONDS", (0.0,) * 3)


@dataclass
class SlowRegistry:
    """One that answers no deletion in time, and has done it after so many looks; None: never."""

    done_after: int | None
    looks: int = 0
    is_silent: bool = False

    async def list_artifacts(self, repository_name: str, *, page: int = 1, page_size: int = 100) -> ArtifactPage | None:
        self.looks += 1
        if self.is_silent:
            raise ComponentUnhealthy("It answers 502.", http_status=502)
        return None if self.done_after is not None and self.looks > self.done_after else PAGE

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        raise AssertionError("repositories alone are asked for")

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        raise AssertionError("repositories alone are deleted")

    async def delete_repository(self, repository_name: str) -> None:
        raise TimedOut("It did not answer.")


@pytest.mark.parametrize("done_after", [0, 1, 3, 4, 6])
def test_what_takes_long_is_waited_for(done_after: int) -> None:
    registry = SlowRegistry(done_after)
    asyncio.run(delete_repository(registry, APP))
    assert registry.looks == done_after + 1


@pytest.mark.parametrize("is_silent", [False, True])
def test_what_may_still_be_under_way_is_not_said_to_be_undone(is_silent: bool) -> None:
    registry = SlowRegistry(None, is_silent=is_silent)
    with pytest.raises(OutcomeUnknown) as caught:
        asyncio.run(delete_repository(registry, APP))
    assert caught.value.error.message.startswith("It did not answer. Whether it was done is not known.")


def test_what_a_client_can_not_do_is_refused() -> None:
    for deletion in (delete_tag(SlowRegistry(None), APP, "1"), delete_repository(_Bare(), APP)):
        with pytest.raises(DeletionRefused) as caught:
            asyncio.run(deletion)
        assert caught.value.reason is NoDeletion.NOT_OFFERED


class _Bare:
    """One that deletes artifacts alone."""

    async def list_artifacts(self, repository_name: str, *, page: int = 1, page_size: int = 100) -> ArtifactPage | None:
        return PAGE

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        return None

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        raise ComponentUnhealthy("It answers 502.", http_status=502)


def test_an_artifact_that_is_gone_after_an_error_is_deleted() -> None:
    asyncio.run(delete_artifact(_Bare(), APP, DIGEST))
