"""An integration as a client of the API sees it: made, looked at, changed over HTTP."""

from __future__ import annotations

from typing import Any

from resolvers.global_ids import parse_global_id
from tests.serving import RunningServer
from tests.waiting import eventually

_INTEGRATE = """
mutation ($input: IntegrateRegistryInput!) {
  integrateRegistry(input: $input) { integration { id } errors { __typename message } }
}"""
_STATE = """
query ($id: ID!) {
  integration(id: $id) {
    updatedAt
    synchronizedAt
    stale { reason since message }
    health { status reason message registryMessage since checkedAt checks(last: 100) { isGood reason checkedAt } }
    spaces(first: 100) { nodes { name } totalCount }
    labels
  }
}"""
_EVENTS = """
query ($filter: EventFilter) {
  events(first: 100, filter: $filter) {
    nodes {
      type
      ... on HealthChanged { previous { status reason } current { status reason } }
      ... on SpaceAdded { spaceName }
      ... on SpaceVanished { spaceName }
    }
  }
}"""


class Integrated:
    """One integration."""

    def __init__(self, server: RunningServer, id_: str) -> None:
        self.server = server
        self.id = id_

    @property
    def key(self) -> int:
        """Its id in the database."""
        return parse_global_id(self.id)[1]

    def state(self) -> Any:
        """Return how it is."""
        return self.server.graphql(_STATE, {"id": self.id})["integration"]

    def health(self) -> tuple[str, str | None]:
        """Return status and reason."""
        health = self.state()["health"]
        return health["status"], health["reason"]

    def spaces(self) -> list[str]:
        """Return the names of its spaces."""
        return [space["name"] for space in self.state()["spaces"]["nodes"]]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Return its events, of some types or of all, oldest first."""
        conditions = {"types": list(types) or None, "integrationIds": [self.id]}
        found: list[dict[str, Any]] = self.server.graphql(_EVENTS, {"filter": conditions})["events"]["nodes"]
        return found[::-1]

    def health_events(self) -> list[tuple[str, str | None]]:
        """Return to which status and reason its health has changed, oldest first."""
        return [(event["current"]["status"], event["current"]["reason"]) for event in self.events("HEALTH_CHANGED")]

    def wait_for_health(self, status: str, reason: str | None = None, deadline_seconds: float = 20) -> None:
        """Return once that is its health."""
        eventually(lambda: self.health() == (status, reason), deadline_seconds)

    def wait_for_probe(self) -> None:
        """Return once a probe that began after this call is written."""
        before = self.check_count()
        # The one under way may have begun earlier; the one behind it has not.
        eventually(lambda: self.check_count() >= before + 2)

    def check_count(self) -> int:
        """Return how many of its checks are kept."""
        sql = 'SELECT COUNT(*) AS count FROM "health_check"'
        return int(self.server.run(self.server.services.database.fetch(sql))[0]["count"])

    def mutate(self, name: str, /, **given: object) -> Any:
        """Run a mutation that takes its id; return the payload."""
        type_ = name[0].upper() + name[1:] + "Input"
        query = f"""mutation ($input: {type_}!) {{
          {name}(input: $input) {{ integration {{ id }} errors {{ __typename message }} }}
        }}"""
        return self.server.graphql(query, {"input": {"id": self.id, **given}})[name]

    def synchronize(self, **given: object) -> Any:
        """Synchronise it; return the payload."""
        query = """mutation ($input: SynchronizeIntegrationInput!) {
          synchronizeIntegration(input: $input) {
            addedSpaceCount vanishedSpaceCount errors { __typename message }
          }
        }"""
        return self.server.graphql(query, {"input": {"id": self.id, **given}})["synchronizeIntegration"]


def integrate(server: RunningServer, url: str, name: str = "under watch", **given: object) -> Integrated:
    """Integrate a Docker Registry, which must succeed."""
    # An image host of its own: several are on one port here.
    variables = {
        "input": {
            "name": name,
            "url": url,
            "kind": "DOCKER_REGISTRY",
            "imageHost": f"{name.replace(' ', '-')}.example",
            **given,
        }
    }
    payload = server.graphql(_INTEGRATE, variables)["integrateRegistry"]
    assert payload["errors"] == []
    return Integrated(server, payload["integration"]["id"])
