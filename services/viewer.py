"""Who is asking."""

from dataclasses import dataclass
from datetime import datetime

from models.enums import Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """The bearer of a credential, for the length of a request, a stream or a socket."""

    access_token_id: int
    name: str
    role: Role
    expires_at: datetime

    @property
    def is_platform_admin(self) -> bool:
        """Whether the viewer may see and do everything of the platform."""
        return self.role is Role.PLATFORM_ADMIN
