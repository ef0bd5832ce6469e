"""Finding images by what somebody types: a part of a name, or a whole one, copied from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.names import fold_name
from models.queries.images import ImageSearch, found_images
from models.queries.sight import Sight
from models.queries.spaces import PullableOfOwn
from models.reading import Page, PageRequest, Readable
from models.records import FoundImageRecord, IntegrationRecord
from registry_clients.image_host import InvalidImageHost, parse_image_host
from registry_clients.image_reference import reads_as_host
from services.pull_access import registries_of_host, registry_for, seen_namespace
from services.workspace_input import NamespaceName

_IN_NAMES = re.compile(r"[a-z0-9._/-]*")
"""Of which characters names of repositories are. Source: the grammar that `registry_clients.image_reference` names."""


@dataclass(frozen=True, slots=True)
class TypedImage:
    """What was typed, taken apart."""

    name: str
    """The name, or a part of it, without tag and digest; with the host, as long as nobody knows it for one."""

    host: str | None = None
    """What reads as an image host, in its one form."""

    name_behind_host: str = ""


def read_typed_image(text: str) -> TypedImage:
    """Return the parts of what was typed, without case; never raises."""
    text = fold_name(text).strip().lstrip("/").partition("@")[0]
    path, slash, last = text.rpartition("/")
    name = f"{path}{slash}{last.partition(':')[0]}"
    segment, slash, rest = name.partition("/")
    if not slash or not reads_as_host(segment):
        return TypedImage(name)
    try:
        return TypedImage(name, parse_image_host(segment), rest)
    except InvalidImageHost:
        return TypedImage(name)


async def search_images(
    readable: Readable, text: str, namespace: NamespaceName | None, sight: Sight, request: PageRequest
) -> Page[FoundImageRecord]:
    """Return a page of the images that somebody with that sight finds, the best first.

    With a namespace, those that it may pull; one that isn't seen may pull what everybody may. An image host that one
    registry has limits the search to that registry, and to names that begin with what stands behind it. It takes six
    statements at most.
    """
    further: Sight | PullableOfOwn = sight
    workspace_id = None
    if namespace is not None:
        found = await seen_namespace(readable, namespace, sight)
        workspace_id = None if found is None else found.workspace_id
        further = PullableOfOwn(workspace_id)
    typed = read_typed_image(text)
    search = ImageSearch(typed.name, further=further)
    if typed.host is not None:
        registries = await registries_of_host(readable, typed.host, sight)
        registry = registry_for(registries, workspace_id) if namespace is not None else _only_one_of(registries)
        if registry is not None:
            search = ImageSearch(typed.name_behind_host, registry.id, further)
        elif registries and namespace is None:
            search = ImageSearch(typed.name_behind_host, further=further)
    if not _IN_NAMES.fullmatch(search.text) or (not search.text and search.integration_id is None):
        return Page([], False, request.after is not None, request.order)
    return await found_images(readable, search, request)


def _only_one_of(registries: Sequence[IntegrationRecord]) -> IntegrationRecord | None:
    """Return the platform's registry, else the one that a workspace brought; None where several workspaces did."""
    of_platform = registry_for(registries, None)
    return registries[0] if of_platform is None and len(registries) == 1 else of_platform
