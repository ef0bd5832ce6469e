"""Who may use a root field; every one declares it, and a test holds that."""

from enum import Enum

from models.enums import Role
from services.viewer import ViewerScope


class Access(Enum):
    """Who may use a root field."""

    EVERY_VIEWER = "every viewer"
    WORKSPACE_ADMINISTRATORS = "platform administrators, and workspace administrators for what is their workspace's"
    PLATFORM_ADMINISTRATORS = "platform administrators"

    def is_granted_to(self, scope: ViewerScope) -> bool:
        """Return whether somebody may."""
        if self is Access.EVERY_VIEWER or scope.is_platform_admin:
            return True
        return self is Access.WORKSPACE_ADMINISTRATORS and scope.role is Role.WORKSPACE_ADMIN

    @property
    def refusal(self) -> str:
        """What others are told."""
        if self is Access.WORKSPACE_ADMINISTRATORS:
            return "This is for administrators, of the platform or of a workspace."
        return "This is for platform administrators."


ACCESS_METADATA = "access"
"""The key in a field's metadata under which its declaration lies."""
