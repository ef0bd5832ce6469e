"""What can go wrong with a registry.

RegistryError                reason                  retryable  raised when
├── NameNotResolved          NAME_NOT_RESOLVED       yes        the name server knows no such host, or fails
├── ConnectionRefused        CONNECTION_REFUSED      yes        nothing listens at that port
├── ConnectionFailed         CONNECTION_FAILED       yes        reset, no route, closed or cut early
├── TimedOut                 TIMED_OUT               yes        no whole answer by the deadline
├── TlsNotTrusted            TLS_NOT_TRUSTED         no         unknown issuer, another name, no common TLS
├── CertificateExpired       CERTIFICATE_EXPIRED     no         the certificate is past its time, or before it
├── AddressRefused           ADDRESS_REFUSED         no         our address policy forbids where it leads
├── CredentialRejected       UNAUTHORIZED            no         no, a wrong, or too weak a credential
├── NotAnAdministrator       NOT_AN_ADMINISTRATOR    no         good credential, but administrators only
├── OtherKind                OTHER_KIND              no         a registry, but of another kind than was said
├── ComponentUnhealthy       COMPONENT_UNHEALTHY     yes        it answers, and a part of it doesn't work
├── StorageUnreadable        STORAGE_UNREADABLE      yes        it answers, and can't read what it stores
├── ReadOnly                 READ_ONLY               no         it takes no writes at present
└── UnexpectedAnswer         UNEXPECTED_ANSWER       no         what came is not what a registry says
    ├── AnswerTooLarge       UNEXPECTED_ANSWER       no         more bytes came than we are willing to hold
    └── UnreadableManifest   UNEXPECTED_ANSWER       no         it is what was pushed, and no manifest that we know

"Retryable" says that the same call may well succeed a moment later; it concerns one call, not whether health
keeps being probed.
"""

import re
from enum import StrEnum
from typing import ClassVar

MAX_REGISTRY_MESSAGE_CHARACTERS = 500

# C0, DEL, C1 and what turns the direction of text: a registry's words end in terminals and web pages.
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


class FailureReason(StrEnum):
    """Why a registry can't be used, in one word."""

    NAME_NOT_RESOLVED = "NAME_NOT_RESOLVED"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    TIMED_OUT = "TIMED_OUT"
    TLS_NOT_TRUSTED = "TLS_NOT_TRUSTED"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    UNAUTHORIZED = "UNAUTHORIZED"
    NOT_AN_ADMINISTRATOR = "NOT_AN_ADMINISTRATOR"
    OTHER_KIND = "OTHER_KIND"
    COMPONENT_UNHEALTHY = "COMPONENT_UNHEALTHY"
    STORAGE_UNREADABLE = "STORAGE_UNREADABLE"
    READ_ONLY = "READ_ONLY"
    UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER"


class RegistryError(Exception):
    """A call to a registry failed.

    ``message`` is a sentence or two for a person, safe for everybody: it names the host as it was typed, and
    holds no body of an answer and no address that a name led to. ``registry_message`` is what the registry
    itself said, for administrators: no control characters, at most 500 characters. ``http_status`` is the
    status that it was said with, where there was an answer at all. Every error is made the same way.
    """

    reason: ClassVar[FailureReason] = FailureReason.UNEXPECTED_ANSWER
    is_retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, registry_message: str | None = None, http_status: int | None = None) -> None:
        # Only the message goes into args: repr() and str() of an error end in logs.
        super().__init__(message)
        self.message = message
        self.registry_message = printable(registry_message)
        self.http_status = http_status


class NameNotResolved(RegistryError):
    """The host's name leads to no address."""

    reason = FailureReason.NAME_NOT_RESOLVED
    is_retryable = True


class ConnectionRefused(RegistryError):
    """The host is there, and nothing listens at the port."""

    reason = FailureReason.CONNECTION_REFUSED
    is_retryable = True


class ConnectionFailed(RegistryError):
    """The connection could not be made, or ended before the whole answer was there."""

    reason = FailureReason.CONNECTION_FAILED
    is_retryable = True


class TimedOut(RegistryError):
    """The deadline passed before the whole answer was there."""

    reason = FailureReason.TIMED_OUT
    is_retryable = True


class TlsNotTrusted(RegistryError):
    """TLS could not be agreed upon, or the certificate is not one that we trust for this host."""

    reason = FailureReason.TLS_NOT_TRUSTED


class CertificateExpired(RegistryError):
    """The certificate is not valid at this time: expired, or not valid yet."""

    reason = FailureReason.CERTIFICATE_EXPIRED


class AddressRefused(RegistryError):
    """The address policy forbids this host. Says no more: which address it was is nobody's business."""

    reason = FailureReason.ADDRESS_REFUSED

    @classmethod
    def at(cls, host: str) -> "AddressRefused":
        """Return the error for a host as it was typed."""
        return cls(f"Connections to {host} are not allowed from here.")


class CredentialRejected(RegistryError):
    """No credential where one is needed, a wrong one, or one that may not do what was asked."""

    reason = FailureReason.UNAUTHORIZED


class NotAnAdministrator(RegistryError):
    """The credential is good, and what was asked is for administrators of the registry alone."""

    reason = FailureReason.NOT_AN_ADMINISTRATOR


class OtherKind(RegistryError):
    """There is a registry, of another kind than was said."""

    reason = FailureReason.OTHER_KIND


class ComponentUnhealthy(RegistryError):
    """The registry, or what stands in front of it, answers that a part of it doesn't work."""

    reason = FailureReason.COMPONENT_UNHEALTHY
    is_retryable = True


class StorageUnreadable(RegistryError):
    """The registry answers, and can't read what it stores."""

    reason = FailureReason.STORAGE_UNREADABLE
    is_retryable = True


class ReadOnly(RegistryError):
    """The registry takes no writes at present."""

    reason = FailureReason.READ_ONLY


class UnexpectedAnswer(RegistryError):
    """An answer came, and it is none that this kind of registry gives."""

    reason = FailureReason.UNEXPECTED_ANSWER


class AnswerTooLarge(UnexpectedAnswer):
    """The answer is larger than we are willing to hold."""


class UnreadableManifest(UnexpectedAnswer):
    """What stands under a digest is what somebody pushed, and nothing that can be read as a manifest.

    Registries look little at what they are given: neither they nor the rest of what they hold is to blame.
    """


def printable(text: str | None) -> str | None:
    """Return foreign text on one line, no control characters, cut to 500; None when nothing is left."""
    if text is None:
        return None
    # Cut first as well: the text may be megabytes.
    line = _CONTROL_CHARACTERS.sub(" ", text[: 4 * MAX_REGISTRY_MESSAGE_CHARACTERS]).strip()
    return line[:MAX_REGISTRY_MESSAGE_CHARACTERS] or None
