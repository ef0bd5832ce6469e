"""Clients that change who may pull what in a small world, at random, and keep book of what they were told.

The world is small on purpose: a few names, so that they are always in each other's way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from resolvers.global_ids import global_id, parse_global_id
from services.workspace_input import NamespaceName
from tests.durability.access_replay import Fact
from tests.servers.fake_registries import FakeRegistries

REGISTRIES = ("r0", "r1", "r2")
SPACES = ("s0", "s1", "s2", "s3", "s4", "s5")
WORKSPACES = ("w0", "w1", "w2", "w3", "w4")
EXTERNAL_IDS = ("e0", "e1", "e2")
NAMESPACES = tuple(NamespaceName(cluster, f"n{number}") for cluster in ("c0", "c1") for number in range(4))
NEVER_THERE = 10**12

Given = dict[str, Any]
Post = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Sends an operation and returns the whole result. Raises Died when there is nobody to answer."""

LOOK = """{
  integrations(first: 10) { nodes { id name } }
  spaces(first: 60, filter: { states: [PRESENT, DECLARED, VANISHED] }) { nodes { id visibility state } }
  workspaces(first: 20) { nodes { id updatedAt
    namespaces(first: 20) { nodes { cluster name } } bindings(first: 40) { nodes { id state enforcement { state } } }
  } }
}"""

SELECTIONS = {
    "createWorkspace": "workspace { id name }",
    "updateWorkspace": "workspace { id name }",
    "upsertWorkspace": "workspace { id name }",
    "deleteWorkspace": "workspace { id }",
    "addNamespaces": "workspace { id } namespaces { cluster name }",
    "removeNamespaces": "workspace { id } namespaces { cluster name }",
    "bindSpaces": "bindings { id state }",
    "unbindSpaces": "bindings { id state } removedBindingIds",
    "createSpace": "space { id visibility }",
    "setSpaceVisibility": "spaces { id visibility }",
    "deleteSpace": "space { id }",
    "createAccessToken": "accessToken { id }",
    "integrateRegistry": "integration { id name }",
    "removeIntegration": "integration { id }",
    "synchronizeIntegration": "addedSpaceCount vanishedSpaceCount",
}
LOSING = {"upsertWorkspace", "deleteWorkspace", "removeNamespaces", "unbindSpaces", "setSpaceVisibility"} | {
    "deleteSpace",
    "removeIntegration",
}
LOSSES = " lossCount losses { namespace { name } imagePrefix keepsAccessAsPublic }"

MAKES = {
    "createWorkspace": {"WORKSPACE_CREATED"},
    "updateWorkspace": {"WORKSPACE_UPDATED"},
    "upsertWorkspace": {"WORKSPACE_CREATED", "WORKSPACE_UPDATED", "NAMESPACE_ADDED", "NAMESPACE_REMOVED"},
    "deleteWorkspace": {"WORKSPACE_DELETED", "NAMESPACE_REMOVED", "BINDING_REVOKED", "ACCESS_TOKEN_REVOKED"},
    "addNamespaces": {"NAMESPACE_ADDED"},
    "removeNamespaces": {"NAMESPACE_REMOVED"},
    "bindSpaces": {"BINDING_CREATED"},
    "unbindSpaces": {"BINDING_REVOKED"},
    "createSpace": {"SPACE_DECLARED"},
    "setSpaceVisibility": {"SPACE_VISIBILITY_CHANGED"},
    "deleteSpace": {"SPACE_DELETED", "BINDING_REVOKED"},
    "createAccessToken": {"ACCESS_TOKEN_CREATED"},
    "integrateRegistry": {"INTEGRATION_ADDED"},
    "removeIntegration": {"INTEGRATION_REMOVED", "BINDING_REVOKED"},
    "synchronizeIntegration": set(),
}
"""What each mutation may tell of in the name of who did it."""


class Died(Exception):
    """The server was gone before it answered: what was asked of it is done, or isn't."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that was acknowledged: at some moment between the two times, the fact was so. None: it was not."""

    fact: Fact
    value: Any
    sent_at: datetime
    answered_at: datetime


@dataclass(slots=True)
class Asked:
    """A mutation, and with which errors it was answered; None: it was not."""

    mutation: str
    given: Given
    is_ill: bool = False
    """Whether it makes no sense, and can only be refused."""

    codes: list[str] | None = None


@dataclass(slots=True)
class Book:
    """What a client asked, in order, and what it was told."""

    asked: list[Asked] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    """Those that were not yet held against the events."""

    accounted_position: int = 0
    """Up to here the events were held against the audit."""

    @property
    def answered(self) -> list[Asked]:
        """What was answered."""
        return [each for each in self.asked if each.codes is not None]


NEW_TOKEN = """
mutation ($name: String!) {
  createAccessToken(input: { name: $name, role: PLATFORM_ADMIN, expiresAt: "2030-01-01T00:00:00Z" }) { token }
}"""


def new_client_token(post: Post, name: str) -> str:
    """Return a new token of that name, made as the administrator: what is done with it is told in its name."""
    token: str = post(NEW_TOKEN, {"name": name})["data"]["createAccessToken"]["token"]
    return token


class AccessClient:
    """Does one mutation after the other, each of what it has just seen, or of something that makes no sense."""

    def __init__(self, name: str, registries: FakeRegistries, seed: int) -> None:
        self.name = name
        self.book = Book()
        self._registries = registries
        self._random = random.Random(seed)
        self._seen: Mapping[str, Any] = {}
        self._makers: tuple[tuple[int, Callable[[], tuple[str, Given]]], ...] = (
            (3, self._create_workspace),
            (3, self._update_workspace),
            (6, self._upsert_workspace),
            (2, self._delete_workspace),
            (4, self._add_namespaces),
            (3, self._remove_namespaces),
            (12, self._bind_spaces),
            (5, self._unbind_spaces),
            (8, self._create_space),
            (6, self._set_space_visibility),
            (6, self._delete_space),
            (2, self._create_access_token),
            (4, self._integrate_registry),
            (1, self._remove_integration),
            (5, self._synchronize_integration),
            (4, self._ill),
        )

    def furnish(self, post: Post) -> None:
        """Put something into the empty world."""
        self.look(post)
        for name in REGISTRIES[:2]:
            self._registries.repositories[name] = [f"{space}/app" for space in SPACES[:3]]
            given = {"name": name, "kind": "DOCKER_REGISTRY", "url": self._registries.url(name)}
            self.do(Asked("integrateRegistry", given | {"imageHost": f"{name}.example"}), post)
        for number, external_id in enumerate(EXTERNAL_IDS):
            mine = [{"cluster": "c0", "name": f"n{number}"}]
            wanted: Given = {"externalId": external_id, "name": WORKSPACES[number], "namespaces": mine}
            self.do(Asked("upsertWorkspace", wanted), post)
        assert [each.codes for each in self.book.asked] == [[]] * 5

    def look(self, post: Post) -> None:
        """See what there is. Nothing that is taken away meanwhile may make this fail."""
        result = post(LOOK, {})
        assert "errors" not in result, result["errors"]
        self._seen = result["data"]

    def choose(self) -> Asked:
        """Return what to do next."""
        weights = [weight for weight, _ in self._makers]
        (maker,) = self._random.choices([maker for _, maker in self._makers], weights)
        return Asked(*maker(), is_ill=maker == self._ill)

    def do(self, asked: Asked, post: Post) -> None:
        """Ask for it, and write down what came of it; whatever is in the way, it is told as an error of the surface."""
        self.book.asked.append(asked)
        name = asked.mutation
        selection = SELECTIONS[name] + (LOSSES if name in LOSING else "")
        type_name = name[0].upper() + name[1:] + "Input"
        document = f"mutation ($input: {type_name}!) {{ {name}(input: $input) {{ {selection} errors {{ code }} }} }}"
        sent_at = datetime.now(UTC)
        result = post(document, {"input": asked.given})
        answered_at = datetime.now(UTC)
        assert "errors" not in result, (asked, result["errors"])
        payload = result["data"][name]
        asked.codes = [error["code"] for error in payload["errors"]]
        assert asked.codes or not asked.is_ill, asked
        if not asked.codes and not asked.given.get("dryRun"):
            facts = told_by(name, asked.given, payload)
            self.book.claims += [Claim(fact, value, sent_at, answered_at) for fact, value in facts.items()]

    def _ids(self, kind: str) -> list[str]:
        ids = [node["id"] for node in self._seen[kind]["nodes"]]
        type_name = {"integrations": "Integration", "spaces": "Space", "workspaces": "Workspace"}[kind]
        return ids or [global_id(type_name, NEVER_THERE)]

    def _binding_ids(self) -> list[str]:
        nodes = self._seen["workspaces"]["nodes"]
        ids = [binding["id"] for workspace in nodes for binding in workspace["bindings"]["nodes"]]
        return ids or [global_id("Binding", NEVER_THERE)]

    def _some(self, things: Sequence[Any], most: int) -> list[Any]:
        return self._random.sample(things, self._random.randint(1, min(most, len(things))))

    def _namespaces(self, least: int = 1) -> list[Given]:
        chosen = self._random.sample(NAMESPACES, self._random.randint(least, 3))
        return [{"cluster": each.cluster, "name": each.name} for each in chosen]

    def _is_dry(self) -> bool:
        return self._random.random() < 0.2

    def _create_workspace(self) -> tuple[str, Given]:
        external_id = self._random.choice([None, *EXTERNAL_IDS])
        return "createWorkspace", {"name": self._random.choice(WORKSPACES), "externalId": external_id}

    def _update_workspace(self) -> tuple[str, Given]:
        given: Given = {"id": self._random.choice(self._ids("workspaces"))}
        if self._random.random() < 0.7:
            given["name"] = self._random.choice(WORKSPACES)
        if self._random.random() < 0.4:
            given["externalId"] = self._random.choice([None, *EXTERNAL_IDS])
        if self._random.random() < 0.4:
            given["labels"] = [{"key": "tier", "value": self._random.choice("abc")}]
        if self._random.random() < 0.4:
            times = {node["id"]: node["updatedAt"] for node in self._seen["workspaces"]["nodes"]}
            given["expectedUpdatedAt"] = times.get(given["id"])
        return "updateWorkspace", given

    def _upsert_workspace(self) -> tuple[str, Given]:
        given: Given = {"externalId": self._random.choice(EXTERNAL_IDS), "dryRun": self._is_dry()}
        if self._random.random() < 0.8:
            given["name"] = self._random.choice(WORKSPACES)
        if self._random.random() < 0.7:
            given["namespaces"] = self._namespaces(least=0)
        return "upsertWorkspace", given

    def _delete_workspace(self) -> tuple[str, Given]:
        return "deleteWorkspace", {"id": self._random.choice(self._ids("workspaces")), "dryRun": self._is_dry()}

    def _add_namespaces(self) -> tuple[str, Given]:
        workspace_id = self._random.choice(self._ids("workspaces"))
        return "addNamespaces", {"workspaceId": workspace_id, "namespaces": self._namespaces()}

    def _remove_namespaces(self) -> tuple[str, Given]:
        nodes = [node for node in self._seen["workspaces"]["nodes"] if node["namespaces"]["nodes"]]
        if not nodes:
            return self._add_namespaces()
        workspace = self._random.choice(nodes)
        held = [{"cluster": each["cluster"], "name": each["name"]} for each in workspace["namespaces"]["nodes"]]
        given = {"workspaceId": workspace["id"], "namespaces": self._some(held, 2), "dryRun": self._is_dry()}
        return "removeNamespaces", given

    def _bind_spaces(self) -> tuple[str, Given]:
        spaces, workspaces = self._some(self._ids("spaces"), 3), self._some(self._ids("workspaces"), 2)
        return "bindSpaces", {"spaceIds": spaces, "workspaceIds": workspaces}

    def _unbind_spaces(self) -> tuple[str, Given]:
        return "unbindSpaces", {"bindingIds": self._some(self._binding_ids(), 3), "dryRun": self._is_dry()}

    def _visibility(self) -> str:
        return self._random.choice(["PUBLIC", "PRIVATE"])

    def _create_space(self) -> tuple[str, Given]:
        integration_id, name = self._random.choice(self._ids("integrations")), self._random.choice(SPACES)
        return "createSpace", {"integrationId": integration_id, "name": name, "visibility": self._visibility()}

    def _set_space_visibility(self) -> tuple[str, Given]:
        given = {"ids": self._some(self._ids("spaces"), 3), "visibility": self._visibility(), "dryRun": self._is_dry()}
        return "setSpaceVisibility", given

    def _delete_space(self) -> tuple[str, Given]:
        return "deleteSpace", {"id": self._random.choice(self._ids("spaces")), "dryRun": self._is_dry()}

    def _create_access_token(self) -> tuple[str, Given]:
        workspace_id = self._random.choice(self._ids("workspaces"))
        given = {"name": "a member", "role": "WORKSPACE_MEMBER", "expiresAt": "2030-01-01T00:00:00Z"}
        return "createAccessToken", given | {"workspaceId": workspace_id}

    def _integrate_registry(self) -> tuple[str, Given]:
        name = self._random.choice(REGISTRIES)
        given = {"name": name, "kind": "DOCKER_REGISTRY", "url": self._registries.url(name)}
        given["imageHost"] = f"{name}.example"
        self._registries.repositories.setdefault(name, [f"{space}/app" for space in SPACES[:3]])
        if self._random.random() < 0.3:
            given["workspaceId"] = self._random.choice(self._ids("workspaces"))
        return "integrateRegistry", given

    def _remove_integration(self) -> tuple[str, Given]:
        return "removeIntegration", {"id": self._random.choice(self._ids("integrations")), "dryRun": self._is_dry()}

    def _synchronize_integration(self) -> tuple[str, Given]:
        nodes = self._seen["integrations"]["nodes"]
        if not nodes:
            return self._integrate_registry()
        node = self._random.choice(nodes)
        self._registries.repositories[node["name"]] = [f"{space}/app" for space in self._some(SPACES, 5)]
        return "synchronizeIntegration", {"id": node["id"], "acceptLoss": self._random.random() < 0.7}

    def _ill(self) -> tuple[str, Given]:
        space, workspace = self._ids("spaces")[0], self._ids("workspaces")[0]
        many = [global_id("Space", NEVER_THERE + number) for number in range(101)]
        senseless: list[tuple[str, Given]] = [
            ("bindSpaces", {"spaceIds": [space, space], "workspaceIds": [workspace]}),
            ("bindSpaces", {"spaceIds": [workspace], "workspaceIds": [space]}),
            ("bindSpaces", {"spaceIds": many, "workspaceIds": [workspace]}),
            ("bindSpaces", {"spaceIds": [space, many[0]], "workspaceIds": [workspace]}),
            ("unbindSpaces", {"bindingIds": [space]}),
            ("addNamespaces", {"workspaceId": workspace, "namespaces": [{"name": "fine"}, {"name": "NOT"}]}),
            ("removeNamespaces", {"workspaceId": workspace, "namespaces": [{"name": "never"}]}),
            ("upsertWorkspace", {"externalId": "e" * 10_000, "name": "w", "namespaces": []}),
            ("createWorkspace", {"name": " "}),
            ("createSpace", {"integrationId": self._ids("integrations")[0], "name": "No/Name"}),
            ("setSpaceVisibility", {"ids": [space, space], "visibility": "PUBLIC"}),
            ("deleteSpace", {"id": "no id"}),
            ("deleteWorkspace", {"id": global_id("Workspace", NEVER_THERE)}),
            ("removeIntegration", {"id": "💥", "dryRun": True}),
        ]
        return self._random.choice(senseless)


def told_by(mutation: str, given: Given, payload: Mapping[str, Any]) -> dict[Fact, Any]:
    """Return the facts that a successful answer tells."""

    def key(global_id_: str) -> int:
        return parse_global_id(global_id_)[1]

    named = [("namespace", each["cluster"], each["name"]) for each in given.get("namespaces") or []]
    match mutation:
        case "createWorkspace" | "updateWorkspace" | "upsertWorkspace" | "addNamespaces":
            workspace = payload["workspace"]
            name = {("workspace", key(workspace["id"])): workspace["name"]} if "name" in workspace else {}
            return {**name, **{fact: key(workspace["id"]) for fact in named}}
        case "removeNamespaces":
            return dict.fromkeys(named)
        case "deleteWorkspace":
            return {("workspace", key(given["id"])): None}
        case "bindSpaces":
            ids = {key(binding["id"]) for binding in payload["bindings"]}
            assert len(ids) == len(given["spaceIds"]) * len(given["workspaceIds"])
            return dict.fromkeys((("binding", id_) for id_ in ids), True)
        case "unbindSpaces":
            return {("binding", key(binding_id)): None for binding_id in given["bindingIds"]}
        case "createSpace":
            return {("space", key(payload["space"]["id"])): given["visibility"]}
        case "setSpaceVisibility":
            assert [space["id"] for space in payload["spaces"]] == given["ids"]
            return {("space", key(space["id"])): given["visibility"] for space in payload["spaces"]}
        case "deleteSpace":
            return {("space", key(given["id"])): None}
        case "createAccessToken":
            return {("token", key(payload["accessToken"]["id"])): True}
        case "integrateRegistry":
            return {("integration", key(payload["integration"]["id"])): given["name"]}
        case "removeIntegration":
            return {("integration", key(given["id"])): None}
    return {}
