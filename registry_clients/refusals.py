"""What a registry that works may lack or refuse: no failure of it, and no matter of health.

Refusal                      raised when
├── FeedLost                 changes can't be followed from where we stood: look at everything again
├── NoReaderCredential       a credential for reading alone can't be had
├── DeletionRefused          an artifact, a tag or a repository can't be deleted
└── SpaceRefused             a space can't be made, changed or deleted
    ├── SpaceNameHeld        another space has the name
    ├── SpaceNotAccepted     name, limit or visibility is none that the registry takes
    ├── SpaceNotEmpty        it still holds repositories
    ├── SpaceGone            there is no such space (any more)
    └── QuotaExceeded        a limit on storage forbids it
"""

from enum import StrEnum

from registry_clients.errors import printable


class Refusal(Exception):
    """A registry says no, or can't do what was asked.

    ``message`` is a sentence for a person, safe for everybody; ``registry_message`` is what the registry
    itself said, for administrators.
    """

    def __init__(self, message: str, *, registry_message: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.registry_message = printable(registry_message)


class FeedLoss(StrEnum):
    """Why changes can't be followed."""

    NOT_OFFERED = "NOT_OFFERED"
    """The registry keeps no log of changes: too old, or another software."""
    SWITCHED_OFF = "SWITCHED_OFF"
    """Its administrator had it keep none, or not of what we need."""
    PURGED = "PURGED"
    """Entries that we haven't seen may have been deleted."""
    WENT_BACK = "WENT_BACK"
    """The log is older than what we have seen: the registry was restored from a backup."""


class FeedLost(Refusal):
    """Changes can't be followed from where we stood. ``reason`` says why."""

    def __init__(self, reason: FeedLoss, message: str, *, registry_message: str | None = None) -> None:
        super().__init__(message, registry_message=registry_message)
        self.reason = reason


class NoReader(StrEnum):
    """Why there is no credential for reading alone."""

    NOT_OFFERED = "NOT_OFFERED"
    """The registry has no such credentials, or can't give one what we need: too old."""
    REFUSED = "REFUSED"
    """The administrator's credential may not make one."""
    READ_ONLY = "READ_ONLY"
    """The registry takes no writes at present."""


class NoReaderCredential(Refusal):
    """A credential for reading alone can't be had. ``reason`` says why."""

    def __init__(self, reason: NoReader, message: str, *, registry_message: str | None = None) -> None:
        super().__init__(message, registry_message=registry_message)
        self.reason = reason


class NoDeletion(StrEnum):
    """Why something in a repository isn't deleted."""

    IMMUTABLE = "IMMUTABLE"
    """A rule at the registry keeps a tag, and with it its artifact and its repository."""
    IN_USE = "IN_USE"
    """Something else there needs it: an index its images."""
    SWITCHED_OFF = "SWITCHED_OFF"
    """The registry was set up so that nothing can be deleted."""
    NOT_OFFERED = "NOT_OFFERED"
    """The registry can't delete such a thing by itself: too old."""
    OTHER = "OTHER"
    """What the registry says is all there is to know."""


class DeletionRefused(Refusal):
    """An artifact, a tag or a repository can't be deleted, and nothing was. ``reason`` says why."""

    def __init__(self, reason: NoDeletion, message: str, *, registry_message: str | None = None) -> None:
        super().__init__(message, registry_message=registry_message)
        self.reason = reason


class SpaceRefused(Refusal):
    """A space can't be made, changed or deleted. ``name`` is the space's."""

    def __init__(self, name: str, message: str, *, registry_message: str | None = None) -> None:
        super().__init__(message, registry_message=registry_message)
        self.name = name


class SpaceNameHeld(SpaceRefused):
    """Another space has the name."""


class SpaceNotAccepted(SpaceRefused):
    """What was asked for is nothing that the registry takes: a name with capitals, a limit of nothing."""


class SpaceNotEmpty(SpaceRefused):
    """The space holds repositories, if only empty ones."""


class SpaceGone(SpaceRefused):
    """There is no such space at the registry, or no longer."""


class QuotaExceeded(SpaceRefused):
    """A limit on storage forbids it."""
