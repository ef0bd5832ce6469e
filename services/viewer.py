"""Who is asking."""

from dataclasses import dataclass
from datetime import datetime

from models.enums import Role
from models.queries.sight import EVERYTHING, Sight


@dataclass(frozen=True, slots=True)
class Viewer:
    """The bearer of a credential, for the length of a request, a stream or a socket."""

    access_token_id: int
    name: str
    role: Role
    workspace_id: int | None
    """The workspace that the role is for; None for the platform's roles, and when the workspace is gone."""

    expires_at: datetime

    @property
    def is_platform_admin(self) -> bool:
        """Whether the viewer may see and do everything of the platform."""
        return self.role is Role.PLATFORM_ADMIN

    @property
    def sight(self) -> Sight:
        """What the viewer may see."""
        if self.is_platform_admin:
            return EVERYTHING
        return Sight(() if self.workspace_id is None else (self.workspace_id,))

    def administers(self, workspace_id: int | None) -> bool:
        """Return whether the viewer may change what a workspace brought; None stands for the platform's."""
        if self.is_platform_admin:
            return True
        return self.role is Role.WORKSPACE_ADMIN and workspace_id is not None and workspace_id == self.workspace_id
