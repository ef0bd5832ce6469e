"""May this namespace pull this image, and why or why not: the one place where it is decided.

`decide` is pure. What it decides over is loaded apart, with a constant number of statements, and only as far
as the viewer may see: what is hidden reads as if it weren't there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import BindingState, PullAccessReason, Visibility
from models.queries.bindings import BINDINGS
from models.queries.integrations import INTEGRATIONS
from models.queries.sight import Sight
from models.queries.spaces import SPACES
from models.queries.workspaces import NAMESPACES, WORKSPACES
from models.reading import Readable
from models.records import BindingRecord, IntegrationRecord, NamespaceRecord, SpaceRecord, WorkspaceRecord
from registry_clients.image_reference import ImageReference, InvalidImageReference, parse_image_reference
from services.image_names import space_name_of
from services.workspace_input import NamespaceName


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What is known of an image and a namespace, each None where there is nothing to see."""

    registry: IntegrationRecord | None = None
    """The platform's registry of the image's host, else the own one of the namespace's workspace."""

    space: SpaceRecord | None = None
    """The space that the image lies in; one that vanished where none stands."""

    namespace: NamespaceRecord | None = None
    workspace: WorkspaceRecord | None = None
    binding: BindingRecord | None = None
    """Between space and workspace."""


@dataclass(frozen=True, slots=True)
class PullAccess:
    """The decision, with what it rests on."""

    is_allowed: bool
    reason: PullAccessReason
    explanation: str
    image: ImageReference | None = None
    space: SpaceRecord | None = None
    binding: BindingRecord | None = None
    workspace: WorkspaceRecord | None = None


def decide(image: ImageReference, namespace: NamespaceName, facts: AccessFacts) -> PullAccess:
    """Return whether the namespace may pull the image."""
    registry, space, workspace, binding = facts.registry, facts.space, facts.workspace, facts.binding
    who = f"the namespace “{namespace.name}” of the cluster “{namespace.cluster}”"

    def answer(reason: PullAccessReason, explanation: str, *, is_allowed: bool = False) -> PullAccess:
        return PullAccess(is_allowed, reason, explanation, image, space, binding, workspace)

    if registry is None:
        return answer(
            PullAccessReason.UNKNOWN_REGISTRY,
            f"No integrated registry has the image host “{image.host}”: integrate it, or add the host to the aliases"
            " of the integration whose images it serves.",
        )
    name = space_name_of(image.repository, registry.kind)
    if name is None:
        return answer(
            PullAccessReason.UNKNOWN_SPACE,
            f"“{image.repository}” names no project: images of “{registry.name}” are written"
            f" {image.host}/project/repository.",
        )
    if space is not None and space.is_standing and space.visibility is Visibility.PUBLIC:
        return answer(
            PullAccessReason.SPACE_IS_PUBLIC,
            f"The space “{space.name}” of “{registry.name}” is public: {_everybody(registry)} may pull from it.",
            is_allowed=True,
        )
    if facts.namespace is None or workspace is None:
        return answer(
            PullAccessReason.UNKNOWN_NAMESPACE,
            f"The space “{name}” of “{registry.name}” is not open to everybody, and {who} belongs to no workspace:"
            " add the namespace to one.",
        )
    if space is None:
        return answer(
            PullAccessReason.UNKNOWN_SPACE,
            f"“{registry.name}” has no space “{name}” that {who} could pull from: check the name, or ask a platform"
            f" administrator to bind it to the workspace “{workspace.name}”.",
        )
    if not space.is_standing:
        suspended = "" if binding is None else f", and its binding to the workspace “{workspace.name}” is suspended"
        return answer(
            PullAccessReason.UNKNOWN_SPACE,
            f"The space “{space.name}” is no longer at “{registry.name}”{suspended}: make it again, or use another.",
        )
    if binding is not None and binding.state is BindingState.ACTIVE:
        return answer(
            PullAccessReason.BOUND,
            f"The space “{space.name}” of “{registry.name}” is bound to the workspace “{workspace.name}”, to which"
            f" {who} belongs.",
            is_allowed=True,
        )
    taken_back = "" if binding is None else " any longer"
    return answer(
        PullAccessReason.NOT_BOUND,
        f"The space “{space.name}” of “{registry.name}” is private and not bound to the workspace “{workspace.name}”"
        f"{taken_back}, to which {who} belongs: bind it to let them pull.",
    )


def _everybody(registry: IntegrationRecord) -> str:
    return "every namespace" if registry.workspace_id is None else "every namespace of the workspace that brought it"


async def pull_access(readable: Readable, namespace: NamespaceName, image: str, sight: Sight) -> PullAccess:
    """Return whether a namespace may pull an image, as far as somebody with that sight may know.

    Never raises for what was typed: what is no image reference is INVALID_IMAGE.
    """
    try:
        reference = parse_image_reference(image)
    except InvalidImageReference as error:
        return PullAccess(False, PullAccessReason.INVALID_IMAGE, error.message)
    return decide(reference, namespace, await access_facts(readable, namespace, reference, sight))


async def access_facts(
    readable: Readable, namespace: NamespaceName, image: ImageReference, sight: Sight
) -> AccessFacts:
    """Return what is known of a namespace and an image, as far as it is seen; with five statements at most."""
    found = await seen_namespace(readable, namespace, sight)
    owner_id = None if found is None else found.workspace_id
    registry = registry_for(await registries_of_host(readable, image.host, sight), owner_id)
    name = None if registry is None else space_name_of(image.repository, registry.kind)
    space = None
    if registry is not None and name is not None:
        spaces = await SPACES.all(
            readable,
            lambda statement: [
                f's."integration_id" = {statement.bind(registry.id)}',
                f's."name" = {statement.bind(name)}',
                *sight.spaces(statement),
            ],
        )
        # One that stands goes before those that vanished, the latest of these before older ones.
        space = max(spaces, key=lambda each: (each.is_standing, each.id), default=None)
    if found is None:
        return AccessFacts(registry=registry, space=space)
    workspaces = await WORKSPACES.all(readable, lambda statement: [f'w."id" = {statement.bind(found.workspace_id)}'])
    bindings = (
        []
        if space is None
        else await BINDINGS.all(
            readable,
            lambda statement: [
                f'b."space_id" = {statement.bind(space.id)}',
                f'b."workspace_id" = {statement.bind(found.workspace_id)}',
            ],
        )
    )
    return AccessFacts(
        registry=registry,
        space=space,
        namespace=found,
        workspace=workspaces[0] if workspaces else None,
        binding=bindings[0] if bindings else None,
    )


async def seen_namespace(readable: Readable, namespace: NamespaceName, sight: Sight) -> NamespaceRecord | None:
    """Return a namespace, if it is known and seen."""
    namespaces = await NAMESPACES.all(
        readable,
        lambda statement: [
            f'n."cluster" = {statement.bind(namespace.cluster)}',
            f'n."name" = {statement.bind(namespace.name)}',
            *sight.namespaces(statement),
        ],
    )
    return namespaces[0] if namespaces else None


async def registries_of_host(readable: Readable, host: str, sight: Sight) -> list[IntegrationRecord]:
    """Return the registries that are seen whose images have this host: one of the platform's, one of each workspace."""
    return await INTEGRATIONS.all(
        readable,
        lambda statement: [
            f'i."id" IN (SELECT "integration_id" FROM "image_host" WHERE "host" = {statement.bind(host)})',
            *sight.integrations(statement),
        ],
    )


def registry_for(registries: Sequence[IntegrationRecord], workspace_id: int | None) -> IntegrationRecord | None:
    """Return whose the image host is: the platform's registry goes before one that the workspace brought.

    What other workspaces brought counts for them alone.
    """
    own = {registry.workspace_id: registry for registry in registries}
    if None in own:
        return own[None]
    return None if workspace_id is None else own.get(workspace_id)
