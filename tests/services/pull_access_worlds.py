"""Random worlds of registries, spaces, workspaces and bindings, and who may pull there: a second answer.

It follows the design's text alone, over plain lists, and knows neither SQL nor how the service goes about it:
a public space is everybody's, a private one that of the namespaces of bound workspaces; a workspace's own registry
counts for its own namespaces, and never for a host of the platform's; what may not be seen isn't there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.enums import PullAccessReason, RegistryKind, SpaceState, Visibility

HOSTS = (
    "registry.example.com",
    "registry.example.com:5000",
    "harbor.example",
    "other.example:8443",
    "further.example",
    "localhost:5000",
    "docker.io",
)
SEGMENTS = ("team", "shop", "library", "a")
CLUSTERS = ("default", "east")
NAMESPACES = ("web", "jobs", "db")
REST = ("app", "app/web", "a_b/c.d/e-f")
DIGEST = "sha256:" + "0f" * 32


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry; the first of its hosts is its own, the others are aliases."""

    id: int
    kind: RegistryKind
    owner: int | None
    hosts: tuple[str, ...]

    @property
    def name(self) -> str:
        """A name that nothing else has."""
        return f"the-registry-{self.id}"


@dataclass(frozen=True, slots=True)
class Space:
    """A space."""

    id: int
    registry: int
    name: str
    visibility: Visibility
    state: SpaceState


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding."""

    id: int
    space: int
    workspace: int
    is_taken_back: bool


@dataclass(frozen=True, slots=True)
class World:
    """All that there is, or all that somebody sees of it."""

    registries: Sequence[Registry]
    spaces: Sequence[Space]
    workspaces: Sequence[int]
    owners: dict[tuple[str, str], int]
    """Whose a namespace is, by cluster and name."""

    bindings: Sequence[Binding]


@dataclass(frozen=True, slots=True)
class Viewer:
    """An administrator of the platform, or somebody of one workspace, or of none."""

    is_administrator: bool
    workspace: int | None = None


ADMINISTRATOR = Viewer(True)


@dataclass(frozen=True, slots=True)
class Question:
    """A namespace, and an image as a list of its parts."""

    cluster: str
    namespace: str
    host: str
    path: tuple[str, ...]

    def written(self, chance: random.Random) -> str:
        """Return the image in one of the ways in which people write it."""
        host, path = self.host, "/".join(self.path)
        forms = [f"{host}/{path}", f"{host.upper()}/{path}", f" {host}/{path} "]
        if ":" not in host:
            forms.append(f"{host}:443/{path}")
        if host == "docker.io":
            forms += [f"index.docker.io/{path}", path]
            if self.path[0] == "library" and len(self.path) == 2:
                forms += [self.path[1], f"docker.io/{self.path[1]}"]
        return chance.choice(forms).rstrip() + chance.choice(["", ":1.0", ":Latest_2-x", f"@{DIGEST}", f":v1@{DIGEST}"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer that is due, with what stands behind it."""

    reason: PullAccessReason
    registry: Registry | None = None
    space: Space | None = None
    workspace: int | None = None
    binding: Binding | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the namespace may pull."""
        return self.reason in (PullAccessReason.SPACE_IS_PUBLIC, PullAccessReason.BOUND)


def seen_by(viewer: Viewer, world: World) -> World:
    """Return what is left of a world when all is taken out that a viewer may not know of."""
    if viewer.is_administrator:
        return world
    registries = [each for each in world.registries if each.owner in (None, viewer.workspace)]
    of_platform = {each.id for each in registries if each.owner is None}
    own = {each.id for each in registries} - of_platform
    bindings = [each for each in world.bindings if each.workspace == viewer.workspace]
    bound = {each.space for each in bindings}

    def is_seen(space: Space) -> bool:
        is_open = space.registry in of_platform and space.visibility is Visibility.PUBLIC
        return is_open or space.registry in own or space.id in bound

    return World(
        registries,
        [each for each in world.spaces if is_seen(each)],
        [each for each in world.workspaces if each == viewer.workspace],
        {namespace: owner for namespace, owner in world.owners.items() if owner == viewer.workspace},
        bindings,
    )


def verdict(world: World, question: Question) -> Verdict:
    """Return whether the namespace may pull, in a world of which all may be known."""
    workspace = world.owners.get((question.cluster, question.namespace))
    behind = Verdict(PullAccessReason.UNKNOWN_REGISTRY, workspace=workspace)
    by_owner = {each.owner: each for each in world.registries if question.host in each.hosts}
    # Where somebody has no workspace there is no own registry either: both are the platform's.
    registry = by_owner.get(None) or by_owner.get(workspace)
    if registry is None:
        return behind
    behind = replace(behind, registry=registry)
    if len(question.path) > 1:
        segment = question.path[0]
    elif registry.kind is RegistryKind.DOCKER_REGISTRY:
        segment = "library"
    else:
        return replace(behind, reason=PullAccessReason.UNKNOWN_SPACE)
    same_name = [each for each in world.spaces if (each.registry, each.name) == (registry.id, segment)]
    standing = [each for each in same_name if each.state is not SpaceState.VANISHED]
    if standing:
        behind = replace(behind, space=standing[0])
    elif same_name:
        behind = replace(behind, space=sorted(same_name, key=lambda each: each.id)[-1])
    for each in world.bindings:
        if behind.space is not None and (each.space, each.workspace) == (behind.space.id, workspace):
            behind = replace(behind, binding=each)
    if standing and standing[0].visibility is Visibility.PUBLIC:
        return replace(behind, reason=PullAccessReason.SPACE_IS_PUBLIC)
    if workspace is None:
        return replace(behind, reason=PullAccessReason.UNKNOWN_NAMESPACE)
    if not standing:
        return replace(behind, reason=PullAccessReason.UNKNOWN_SPACE)
    if behind.binding is not None and not behind.binding.is_taken_back:
        return replace(behind, reason=PullAccessReason.BOUND)
    return replace(behind, reason=PullAccessReason.NOT_BOUND)


def pullable(world: World, workspace: int) -> list[Space]:
    """Return from what the namespaces of a workspace may pull, in a world of which all may be known."""
    within_reach = {each.id for each in world.registries if each.owner in (None, workspace)}
    bound = {each.space for each in world.bindings if each.workspace == workspace and not each.is_taken_back}
    return [
        each
        for each in world.spaces
        if each.state is not SpaceState.VANISHED
        and (each.id in bound or (each.visibility is Visibility.PUBLIC and each.registry in within_reach))
    ]


def random_world(chance: random.Random) -> World:
    """Return a small world in which many things have the same names."""
    workspaces = list(range(1, chance.randint(1, 4) + 1))
    namespaces = [(cluster, name) for cluster in CLUSTERS for name in NAMESPACES]
    owners = {each: chance.choice(workspaces) for each in namespaces if chance.random() < 0.7}
    registries: list[Registry] = []
    for owner in (None, *workspaces):
        hosts = chance.sample(HOSTS, len(HOSTS))
        for _ in range(2 if owner is None else chance.randint(0, 1)):
            taken = tuple(hosts.pop() for _ in range(chance.randint(1, 2)))
            registries.append(Registry(len(registries) + 1, chance.choice(list(RegistryKind)), owner, taken))
    spaces: list[Space] = []
    for registry in registries:
        for name in SEGMENTS:
            spaces += _random_twins(chance, registry, name, len(spaces))
    bindings: list[Binding] = []
    for space in spaces:
        for workspace in workspaces:
            owner = registries[space.registry - 1].owner
            if owner in (None, workspace) and chance.random() < 0.35:
                bindings.append(Binding(len(bindings) + 1, space.id, workspace, chance.random() < 0.3))
    return World(registries, spaces, workspaces, owners, bindings)


def _random_twins(chance: random.Random, registry: Registry, name: str, count: int) -> list[Space]:
    """Return the spaces of one name at one registry: some that vanished, and one that stands, or none."""
    vanished = chance.choice([0, 0, 1, 2]) if registry.kind is RegistryKind.HARBOR else 0
    states = [SpaceState.VANISHED] * vanished
    if registry.kind is RegistryKind.HARBOR:
        states += chance.choice([[], [SpaceState.PRESENT]])
    else:
        states += chance.choice([[], [SpaceState.PRESENT], [SpaceState.DECLARED], [SpaceState.VANISHED]])
    # Which of them came first is open: an old project can come back under its name.
    chance.shuffle(states)
    return [
        Space(count + number, registry.id, name, chance.choice([Visibility.PUBLIC, *[Visibility.PRIVATE] * 2]), state)
        for number, state in enumerate(states, 1)
    ]


def random_question(chance: random.Random, world: World) -> Question:
    """Return a question about things that there may be, often of a workspace about what it brought itself."""
    registry = chance.choice(world.registries)
    host = chance.choice([*registry.hosts, *registry.hosts, "unknown.example"])
    cluster, namespace = chance.choice(CLUSTERS), chance.choice([*NAMESPACES, "nobodys"])
    own = [name for name, owner in world.owners.items() if owner == registry.owner]
    if own and chance.random() < 0.7:
        cluster, namespace = chance.choice(own)
    segment = chance.choice([*SEGMENTS, "nothing"])
    # Docker Hub's names of one segment are short for those of `library`.
    is_short = host != "docker.io" and chance.random() < 0.2
    path = (segment,) if is_short else (segment, *chance.choice(REST).split("/"))
    return Question(cluster, namespace, host, path)


def random_viewers(chance: random.Random, world: World) -> list[Viewer]:
    """Return an administrator, somebody of no workspace, and somebody of one."""
    return [ADMINISTRATOR, Viewer(False), Viewer(False, chance.choice(world.workspaces))]
