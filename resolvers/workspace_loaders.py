"""The loaders of workspaces, their namespaces, and the bindings between spaces and workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.queries.bindings import BINDINGS, bindings_by_id, registry_enforcements
from models.queries.spaces import PULLABLE_SPACES
from models.queries.workspaces import NAMESPACES, namespaces_by_id, workspaces_by_id
from models.records import (
    BindingRecord,
    NamespaceRecord,
    PullableSpaceRecord,
    RegistryEnforcementRecord,
    WorkspaceRecord,
)
from resolvers.loading import Loader
from resolvers.nested_pages import NestedPageLoader, NestedTotalLoader


class WorkspaceByIdLoader(Loader[int, WorkspaceRecord | None]):
    """Workspaces that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, WorkspaceRecord | None]:
        """Return the workspaces."""
        return dict(await workspaces_by_id(self.database, keys, self.scope.sight))


class NamespaceByIdLoader(Loader[int, NamespaceRecord | None]):
    """Namespaces that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, NamespaceRecord | None]:
        """Return the namespaces."""
        return dict(await namespaces_by_id(self.database, keys, self.scope.sight))


class NamespacePageLoader(NestedPageLoader[NamespaceRecord]):
    """The same page of the namespaces of many workspaces."""

    reader = NAMESPACES
    parent = 'n."workspace_id"'
    parent_attribute = "workspace_id"


class NamespaceTotalLoader(NestedTotalLoader):
    """How many namespaces many workspaces have."""

    reader = NAMESPACES
    parent = 'n."workspace_id"'


class BindingByIdLoader(Loader[int, BindingRecord | None]):
    """Bindings that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, BindingRecord | None]:
        """Return the bindings."""
        return dict(await bindings_by_id(self.database, keys, self.scope.sight))


class BindingOfSpacePageLoader(NestedPageLoader[BindingRecord]):
    """The same page of the bindings of many spaces."""

    reader = BINDINGS
    parent = 'b."space_id"'
    parent_attribute = "space_id"


class BindingOfSpaceTotalLoader(NestedTotalLoader):
    """How many bindings many spaces have."""

    reader = BINDINGS
    parent = 'b."space_id"'


class BindingOfWorkspacePageLoader(NestedPageLoader[BindingRecord]):
    """The same page of the bindings of many workspaces."""

    reader = BINDINGS
    parent = 'b."workspace_id"'
    parent_attribute = "workspace_id"


class BindingOfWorkspaceTotalLoader(NestedTotalLoader):
    """How many bindings many workspaces have."""

    reader = BINDINGS
    parent = 'b."workspace_id"'


class PullableSpacePageLoader(NestedPageLoader[PullableSpaceRecord]):
    """The same page of what many workspaces may pull from."""

    reader = PULLABLE_SPACES
    parent = 's."id"'
    parent_attribute = "workspace_id"


class PullableSpaceTotalLoader(NestedTotalLoader):
    """From how many spaces many workspaces may pull."""

    reader = PULLABLE_SPACES
    parent = 's."id"'


class RegistryEnforcementLoader(Loader[tuple[int, int], RegistryEnforcementRecord | None]):
    """How far bindings have been made true, by workspace and integration."""

    async def fetch(
        self, keys: Sequence[tuple[int, int]]
    ) -> Mapping[tuple[int, int], RegistryEnforcementRecord | None]:
        """Return the records."""
        return dict(await registry_enforcements(self.database, keys))
