"""Deleting what is in a Harbor's repositories, as tests do it through the surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.global_ids import ArtifactKey, global_id, parse_global_id
from tests.api.harbors import integrate_harbor
from tests.api.surface import Surface
from tests.doubles.harbor.server import HarborDouble

API = "/api/v2.0/projects/"
ONE = "/projects/{project}/repositories/{repository}"
NO_DIGEST = f"sha256:{'0' * 64}"

REFUSAL = "errors { message ... on DeletionRefused { refusalReason registryMessage } }"
TAGS = f"deletedTags hasMoreTags {REFUSAL}"
LISTED = """
query ($id: ID!) { node(id: $id) { ... on Repository { artifacts { nodes { digest tags { nodes { name } } } } } } }
"""


def delete_artifact(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Delete an artifact and return the payload."""
    artifact = "artifact { id digest tags { nodes { name } } repository { name } }"
    return surface.mutate("deleteArtifact", given, f"{artifact} {TAGS}", token)


def delete_tag(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Delete a tag and return the payload."""
    return surface.mutate("deleteTag", given, f"tag {{ name image digest isImmutable }} {TAGS}", token)


def delete_repository(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Delete a repository and return the payload."""
    return surface.mutate("deleteRepository", given, f"repository {{ id name }} artifactCount {TAGS}", token)


def repository_id(surface: Surface, name: str) -> str:
    """Return the id of a mirrored repository."""
    ((key,),) = surface.rows(f"""SELECT "id" FROM "repository" WHERE "name" = '{name}'""")
    return global_id("Repository", key)


def artifact_id(surface: Surface, name: str, digest: str) -> str:
    """Return the id of an artifact of a mirrored repository."""
    return global_id("Artifact", ArtifactKey(parse_global_id(repository_id(surface, name))[1], digest))


def mirrored(surface: Surface) -> list[str]:
    """Return the names of all repositories in the mirror."""
    return [name for (name,) in surface.rows('SELECT "name" FROM "repository" ORDER BY "name"')]


def listed(surface: Surface, key: str) -> dict[str, list[str]]:
    """Return what is shown of a repository: the tags of each artifact, by digest."""
    nodes = surface.server.graphql(LISTED, {"id": key})["node"]["artifacts"]["nodes"]
    return {node["digest"]: [tag["name"] for tag in node["tags"]["nodes"]] for node in nodes}


def told(surface: Surface, before: int) -> list[tuple[str, str, str | None, str | None]]:
    """Return what was told of images since there were so many events: type, repository, reference, and by whom."""
    return [
        (type_, data["repository_name"], data["reference"], data.get("by"))
        for type_, data in surface.events()[before:]
        if "repository_name" in data
    ]


@dataclass(frozen=True, slots=True)
class FollowedHarbor:
    """A Harbor that is integrated, and whose log is followed."""

    surface: Surface
    harbor: HarborDouble
    integration_id: str

    def held(self, project: str = "team") -> dict[str, dict[str, list[str]]]:
        """Return what is there: tags by digest, by repository."""
        with self.harbor.paused() as state:
            found = state.project_named(project)
            assert found is not None
            return {
                f"{project}/{name}": {
                    one.image.digest: sorted(tag.name for tag in one.tags) for one in repository.artifacts
                }
                for name, repository in found.repositories.items()
            }

    def deletions(self) -> list[str]:
        """Return the paths that deletions were sent to, in order."""
        return [
            call.path for call in self.harbor.calls.all if call.method == "DELETE" and "/repositories/" in call.path
        ]

    def kept(self) -> dict[str, Any]:
        """Return what deletions would change: the mirror's repositories, and what was told."""
        stored = self.surface.stored()
        return {table: stored[table] for table in ("repository", "event")}

    def wait_until_read(self) -> None:
        """Return when all that the log has now was taken in."""
        with self.harbor.paused() as state:
            newest = state.audit_log.next_id - 1
        self.surface.wait_until(lambda: self._position() >= newest, "the log is read")

    def _position(self) -> int:
        ((position,),) = self.surface.rows('SELECT "position" FROM "change_feed"')
        return int(position or 0)


def followed(surface: Surface, harbor: HarborDouble) -> FollowedHarbor:
    """Integrate a Harbor and return it when its log is followed."""
    there = FollowedHarbor(surface, harbor, integrate_harbor(surface, harbor))
    surface.wait_until(
        lambda: surface.rows('SELECT 1 FROM "change_feed" WHERE "position" IS NOT NULL') != [], "the log is followed"
    )
    harbor.calls.reset()
    return there
