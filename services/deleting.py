"""Deleting artifacts, tags and repositories: at their registry first, then here.

Nothing of them is stored here but the repositories' names, so there is no transaction to try: a dry run asks the
registry what there is, as every run does before it deletes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from models.database import Database, Transaction
from models.queries.events import log_span
from models.records import RepositoryRecord
from registry_clients import refusals
from registry_clients.errors import CredentialRejected, RegistryError, TimedOut
from registry_clients.image_reference import is_tag
from registry_clients.protocol import RegistryClient
from registry_clients.records import FoundArtifact, FoundTag
from registry_clients.refusals import NoDeletion
from services.background import Undertakings
from services.clock import Clock
from services.deletion_asking import ContentClient, delete_artifact, delete_repository, delete_tag
from services.deletion_rights import deletable_repository, require_deletes_repositories
from services.deletion_writing import (
    Begun,
    write_artifact_deleted,
    write_doubted,
    write_repository_deleted,
    write_tag_deleted,
)
from services.lost_answers import NOTHING_DONE, OutcomeUnknown
from services.registry_connections import RegistryConnections, RegistryTarget
from services.registry_turns import Turns, ask_in_time, new_deadline
from services.space_writing import Doing
from services.tags_that_go import RepositoryContents, TagsThatGo, contents_of, tags_of, tags_read_before
from services.user_errors import DeletionRefused, NotFound, Path, RegistryRefused
from services.viewer import Viewer

T = TypeVar("T")

PATIENCE_SECONDS = 10.0
"""How long the server, when it stops, waits for deletions that are under way."""

ID_PATH = ("input", "id")
REPOSITORY_PATH = ("input", "repositoryId")
NAME_PATH = ("input", "name")

IMMUTABLE = "A rule at the registry keeps {tags}: immutable."


@dataclass(frozen=True, slots=True)
class DeletedArtifact:
    """An artifact as it was when its registry was asked, and the tags that go with it."""

    repository: RepositoryRecord
    found: FoundArtifact
    as_of: datetime
    tags: TagsThatGo


@dataclass(frozen=True, slots=True)
class DeletedTag:
    """A tag as it was, and what it named."""

    repository: RepositoryRecord
    artifact: FoundArtifact
    found: FoundTag
    tags: TagsThatGo


@dataclass(frozen=True, slots=True)
class DeletedRepository:
    """A repository as it was, and what goes with it."""

    repository: RepositoryRecord
    contents: RepositoryContents


class ContentDeleter:
    """Deletes what is in registries. What was begun comes to its end, whether or not somebody waits for it."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        doubt: Callable[[int, str], None],
    ) -> None:
        """`doubt` is told of each repository that has something deleted: of which integration, and its name."""
        self._database = database
        self._connections = connections
        self._clock = clock
        self._doubt = doubt
        self._turns = Turns("repository")
        self._undertakings = Undertakings()

    async def end(self) -> None:
        """Return when all that is under way has ended; what takes too long is cancelled."""
        await self._undertakings.end(PATIENCE_SECONDS)

    async def delete_artifact(self, repository_id: int, digest: str, dry_run: bool, viewer: Viewer) -> DeletedArtifact:
        """Delete an artifact at its registry, with all its tags.

        Raises NotFound, Forbidden, DeletionRefused, RegistryRefused.
        """
        return await self._undertakings.carry_out(
            "delete artifact", self._delete_artifact(repository_id, digest, dry_run, viewer)
        )

    async def delete_tag(self, repository_id: int, name: str, dry_run: bool, viewer: Viewer) -> DeletedTag:
        """Delete a tag at its registry; its artifact stays. Raises as `delete_artifact` does."""
        return await self._undertakings.carry_out("delete tag", self._delete_tag(repository_id, name, dry_run, viewer))

    async def delete_repository(self, repository_id: int, dry_run: bool, viewer: Viewer) -> DeletedRepository:
        """Delete a repository at its registry with all that it holds. Raises as `delete_artifact` does."""
        return await self._undertakings.carry_out(
            "delete repository", self._delete_repository(repository_id, dry_run, viewer)
        )

    async def _delete_artifact(self, repository_id: int, digest: str, dry_run: bool, viewer: Viewer) -> DeletedArtifact:
        async with self._turn(repository_id, viewer, "artifact", ID_PATH) as turn:
            repository, as_of = turn.repository, self._clock()
            named_before = await tags_read_before(self._database, repository.id)

            async def look(client: ContentClient) -> tuple[FoundArtifact, TagsThatGo]:
                found = await client.look_at_artifact(repository.name, digest)
                if found is None:
                    raise NotFound("artifact", ID_PATH)
                return found, await tags_of(client, repository.name, found, named_before)

            async def write(transaction: Transaction, begun: Begun, doing: Doing) -> bool:
                return await write_artifact_deleted(transaction, repository, digest, begun, doing)

            found, tags = await self._look(turn, look)
            deletion = _Deletion(lambda client: delete_artifact(client, repository.name, digest), write)
            await self._do(turn, deletion, tags, dry_run)
            return DeletedArtifact(repository, found, as_of, tags)

    async def _delete_tag(self, repository_id: int, name: str, dry_run: bool, viewer: Viewer) -> DeletedTag:
        async with self._turn(repository_id, viewer, "repository", REPOSITORY_PATH, NAME_PATH) as turn:
            repository = turn.repository

            async def look(client: ContentClient) -> FoundArtifact:
                found = await client.look_at_artifact(repository.name, name) if is_tag(name) else None
                if found is None:
                    raise NotFound("tag", NAME_PATH, known_by="name")
                return found

            async def write(transaction: Transaction, begun: Begun, doing: Doing) -> bool:
                return await write_tag_deleted(transaction, repository, name, begun, doing)

            artifact = await self._look(turn, look)
            unknown = FoundTag(name, pushed_at=None, pulled_at=None, is_immutable=None)
            found = next((tag for tag in artifact.tags if tag.name == name), unknown)
            tags = TagsThatGo((name,), is_complete=True, immutable_names=(name,) if found.is_immutable else ())
            await self._do(
                turn, _Deletion(lambda client: delete_tag(client, repository.name, name), write), tags, dry_run
            )
            return DeletedTag(repository, artifact, found, tags)

    async def _delete_repository(self, repository_id: int, dry_run: bool, viewer: Viewer) -> DeletedRepository:
        async with self._turn(repository_id, viewer, "repository", ID_PATH) as turn:
            repository = turn.repository
            await require_deletes_repositories(self._database, repository, ID_PATH)

            async def look(client: ContentClient) -> RepositoryContents:
                contents = await contents_of(client, repository.name)
                if contents is None:
                    raise NotFound("repository", ID_PATH)
                return contents

            async def write(transaction: Transaction, begun: Begun, doing: Doing) -> bool:
                return await write_repository_deleted(transaction, repository, begun, doing)

            contents = await self._look(turn, look)
            deletion = _Deletion(lambda client: delete_repository(client, repository.name), write, is_mirrored=True)
            await self._do(turn, deletion, contents.tags, dry_run)
            return DeletedRepository(repository, contents)

    @asynccontextmanager
    async def _turn(
        self, repository_id: int, viewer: Viewer, what: str, path: Path, refused_path: Path | None = None
    ) -> AsyncIterator[_Turn]:
        """Have a repository, of which the viewer may delete what it holds, for oneself.

        What comes of asking the registry within the block is told with the path, or the other path where it refuses.
        """
        repository = await deletable_repository(self._database, repository_id, viewer, what, path)
        deadline = new_deadline()
        refused_path = refused_path or path
        with _told(path, refused_path):
            async with self._turns.of([(repository.integration_id, repository.name)], deadline):
                # Somebody may have deleted it while we waited.
                repository = await deletable_repository(self._database, repository_id, viewer, what, path)
                targets = await self._connections.targets([repository.integration_id])
                if repository.integration_id not in targets:
                    raise NotFound(what, path)
                target = targets[repository.integration_id]
                yield _Turn(repository, target, viewer.name, deadline, what, path, refused_path)

    async def _look(self, turn: _Turn, look: Callable[[ContentClient], Awaitable[T]]) -> T:
        """Return what the registry has now, before anything is done."""
        try:
            return await ask_in_time(self._connections, turn.target, _usable, look, turn.deadline)
        except TimeoutError as error:
            raise TimedOut(f"{turn.target.endpoint.host} did not answer in time.") from error

    async def _do(self, turn: _Turn, deletion: _Deletion, tags: TagsThatGo, dry_run: bool) -> None:
        """Delete, and write it down; or, in a dry run, say only whether the registry is known to refuse."""
        if dry_run:
            if tags.immutable_names:
                kept = ", ".join(f"“{name}”" for name in tags.immutable_names[:10])
                raise DeletionRefused(NoDeletion.IMMUTABLE, IMMUTABLE.format(tags=kept), turn.refused_path)
            return
        begun = Begun(self._clock(), (await log_span(self._database)).last)
        async with self._followed(turn.repository, is_mirrored=deletion.is_mirrored):
            await self._ask(turn, deletion.ask)
            doing = Doing(turn.by, self._clock())
            if not await self._database.transact(lambda transaction: deletion.write(transaction, begun, doing)):
                raise NotFound(turn.what, turn.path)

    async def _ask(self, turn: _Turn, ask: Callable[[ContentClient], Awaitable[None]]) -> None:
        try:
            await ask_in_time(self._connections, turn.target, _usable, ask, turn.deadline)
        except TimeoutError as error:
            raise OutcomeUnknown(TimedOut(f"{turn.target.endpoint.host} did not answer in time.")) from error

    @asynccontextmanager
    async def _followed(self, repository: RepositoryRecord, *, is_mirrored: bool) -> AsyncIterator[None]:
        """Have a repository looked at and measured soon when the block, which deletes, doesn't end well.

        Whoever asks for what it holds is told anew, however it ends.
        """
        try:
            yield
        except BaseException as error:
            if not _is_answered(error):
                now = self._clock()
                await self._database.transact(
                    lambda transaction: write_doubted(transaction, repository, now, is_mirrored=is_mirrored)
                )
            raise
        finally:
            self._doubt(repository.integration_id, repository.name)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A repository that is ours to delete from until the deadline, for whom, and where people are told of it."""

    repository: RepositoryRecord
    target: RegistryTarget
    by: str
    deadline: float
    what: str
    path: Path
    refused_path: Path


@dataclass(frozen=True, slots=True)
class _Deletion:
    """How something is deleted, and written down. `is_mirrored`: it is in the mirror."""

    ask: Callable[[ContentClient], Awaitable[None]]
    write: Callable[[Transaction, Begun, Doing], Awaitable[bool]]
    is_mirrored: bool = False


def _usable(client: RegistryClient) -> ContentClient:
    if not isinstance(client, ContentClient):
        raise TypeError(f"A {type(client).__name__} deletes nothing.")
    return client


def _is_answered(error: BaseException) -> bool:
    """Return whether an error is the registry's own word that it has done nothing, or shows that it wasn't reached."""
    return isinstance(error, (refusals.DeletionRefused, CredentialRejected, *NOTHING_DONE))


@contextmanager
def _told(path: Path, refused_path: Path) -> Iterator[None]:
    """Tell what came of asking a registry as a UserError with the path, or the other path where it refused."""
    try:
        yield
    except refusals.DeletionRefused as error:
        raise DeletionRefused(error.reason, error.message, refused_path, error.registry_message) from error
    except OutcomeUnknown as error:
        raise RegistryRefused(error.error, path) from error
    except RegistryError as error:
        raise RegistryRefused(error, path) from error
