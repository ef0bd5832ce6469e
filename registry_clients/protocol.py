"""What every registry client does, and what some do.

Abilities beyond the basic three calls are protocols of their own: ask `isinstance(client, ListsSpaces)`.
All calls raise `registry_clients.errors.RegistryError`, and where it is said the refusals of
`registry_clients.refusals`; nothing else, CancelledError apart.
"""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from registry_clients.kind import RegistryKind
from registry_clients.records import (
    ArtifactPage,
    ChangePage,
    FoundArtifact,
    FoundManifest,
    FoundRepository,
    FoundSpace,
    ProbeAnswer,
    ReaderCredential,
    ReaderState,
    RegistryContents,
    SpaceSummary,
    StorageStatistics,
    Verification,
)


class RegistryClient(Protocol):
    """One registry, with one credential. May be used by many tasks at once."""

    @property
    def kind(self) -> RegistryKind:
        """What kind of registry this client speaks to."""
        ...

    async def verify(self) -> Verification:
        """Find out whether this is such a registry, and whether the credential is enough for what we do.

        Asks afresh, whatever was learned before. Raises OtherKind, CredentialRejected, NotAnAdministrator or
        what else keeps the registry from being used.
        """
        ...

    async def probe(self) -> ProbeAnswer:
        """Find out whether the registry works now; never retries.

        Raises the reason when it doesn't; one whose parts don't all work answers, with its components.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; calls under way fail. May be called twice."""
        ...


@runtime_checkable
class ListsSpaces(Protocol):
    """A client that can tell which spaces there are."""

    async def list_spaces(self) -> tuple[FoundSpace, ...]:
        """Return every space, sorted by name: all of them, or an error, never a part."""
        ...


@runtime_checkable
class ListsRepositories(Protocol):
    """A client that can tell which repositories there are."""

    async def list_repositories(self, space: FoundSpace | None = None) -> tuple[FoundRepository, ...]:
        """Return every repository, or those of one space, sorted by name: all of them, or an error."""
        ...


@runtime_checkable
class ListsContents(Protocol):
    """A client that can tell everything in one go, for no more calls than it takes."""

    async def list_contents(self) -> RegistryContents:
        """Return all spaces and all repositories, or raise an error; never a part."""
        ...


@runtime_checkable
class LooksAtSpaces(Protocol):
    """A client that can look at one space without listing all."""

    async def look_at_space(self, name: str) -> FoundSpace | None:
        """Return the space that has a name now, None when none has."""
        ...

    async def look_at_repositories(self, space: FoundSpace) -> tuple[FoundRepository, ...]:
        """Return the repositories of a space, sorted by name; none when the space is gone."""
        ...


@runtime_checkable
class FindsRepositories(Protocol):
    """A client that can tell whether repositories are there without listing all."""

    async def find_repositories(self, names: Collection[str]) -> RegistryContents:
        """Return those that are there of the repositories with these names, and their spaces with these alone.

        One that can't be asked for is left out; raises when none can.
        """
        ...


@runtime_checkable
class ListsArtifacts(Protocol):
    """A client that can tell what is in a repository."""

    async def list_artifacts(self, repository_name: str, *, page: int = 1, page_size: int = 100) -> ArtifactPage | None:
        """Return a page of a repository's artifacts; None when there is no such repository.

        Pages count from 1 and hold 100 at most; ValueError is raised for any other. Where the registry knows when
        artifacts were pushed, the newest come first. Where it can list tags alone, a page is one of tags, by name:
        an artifact whose tags are on several pages is on each of them, with those; artifacts without a tag are on
        none; and a repository that never had a tag is not told from none.
        """
        ...

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Return the artifact that a tag or a digest names, None when there is none.

        Where the registry can't tell which tags name a digest, there are none with it: asked for by a tag, it has
        that one.
        """
        ...


@runtime_checkable
class ReadsManifests(Protocol):
    """A client that can read what stands behind tags, for a registry that doesn't tell what it stores."""

    async def list_tags(self, repository_name: str) -> tuple[str, ...] | None:
        """Return the names of all tags of a repository, sorted; None when there is no such repository."""
        ...

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        """Return the digest that a tag names, None when there is no such tag.

        With the digest that it named before, the registry doesn't count this as a pull while it is still so.
        """
        ...

    async def read_manifest(self, repository_name: str, digest: str) -> FoundManifest | None:
        """Return what stands under a digest, None when nothing does.

        Raises UnreadableManifest for what was pushed and is no manifest: whoever may push can push that, so leave it
        out and go on.
        """
        ...


@runtime_checkable
class DeletesArtifacts(Protocol):
    """A client that can delete what is in repositories. Needs the administrator's credential.

    All calls raise ReadOnly when the registry takes no writes, DeletionRefused with its reason, and do nothing where
    it is gone already, or by its name can never have been there. After other errors it may have been done all the
    same, unless the registry was not even reached.
    """

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        """Delete an artifact, and all its tags with it.

        A registry may or may not refuse to delete an image that an index there needs.
        """
        ...


@runtime_checkable
class DeletesTags(Protocol):
    """A client that can delete a tag and leave its artifact. See `DeletesArtifacts`."""

    async def delete_tag(self, repository_name: str, tag: str) -> None:
        """Delete a tag alone."""
        ...


@runtime_checkable
class DeletesRepositories(Protocol):
    """A client that can delete a repository with everything in it. See `DeletesArtifacts`."""

    async def delete_repository(self, repository_name: str) -> None:
        """Delete a repository, its artifacts and its tags."""
        ...


@runtime_checkable
class ReadsStorage(Protocol):
    """A client that can tell how much a registry stores."""

    async def read_storage_statistics(self) -> StorageStatistics:
        """Return what is stored in all. Needs the administrator's credential."""
        ...

    async def summarize_space(self, space: FoundSpace) -> SpaceSummary | None:
        """Return what a space holds, None when it is gone."""
        ...


@runtime_checkable
class ChangesSpaces(Protocol):
    """A client that can make and delete spaces. Needs the administrator's credential.

    All calls raise ReadOnly when the registry takes no writes, and SpaceRefused. After other errors it may have been
    done all the same, unless the registry was not even reached.
    """

    async def create_space(self, name: str, *, is_public: bool, quota_limit_bytes: int | None = None) -> FoundSpace:
        """Make a space and return it. Raises SpaceNameHeld, SpaceNotAccepted."""
        ...

    async def set_visibility(self, space: FoundSpace, *, is_public: bool) -> None:
        """Open a space to everybody, or close it. Raises SpaceGone."""
        ...

    async def delete_space(self, space: FoundSpace) -> None:
        """Delete an empty space. Raises SpaceNotEmpty, SpaceGone."""
        ...


@runtime_checkable
class HasChangeFeed(Protocol):
    """A client whose registry keeps a log of changes, with ids that grow. All calls raise FeedLost."""

    async def newest_change(self) -> int | None:
        """Return the id of the log's newest entry, None when the log is empty."""
        ...

    async def changes_after(self, change_id: int) -> ChangePage:
        """Return the changes after an id, and those of lower ids that showed up late.

        No change is handed out twice by one client. Raises FeedLost when changes may have been missed: then
        everything must be looked at, and the feed begun anew from `newest_change`.
        """
        ...

    async def check_feed(self) -> None:
        """Find out, as the administrator, whether the log is kept at all. Raises FeedLost when it isn't."""
        ...


@runtime_checkable
class MakesReaderCredential(Protocol):
    """A client that can make a credential for reading alone. Needs the administrator's credential."""

    async def make_reader(self, marker: str) -> ReaderCredential:
        """Make a credential for reading, marked as ours. ``marker``: lower case letters, digits and dashes.

        Raises NoReaderCredential when it can't be had. What is left of one when the call fails or is cancelled
        is removed, at the latest by `remove_stray_readers`.
        """
        ...

    async def look_at_reader(self, external_id: str) -> ReaderState:
        """Return how a credential of ours stands."""
        ...

    async def refresh_reader(self, external_id: str) -> str | None:
        """Return the present user name of a credential of ours, None when it is of no use any more.

        `look_at_reader` says why.
        """
        ...

    async def remove_reader(self, external_id: str) -> None:
        """Delete a credential of ours; one that is gone is fine, and one that isn't ours stays."""
        ...

    async def remove_stray_readers(self, marker: str, but: str | None) -> int:
        """Delete all credentials with our marker but one, by its external id. Return how many there were."""
        ...
