"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.enums import Role
from models.queries.sight import EVERYTHING, Sight


@dataclass(frozen=True, slots=True)
class ViewerScope:
    """What somebody may see and do: the same for all who have a role, and the basis of what they may share."""

    role: Role
    workspace_id: int | None
    """The workspace that the role is for; None for the platform's roles, and when the workspace is gone."""

    @property
    def is_platform_admin(self) -> bool:
        """Whether everything of the platform may be seen and done."""
        return self.role is Role.PLATFORM_ADMIN

    @property
    def sight(self) -> Sight:
        """What may be seen."""
        if self.is_platform_admin:
            return EVERYTHING
        return Sight(() if self.workspace_id is None else (self.workspace_id,))

    def administers(self, workspace_id: int | None) -> bool:
        """Return whether what a workspace brought may be changed; None stands for the platform's."""
        if self.is_platform_admin:
            return True
        return self.role is Role.WORKSPACE_ADMIN and workspace_id is not None and workspace_id == self.workspace_id


@dataclass(frozen=True, slots=True)
class Viewer(ViewerScope):
    """The bearer of a credential, for the length of a request, a stream or a socket."""

    access_token_id: int
    name: str
    expires_at: datetime

    @property
    def scope(self) -> ViewerScope:
        """What the viewer shares with others of the same role."""
        return ViewerScope(self.role, self.workspace_id)
