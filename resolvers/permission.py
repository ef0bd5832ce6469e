"""Who may use a root field; every one declares it, and a test holds that."""

from enum import Enum

from services.viewer import Viewer


class Access(Enum):
    """Who may use a root field."""

    EVERY_VIEWER = "every viewer"
    PLATFORM_ADMINISTRATORS = "platform administrators"

    def is_granted_to(self, viewer: Viewer) -> bool:
        """Return whether the viewer may."""
        return self is Access.EVERY_VIEWER or viewer.is_platform_admin


ACCESS_METADATA = "access"
"""The key in a field's metadata under which its declaration lies."""
