"""What is lost by taking away, before and after: exactly what pullAccess no longer allows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.database import Transaction
from models.enums import RegistryKind, SpaceState, Visibility
from models.queries.sight import EVERYTHING
from resolvers.global_ids import global_id
from services.image_names import image_prefixes
from services.losses import losses_of_spaces
from services.pull_access import pull_access
from services.workspace_input import NamespaceName
from tests.api.tenants import LOSSES, Tenants, key_of, lost, named, tenants_of
from tests.serving import RunningServer

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
DOCKER = RegistryKind.DOCKER_REGISTRY


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


def lost_twice(tenants: Tenants, mutation: str, given: dict[str, Any]) -> list[tuple[str, str, str | bool | None]]:
    """Return what a mutation says is lost, the same in a dry run before."""
    tried = tenants.tried(mutation, given, LOSSES)
    done = tenants.done(mutation, given, LOSSES)
    assert (tried["lossCount"], tried["losses"]) == (done["lossCount"], done["losses"])
    assert lost(tried) == lost(done)
    return lost(done)


def test_every_prefix_of_a_space_is_lost(tenants: Tenants) -> None:
    registry = tenants.registry("h.example:5000", "a.example", "z.example", kind=DOCKER)
    shop = tenants.workspace("shop", "shop", "c2/shop")
    spaces = [tenants.space(registry, name) for name in ("library", "team", "team-x")]
    bindings = tenants.bind(spaces, [shop])
    hosts = ("a.example", "h.example:5000", "z.example")

    # By prefix, which isn't by name: “-” comes before “/”.
    assert lost_twice(tenants, "unbindSpaces", {"bindingIds": bindings}) == [
        (namespace, f"{host}/{space}", None)
        for host in hosts
        for space in ("", "library/", "team-x/", "team/")
        for namespace in ("c2/shop", "default/shop")
    ]


def test_a_project_named_library_has_one_prefix(tenants: Tenants) -> None:
    (binding,) = tenants.bind(
        [tenants.space(tenants.registry("h.example"), "library")], [tenants.workspace("shop", "shop")]
    )

    assert lost_twice(tenants, "unbindSpaces", {"bindingIds": [binding]}) == [
        ("default/shop", "h.example/library/", None)
    ]


def test_only_what_gives_access_can_be_lost(tenants: Tenants) -> None:
    registry = tenants.registry("h.example")
    shop = tenants.workspace("shop", "shop", external_id="t-1")
    names = ("active", "declared", "vanished", "revoking", "public")
    spaces = {name: tenants.space(registry, name, PUBLIC if name == "public" else PRIVATE) for name in names}
    bindings = dict(zip(names, tenants.bind(list(spaces.values()), [shop]), strict=True))
    tenants.put_in_force()
    tenants.see(registry, "vanished", None)
    tenants.write("""UPDATE "space" SET "state" = 'DECLARED' WHERE "name" = 'declared'""")
    tenants.done("unbindSpaces", {"bindingIds": [bindings["revoking"]]})
    expected = [
        ("default/shop", "h.example/active/", None),
        ("default/shop", "h.example/declared/", None),
        ("default/shop", "h.example/public/", True),
    ]

    for mutation, given in (
        ("unbindSpaces", {"bindingIds": list(bindings.values())}),
        ("removeNamespaces", {"workspaceId": shop, "namespaces": named("shop")}),
        ("upsertWorkspace", {"externalId": "t-1", "namespaces": []}),
        ("deleteWorkspace", {"id": shop}),
    ):
        assert lost(tenants.tried(mutation, given, LOSSES)) == expected, mutation
    # With the registry goes what is public, too.
    assert lost(tenants.tried("removeIntegration", {"id": registry}, LOSSES)) == [
        (namespace, prefix, None) for namespace, prefix, _ in expected
    ]


def test_a_workspace_without_namespaces_loses_nothing(tenants: Tenants) -> None:
    shop = tenants.workspace("shop")
    tenants.bind([tenants.space(tenants.registry("h.example"), "team")], [shop])
    tenants.workspace("bank", "bank")

    assert lost_twice(tenants, "deleteWorkspace", {"id": shop}) == []


def test_only_what_is_taken_away_is_lost(tenants: Tenants) -> None:
    registry = tenants.registry("h.example")
    spaces = tenants.spaces(registry, ["team", "web"])
    shop, bank = tenants.workspace("shop", "a", "b", external_id="t-1"), tenants.workspace("bank", "c")
    bindings = tenants.bind(spaces, [shop, bank])

    assert lost_twice(tenants, "unbindSpaces", {"bindingIds": bindings[1:2]}) == [
        ("default/c", "h.example/team/", None)
    ]
    assert lost_twice(tenants, "removeNamespaces", {"workspaceId": shop, "namespaces": named("b")}) == [
        ("default/b", "h.example/team/", None),
        ("default/b", "h.example/web/", None),
    ]
    given = {"externalId": "t-1", "namespaces": named("new")}
    assert lost_twice(tenants, "upsertWorkspace", given) == [
        ("default/a", "h.example/team/", None),
        ("default/a", "h.example/web/", None),
    ]
    assert lost_twice(tenants, "removeIntegration", {"id": registry}) == [
        ("default/new", "h.example/team/", None),
        ("default/c", "h.example/web/", None),
        ("default/new", "h.example/web/", None),
    ]


def test_all_lose_what_is_public_when_its_registry_goes(tenants: Tenants) -> None:
    registry = tenants.registry("h.example", kind=DOCKER)
    public, private = tenants.space(registry, "library", PUBLIC), tenants.space(registry, "team")
    shop = tenants.workspace("shop", "shop")
    tenants.workspace("bank", "bank")
    tenants.bind([public, private], [shop])

    assert lost_twice(tenants, "removeIntegration", {"id": registry}) == [
        ("default/bank", "h.example/", None),
        ("default/shop", "h.example/", None),
        ("default/bank", "h.example/library/", None),
        ("default/shop", "h.example/library/", None),
        ("default/shop", "h.example/team/", None),
    ]


def test_what_a_workspace_brought_is_lost_to_its_own_alone(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "a", "b")
    tenants.workspace("bank", "bank")
    own = tenants.registry("own.example", "h.example", workspace=shop)
    public, private = tenants.space(own, "open", PUBLIC), tenants.space(own, "team")
    tenants.bind([public, private], [shop])
    # The platform has that host, so it leads nobody to what the workspace brought.
    tenants.registry("h.example")

    # Public to the workspace's own namespaces: one that is taken from it is none of these.
    assert lost_twice(tenants, "removeNamespaces", {"workspaceId": shop, "namespaces": named("b")}) == [
        ("default/b", "own.example/open/", None),
        ("default/b", "own.example/team/", None),
    ]
    assert lost_twice(tenants, "removeIntegration", {"id": own}) == [
        ("default/a", "own.example/open/", None),
        ("default/a", "own.example/team/", None),
    ]


def close(tenants: Tenants, spaces: Sequence[str], *, are_deleted: bool = False) -> list[tuple[str, str, int | None]]:
    """Close spaces, or have them vanish for good, and return what is lost by it."""
    keys = [key_of(space) for space in spaces]
    change = f"\"state\" = '{SpaceState.VANISHED}'" if are_deleted else f"\"visibility\" = '{PRIVATE}'"

    async def work(transaction: Transaction) -> list[tuple[str, str, int | None]]:
        losses = await losses_of_spaces(
            transaction,
            lambda statement: [statement.is_one_of('s."id"', keys)],
            bindings_stay=not are_deleted,
        )
        await transaction.execute(f'UPDATE "space" SET {change} WHERE "id" IN ({", ".join(map(str, keys))})')
        assert losses.count == len(losses.listed)
        assert not any(loss.keeps_access_as_public for loss in losses.listed)
        return [
            (f"{loss.namespace.cluster}/{loss.namespace.name}", loss.image_prefix, loss.keeps_access_by_id)
            for loss in losses.listed
        ]

    return tenants.server.run(tenants.database.transact(work))


def test_who_is_bound_keeps_what_is_closed(tenants: Tenants) -> None:
    registry = tenants.registry("h.example")
    public, private = tenants.space(registry, "open", PUBLIC), tenants.space(registry, "team")
    shop, bank, mill = (tenants.workspace(name, name) for name in ("shop", "bank", "mill"))
    own = tenants.space(tenants.registry("own.example", workspace=mill), "own", PUBLIC)
    bindings = tenants.bind([public], [shop, bank])
    tenants.put_in_force()
    tenants.done("unbindSpaces", {"bindingIds": bindings[1:]})

    assert close(tenants, [public, private, own]) == [
        ("default/bank", "h.example/open/", None),
        ("default/mill", "h.example/open/", None),
        ("default/shop", "h.example/open/", key_of(bindings[0])),
        ("default/mill", "own.example/own/", None),
    ]
    # Closed already, none of them loses anything by being closed.
    assert close(tenants, [public, private, own]) == []


def test_the_first_thousand_are_listed_and_all_are_counted(tenants: Tenants) -> None:
    registry = tenants.registry("h.example", "a.example", kind=DOCKER)
    names = [f"{letter}{number}" for number in range(4) for letter in ("a", "a-", "m", "z")]
    spaces = tenants.spaces(registry, [*names, "library"])
    shop = tenants.workspace("shop", *(f"c{number % 3}/n{number:02}" for number in range(40)))
    bindings = tenants.bind(spaces, [shop])
    prefixes = [f"{host}/{name}" for host in ("h.example", "a.example") for name in ["", *(f"{n}/" for n in names)]]
    prefixes += ["h.example/library/", "a.example/library/"]
    namespaces = [(f"c{number % 3}", f"n{number:02}") for number in range(40)]
    pairs = sorted((prefix, *namespace) for prefix in prefixes for namespace in namespaces)

    def listed(payload: dict[str, Any]) -> tuple[int, list[tuple[str, str, str]]]:
        losses = payload["losses"]
        return payload["lossCount"], [
            (loss["imagePrefix"], loss["namespace"]["cluster"], loss["namespace"]["name"]) for loss in losses
        ]

    expected = (len(pairs), pairs[:1000])
    assert len(pairs) == 36 * 40
    assert listed(tenants.tried("unbindSpaces", {"bindingIds": bindings}, LOSSES)) == expected
    assert listed(tenants.tried("deleteWorkspace", {"id": shop}, LOSSES)) == expected
    assert listed(tenants.tried("removeIntegration", {"id": registry}, LOSSES)) == expected
    # Public ones are lost to all, and counted the same way.
    tenants.write("""UPDATE "space" SET "visibility" = 'PUBLIC'""")
    tenants.workspace("bank", "c1/bank")
    pairs = sorted([*pairs, *((prefix, "c1", "bank") for prefix in prefixes)])
    assert listed(tenants.tried("removeIntegration", {"id": registry}, LOSSES)) == (len(pairs), pairs[:1000])


@dataclass
class World:
    """Registries, tenants and what they were given, by chance."""

    tenants: Tenants
    chance: random.Random
    prefixes: list[str] = field(default_factory=list)
    namespaces: list[NamespaceName] = field(default_factory=list)

    def fill(self) -> None:
        """Make them, each kind of thing in each state."""
        tenants, chance = self.tenants, self.chance
        free = [NamespaceName(cluster, f"n{number}") for cluster in ("default", "c2") for number in range(4)]
        self.namespaces = list(free)
        chance.shuffle(free)
        workspaces = []
        for number in range(3):
            mine = [free.pop() for _ in range(chance.randrange(3))]
            names = [f"{namespace.cluster}/{namespace.name}" for namespace in mine]
            workspaces.append(tenants.workspace(f"w{number}", *names, external_id=f"t{number}"))
        hosts = ["h0.example", "h1.example", "h2.example"]
        registries = [tenants.registry(hosts[0], "alias.example"), tenants.registry(hosts[1], kind=DOCKER)]
        # One that only two workspaces have, and one that the platform has as well.
        for workspace, aliases in ((workspaces[0], hosts[:1]), (workspaces[1], hosts[1:2])):
            registries.append(tenants.registry("h2.example", *aliases, kind=DOCKER, workspace=workspace))
        spaces = []
        for number, registry in enumerate(registries):
            for name in ("library", "team", "team-x"):
                made = tenants.space(registry, name, chance.choice([PUBLIC, PRIVATE]))
                owner = workspaces[number - 2 : number - 1] if number > 1 else workspaces
                spaces.append((made, owner, registry, name))
        for space, owners, _, _ in spaces:
            given = [workspace for workspace in owners if chance.random() < 0.6]
            if given:
                tenants.bind([space], given)
        tenants.put_in_force()
        for _, _, registry, name in chance.sample(spaces, 2):
            tenants.see(registry, name, None)
        revoked = [binding for binding in self.bindings() if chance.random() < 0.2]
        if revoked:
            tenants.done("unbindSpaces", {"bindingIds": revoked})
        self.prefixes = [
            prefix
            for host in (*hosts, "alias.example")
            for name in ("library", "team", "team-x")
            for prefix in image_prefixes(host, name, DOCKER)
        ]

    def bindings(self) -> list[str]:
        """Return every binding."""
        return [global_id("Binding", id_) for (id_,) in self.tenants.rows('SELECT "id" FROM "binding" ORDER BY "id"')]

    def keys(self, type_name: str, table: str) -> list[str]:
        """Return the ids of a table."""
        return [global_id(type_name, id_) for (id_,) in self.tenants.rows(f'SELECT "id" FROM "{table}" ORDER BY "id"')]

    def access(self) -> dict[tuple[str, str], int]:
        """Return by which space each namespace may pull an image of each prefix; those that may not are left out."""

        async def ask() -> dict[tuple[str, str], int]:
            found = {}
            for namespace in self.namespaces:
                for prefix in self.prefixes:
                    answer = await pull_access(self.tenants.database, namespace, f"{prefix}app", EVERYTHING)
                    if answer.is_allowed and answer.space is not None:
                        found[f"{namespace.cluster}/{namespace.name}", prefix] = answer.space.id
            return found

        return self.tenants.server.run(ask())

    def owned(self) -> set[str]:
        """Return the namespaces that belong to a workspace: of others nobody here knows."""
        return {f"{cluster}/{name}" for cluster, name in self.tenants.rows('SELECT "cluster", "name" FROM "namespace"')}

    def take_away(self) -> list[tuple[str, str, Any]]:
        """Take something away and return what is said to be lost."""
        tenants, chance = self.tenants, self.chance
        doing = chance.choice(["unbind", "remove", "upsert", "delete", "registry", "close", "vanish"])
        if doing in ("close", "vanish"):
            spaces = [
                global_id("Space", id_)
                for (id_,) in tenants.rows("""SELECT "id" FROM "space" WHERE "state" <> 'VANISHED' ORDER BY "id" """)
            ]
            some = chance.sample(spaces, min(len(spaces), 3))
            return list(close(tenants, some, are_deleted=doing == "vanish")) if some else []
        if doing == "unbind":
            ids = chance.sample(self.bindings(), min(3, len(self.bindings())))
            return lost_twice(tenants, "unbindSpaces", {"bindingIds": ids}) if ids else []
        if doing == "registry":
            return lost_twice(
                tenants, "removeIntegration", {"id": chance.choice(self.keys("Integration", "integration"))}
            )
        workspace_id, external_id = chance.choice(
            tenants.rows('SELECT "id", "external_id" FROM "workspace" ORDER BY 1')
        )
        mine = tenants.rows(
            f'SELECT "cluster", "name" FROM "namespace" WHERE "workspace_id" = {workspace_id} ORDER BY 1, 2'
        )
        names = named(*(f"{cluster}/{name}" for cluster, name in mine))
        if doing == "remove":
            given = {"workspaceId": global_id("Workspace", workspace_id), "namespaces": names[:1]}
            return lost_twice(tenants, "removeNamespaces", given)
        if doing == "upsert" or tenants.rows(f'SELECT 1 FROM "integration" WHERE "workspace_id" = {workspace_id}'):
            return lost_twice(tenants, "upsertWorkspace", {"externalId": external_id, "namespaces": names[1:]})
        return lost_twice(tenants, "deleteWorkspace", {"id": global_id("Workspace", workspace_id)})


@pytest.mark.parametrize("seed", range(6))
def test_losses_are_what_may_no_longer_be_pulled(tenants: Tenants, seed: int) -> None:
    world = World(tenants, random.Random(seed))
    world.fill()
    before = world.access()
    for _ in range(5):
        if not tenants.rows('SELECT 1 FROM "workspace"') or not tenants.rows('SELECT 1 FROM "integration"'):
            break
        owned = world.owned()
        told = world.take_away()
        after = world.access()
        gone = {key for key, space in before.items() if key[0] in owned and after.get(key) != space}
        assert {(who, what) for who, what, keeper in told if keeper is None} == gone
        # What is kept was given before, and is given still.
        kept = {(who, what) for who, what, keeper in told if keeper is not None}
        assert {key for key in kept if before.get(key) is not None and after.get(key) == before[key]} == kept
        assert len(told) == len({(who, what) for who, what, _ in told})
        before = after
