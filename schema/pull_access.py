"""May this namespace pull this image: the question and the answer."""

from __future__ import annotations

import strawberry

from resolvers.context import RequestContext
from resolvers.public_errors import bad_input
from schema.binding import Binding
from schema.enums import PullAccessReason
from schema.node import backed
from schema.scalars import Digest
from schema.space import Space
from schema.workspace import Workspace
from services.pull_access import pull_access as decide
from services.workspace_input import DEFAULT_CLUSTER, NamespaceName

MOST_NAME_CHARACTERS = 253


@strawberry.input(description="A Kubernetes namespace, by its name and its cluster's.")
class NamespaceRef:
    """A namespace."""

    cluster: str = strawberry.field(default=DEFAULT_CLUSTER, description="The cluster's name.")
    name: str = strawberry.field(description="The namespace's name.")

    def to_service(self) -> NamespaceName:
        """Return it as the services take it."""
        return NamespaceName(self.cluster, self.name)


@strawberry.type(description="The name of an image, taken apart.")
class ImageReference:
    """An image reference."""

    host: str = strawberry.field(description="The image host, in its one form: lower case, without a default port.")
    repository: str = strawberry.field(description="The repository's whole name.")
    tag: str | None = strawberry.field(description="The tag. Without one and without a digest, `latest` is meant.")
    digest: Digest | None = strawberry.field(description="The digest.")
    text: str = strawberry.field(description="The whole name, written out.")


@strawberry.type(description="Whether a namespace may pull an image, and why.")
class PullAccess:
    """The answer."""

    is_allowed: bool = strawberry.field(description="Whether it may.")
    reason: PullAccessReason = strawberry.field(description="Why, in one word.")
    explanation: str = strawberry.field(description="Why, and what to do, in a sentence.")
    image: ImageReference | None = strawberry.field(description="The image as it was understood.")
    space: Space | None = strawberry.field(description="The space that it lies in.")
    binding: Binding | None = strawberry.field(description="The binding between the space and the workspace.")
    workspace: Workspace | None = strawberry.field(description="The workspace that the namespace belongs to.")


def asked_namespace(namespace: NamespaceRef) -> NamespaceName:
    """Return a namespace that is asked for. Raises PublicError for names longer than any."""
    if max(len(namespace.cluster), len(namespace.name)) > MOST_NAME_CHARACTERS:
        raise bad_input(f"Names of namespaces and clusters have at most {MOST_NAME_CHARACTERS} characters.")
    return namespace.to_service()


async def answered(context: RequestContext, namespace: NamespaceRef, image: str) -> PullAccess:
    """Return the answer, as far as the viewer may know it. Raises PublicError for names longer than any."""
    access = await decide(context.database, asked_namespace(namespace), image, context.scope.sight)
    return backed(PullAccess, access)
