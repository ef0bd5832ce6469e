"""A Harbor double, integrated, as a client of the API sees it; and what only the database tells."""

from __future__ import annotations

from typing import Any

from tests.doubles.harbor.records import Robot
from tests.doubles.harbor.server import HarborDouble
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer
from tests.waiting import eventually

LIVE_EVENTS = """
subscription {
  events {
    type
    ... on SpaceAdded { spaceName visibility }
    ... on SpaceVanished { spaceName }
    ... on SpaceVisibilityChanged { spaceName visibility }
    ... on ImagePushed { spaceName repositoryName reference }
    ... on ImageDeleted { spaceName repositoryName reference }
    ... on TagChanged { spaceName repositoryName reference }
  }
}"""
_SPACES = """
query ($id: ID!) {
  integration(id: $id) {
    spaces(first: 100) { nodes { name visibility repositories(first: 100) { nodes { name artifactCount } } } }
  }
}"""
_FIGURES = """
query ($id: ID!) {
  integration(id: $id) {
    spaces(first: 100) { nodes { repositories(first: 100) { nodes { name artifactCount pullCount updatedAt } } } }
  }
}"""
_ROUTINE = "query ($id: ID!) { integration(id: $id) { routineCredential { kind username reason } } }"
_IMAGES = """
query ($filter: EventFilter) {
  events(first: 100, filter: $filter) {
    nodes {
      ... on ImagePushed { repositoryName reference }
      ... on ImageDeleted { repositoryName reference }
      ... on TagChanged { repositoryName reference }
    }
  }
}"""


class WatchedHarbor(Integrated):
    """One integration of a Harbor double."""

    def mirror(self) -> dict[str, tuple[str, list[str]]]:
        """Return visibility and repositories of each space."""
        nodes = self.server.graphql(_SPACES, {"id": self.id})["integration"]["spaces"]["nodes"]
        return {
            node["name"]: (node["visibility"], [found["name"] for found in node["repositories"]["nodes"]])
            for node in nodes
        }

    def figures(self, repository_name: str) -> dict[str, Any]:
        """Return what is known of a repository."""
        spaces = self.server.graphql(_FIGURES, {"id": self.id})["integration"]["spaces"]["nodes"]
        found = {node["name"]: node for space in spaces for node in space["repositories"]["nodes"]}
        return {name: value for name, value in found[repository_name].items() if name != "name"}

    def routine(self) -> dict[str, Any]:
        """Return with what routine reads are made."""
        found: dict[str, Any] = self.server.graphql(_ROUTINE, {"id": self.id})["integration"]["routineCredential"]
        return found

    def image_events(self, type_: str) -> list[tuple[str, str | None]]:
        """Return repository and reference of its events of a type, oldest first."""
        conditions = {"types": [type_], "integrationIds": [self.id]}
        nodes = self.server.graphql(_IMAGES, {"filter": conditions})["events"]["nodes"]
        return [(node["repositoryName"], node["reference"]) for node in nodes[::-1]]

    def row(self, table: str) -> dict[str, Any]:
        """Return what is stored of it in a table."""
        sql = f'SELECT * FROM "{table}" WHERE "integration_id" = {self.key}'
        return dict(self.server.run(self.server.services.database.fetch(sql))[0])

    def external_ids(self) -> dict[str, str]:
        """Return the state of each space, vanished ones too, by its id at the registry."""
        sql = f'SELECT "external_id", "state" FROM "space" WHERE "integration_id" = {self.key}'
        rows = self.server.run(self.server.services.database.fetch(sql))
        return {row["external_id"]: row["state"] for row in rows}

    def position(self) -> int | None:
        """Return how far the log of changes was read."""
        found: int | None = self.row("change_feed")["position"]
        return found

    def is_swept(self) -> bool:
        """Return whether no look at everything is due or under way."""
        sql = f"""SELECT "synchronization_lease_until" AS lease, "next_synchronization_at" AS due, "looked_at"
                  FROM "integration" WHERE "id" = {self.key}"""
        database = self.server.services.database
        row = self.server.run(database.fetch(sql))[0]
        return row["lease"] is None and database.dialect.datetime(row["due"]) > self.server.services.clock()

    def wait_until_followed(self) -> None:
        """Return once the log of changes is followed, and what came before it was looked at."""
        eventually(lambda: self.position() is not None and self.is_swept())

    def write(self, sql: str) -> None:
        """Run a writing statement."""
        self.server.run(self.server.services.database.transact(lambda transaction: transaction.execute(sql)))

    def check_reader_now(self) -> None:
        """Make the check of the reader due, and return once it was made."""
        self.write(
            """UPDATE "reader_credential" SET "next_check_at" = '2000-01-01 00:00:00+00:00', "lease_until" = NULL"""
            f' WHERE "integration_id" = {self.key}'
        )
        now = self.server.services.clock()
        read_time = self.server.services.database.dialect.datetime
        eventually(
            lambda: (
                (row := self.row("reader_credential"))["lease_until"] is None and read_time(row["next_check_at"]) > now
            )
        )


def integrate_harbor(
    server: RunningServer, harbor: HarborDouble, name: str = "harbor", **given: object
) -> WatchedHarbor:
    """Integrate a double as its administrator, which must succeed."""
    username, password = harbor.administrator
    made = integrate(server, harbor.url, name, kind="HARBOR", username=username, password=password, **given)
    return WatchedHarbor(server, made.id)


def readers(harbor: HarborDouble) -> dict[str, Robot]:
    """Return the reader robots there are, of whatever installation, by name."""
    return {name: robot for name, robot in harbor.robots().items() if "integrated-registry-reader" in name}
