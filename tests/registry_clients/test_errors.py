"""The errors of registries: reasons, and what they may show to whom."""

import pytest

from registry_clients import errors
from registry_clients.errors import FailureReason, RegistryError


def _subclasses(kind: type[RegistryError]) -> list[type[RegistryError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_subclasses(child))]


def test_each_reason_has_its_error_and_the_page_on_top_says_so() -> None:
    kinds = _subclasses(RegistryError)
    assert {kind.reason for kind in kinds} == set(FailureReason)
    for kind in kinds:
        line = next(line for line in (errors.__doc__ or "").splitlines() if f"── {kind.__name__} " in line)
        name, reason, retryable = line.split("── ")[1].split()[:3]
        assert (name, reason, retryable) == (kind.__name__, kind.reason, "yes" if kind.is_retryable else "no")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, None),
        ("", None),
        ("\x00\x1b\r\n", None),
        ("denied:\r\n no\x1b[31m", "denied:  no [31m"),
        ("a\u202eb\u2066c\ud800d", "a b c d"),
        ("x" * 600, "x" * 500),
    ],
)
def test_a_registrys_words_are_kept_on_one_short_line(said: str | None, kept: str | None) -> None:
    assert RegistryError("It failed.", registry_message=said).registry_message == kept


def test_an_error_shows_its_message_alone() -> None:
    error = errors.CredentialRejected("No.", registry_message="internal 10.0.0.1", http_status=401)
    assert str(error) == "No."
    assert repr(error) == "CredentialRejected('No.')"
    assert (error.message, error.http_status, error.reason) == ("No.", 401, "UNAUTHORIZED")
