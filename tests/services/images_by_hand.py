"""What a search for images is to find, over plain lists: a second answer, that knows no SQL and no index.

It follows the description of the surface alone. Who may see and pull what comes from `pull_access_worlds`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.enums import RegistryKind, SpaceState
from tests.services.pull_access_worlds import CLUSTERS, NAMESPACES, Question, Registry, Space, World, verdict

NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789._/-"
SEPARATORS = "/-_."
WORDS = ("app", "api", "shop", "web", "a", "b0", "library", "team", "shopping", "10", "re.app")


@dataclass(frozen=True, slots=True)
class Image:
    """A repository."""

    id: int
    space: Space
    registry: Registry
    name: str


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody types, and the namespace that is to pull it."""

    text: str
    namespace: tuple[str, str] | None = None
    """Cluster and name."""


def place_of(name: str, text: str) -> tuple[int, str] | None:
    """Return where a name stands among those that a text finds; None where it isn't found."""
    last_segment = name.split("/")[-1]
    if last_segment.startswith(text):
        return 0, last_segment
    if name.startswith(text):
        return 1, name
    if any(separator + text in name for separator in SEPARATORS):
        return 2, ""
    return (3, "") if len(text) >= 3 and text in name else None


def due(images: Sequence[Image], seen: World, search: Search) -> list[int]:
    """Return the ids of the images that are to be found, in their order, in a world of which all may be known."""
    seen_spaces = {space.id for space in seen.spaces}
    standing = [image for image in images if image.space.id in seen_spaces and is_standing(image.space)]
    if search.namespace is not None:
        standing = [image for image in standing if _may_pull(seen, image, search.namespace)]
    host, name = _taken_apart(search.text)
    registries = _registries_of(seen, host, search.namespace)
    if len(registries) != 1:
        text = f"{host}/{name}" if host and not registries else name
        found = {image: place_of(image.name, text) if text else None for image in standing}
    else:
        of_registry = [image for image in standing if image.registry in registries]
        found = {image: (1, image.name) if image.name.startswith(name) else None for image in of_registry}
    placed = [(place, image.id) for image, place in found.items() if place is not None]
    return [id_ for _, id_ in sorted(placed)]


def is_standing(space: Space) -> bool:
    """Return whether a space is at its registry, or expected there."""
    return space.state is not SpaceState.VANISHED


def _may_pull(seen: World, image: Image, namespace: tuple[str, str]) -> bool:
    answer = verdict(seen, Question(*namespace, image.registry.hosts[0], tuple(image.name.split("/"))))
    # The same name may be one of another registry, or of another space, for that namespace.
    return answer.is_allowed and answer.space is image.space


def _taken_apart(text: str) -> tuple[str, str]:
    """Return the host, or nothing, and the name without tag and digest."""
    text = re.sub(r"(:[^:/@]*)?(@.*)?$", "", text.strip().casefold().lstrip("/"))
    host, slash, name = text.partition("/")
    if slash and (re.search(r"[.:]", host) or host == "localhost"):
        return host.removesuffix(":443"), name
    return "", text


def _registries_of(seen: World, host: str, namespace: tuple[str, str] | None) -> list[Registry]:
    """Return the registries to which a host limits a search."""
    registries = [registry for registry in seen.registries if host in registry.hosts]
    of_platform = [registry for registry in registries if registry.owner is None]
    if of_platform or namespace is None:
        return of_platform or registries
    owner = seen.owners.get(namespace)
    return [registry for registry in registries if owner is not None and registry.owner == owner]


def random_images(chance: random.Random, world: World) -> list[Image]:
    """Return some repositories of each space, in any order; of those that vanished as well."""
    names = [(space, name) for space in world.spaces for name in _random_names(chance, world, space)]
    chance.shuffle(names)
    return [
        Image(number, space, world.registries[space.registry - 1], name)
        for number, (space, name) in enumerate(names, 1)
    ]


def _random_names(chance: random.Random, world: World, space: Space) -> Iterator[str]:
    prefix = f"{space.name}/"
    is_default = space.name == "library" and world.registries[space.registry - 1].kind is RegistryKind.DOCKER_REGISTRY
    found = set()
    for _ in range(chance.randint(0, 6)):
        parts = [chance.choice(WORDS) for _ in range(chance.randint(1, 4))]
        name = "".join(part + chance.choice([*SEPARATORS, "__"]) for part in parts[:-1]) + parts[-1]
        is_short = is_default and "/" not in name and chance.random() < 0.5
        found.add(name if is_short else prefix + name)
    yield from sorted(found)


def random_search(chance: random.Random, world: World, images: Sequence[Image]) -> Search:
    """Return a search for something that there is, mostly."""
    image = chance.choice(images) if images else None
    name = "shop/app" if image is None else image.name
    start = chance.choice([0, name.rfind("/") + 1, chance.randrange(len(name))])
    part = name[start : chance.randint(start + 1, len(name))]
    hosts = chance.choice(world.registries).hosts if image is None else image.registry.hosts
    text = chance.choice(
        [
            part,
            part,
            part.upper(),
            f" {name}:1.0 ",
            chance.choice(hosts) + "/" + name[: chance.randint(0, len(name))],
            chance.choice(hosts) + "/" + chance.choice([part, f"{name}:1.0", f"{name}@sha256:{'0f' * 32}"]),
            f"unknown.example:5000/{name}",
            chance.choice(NAME_CHARACTERS),
            chance.choice(WORDS),
        ]
    )
    namespace = (chance.choice(CLUSTERS), chance.choice([*NAMESPACES, "nobodys"])) if chance.random() < 0.6 else None
    return Search(text, namespace)
