"""The kinds of registries that tell us of their changes unasked, and how each does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from registry_clients.docker_registry.notifications import (
    NotNotifications,
    configuration_for,
    parse_notifications,
)
from registry_clients.kind import RegistryKind
from registry_clients.records import NotifiedChange

__all__ = ["NOTIFICATION_FORMATS", "NotNotifications", "NotificationFormat"]


@dataclass(frozen=True, slots=True)
class NotificationFormat:
    """What one kind of registry posts, and how it is told to.

    ``name`` stands in the addresses that it posts to. ``parse`` returns the changes in a body, or raises
    NotNotifications; ``configuration_for`` returns what the registry's owner pastes, for an address, with a
    placeholder for the secret.
    """

    name: str
    parse: Callable[[bytes], tuple[NotifiedChange, ...]]
    configuration_for: Callable[[str], str]


NOTIFICATION_FORMATS: Mapping[RegistryKind, NotificationFormat] = MappingProxyType(
    {RegistryKind.DOCKER_REGISTRY: NotificationFormat("distribution", parse_notifications, configuration_for)}
)
