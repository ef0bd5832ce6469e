"""Every failure of aiohttp that was recorded becomes exactly one error of ours."""

import json
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from registry_clients.aiohttp_failures import AIOHTTP_FAILURES, registry_error_of
from registry_clients.errors import (
    CertificateExpired,
    ConnectionFailed,
    ConnectionRefused,
    NameNotResolved,
    RegistryError,
    TimedOut,
    TlsNotTrusted,
    UnexpectedAnswer,
)
from tests.recordings.recording import read_recording

ASKED = URL("https://registry.test:5000/v2/")

EXPECTED: dict[str, tuple[type[RegistryError], str]] = {
    "untrusted (self-signed) certificate": (TlsNotTrusted, "is not trusted: give the CA certificate"),
    "expired certificate, trusted otherwise": (CertificateExpired, "has expired"),
    "certificate not yet valid": (CertificateExpired, "is not valid yet"),
    "certificate for another host": (TlsNotTrusted, "is for another host"),
    "certificate for another host, by name": (TlsNotTrusted, "is for another host"),
    "fingerprint pinned, wrong": (TlsNotTrusted, "another certificate"),
    "client certificate wanted, none given": (TlsNotTrusted, "client certificate"),
    "no TLS version in common": (TlsNotTrusted, "in common"),
    "TLS to a plain port": (UnexpectedAnswer, "does not speak TLS"),
    "connection refused": (ConnectionRefused, "Nothing listens"),
    "connection refused, TLS": (ConnectionRefused, "Nothing listens"),
    "name that does not resolve": (NameNotResolved, "no host named"),
    "accepts and never answers, total": (TimedOut, "in time"),
    "accepts and never answers, sock_read": (TimedOut, "in time"),
    "accepts and never answers, TLS, total": (TimedOut, "in time"),
    "accepts and never answers, TLS, sock_connect": (TimedOut, "in time"),
    "never accepts (the queue is full), total": (TimedOut, "in time"),
    "never accepts, connect": (TimedOut, "in time"),
    "never accepts, sock_connect": (TimedOut, "in time"),
    "no such scheme": (UnexpectedAnswer, "can't be asked for"),
    "not a URL": (UnexpectedAnswer, "can't be asked for"),
    "HTML with 200": (UnexpectedAnswer, "something else than JSON"),
    "HTML with 502": (UnexpectedAnswer, "something else than JSON"),
    "HTML called application/json": (UnexpectedAnswer, "can't be read"),
    "JSON cut, Content-Length right": (UnexpectedAnswer, "can't be read"),
    "JSON cut, Content-Length longer": (ConnectionFailed, "in the middle of its answer"),
    "not UTF-8": (UnexpectedAnswer, "can't be read"),
    "chunked, cut": (ConnectionFailed, "in the middle of its answer"),
    "chunked, a bad size": (UnexpectedAnswer, "does not speak HTTP"),
    "gzip announced, not gzip": (UnexpectedAnswer, "compressed"),
    "not HTTP at all": (UnexpectedAnswer, "does not speak HTTP"),
    "a header of 20 kB": (UnexpectedAnswer, "does not speak HTTP"),
    "closed without a word": (ConnectionFailed, "without an answer"),
    "JSON as text/plain": (UnexpectedAnswer, "something else than JSON"),
    "redirect to itself": (UnexpectedAnswer, "in a circle"),
    "redirect without Location": (UnexpectedAnswer, "something else than JSON"),
    "Content-Length not a number": (UnexpectedAnswer, "does not speak HTTP"),
    "two Content-Lengths": (UnexpectedAnswer, "does not speak HTTP"),
    "reset in the body": (ConnectionFailed, "in the middle of its answer"),
    "reset before the answer": (ConnectionFailed, "reset the connection"),
    "a byte every 0.2 s, total 2 s": (TimedOut, "in time"),
    "stalls in the body, sock_read 1 s": (TimedOut, "in time"),
    "JSON without a Content-Type": (UnexpectedAnswer, "something else than JSON"),
}

_VERIFY_CODES = {"expired": 10, "not yet valid": 9, "Hostname mismatch": 62, "IP address mismatch": 64}

CASES: list[dict[str, Any]] = [case for case in read_recording("aiohttp_errors")["cases"] if "exception" in case]


def test_no_recorded_failure_is_left_out() -> None:
    assert [case["case"] for case in CASES] == list(EXPECTED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_each_recorded_failure_is_one_error(case: dict[str, Any]) -> None:
    kind, words = EXPECTED[case["case"]]
    raised = _rebuilt(case)
    assert isinstance(raised, AIOHTTP_FAILURES)

    error = registry_error_of(raised, ASKED)

    assert type(error) is kind
    assert words in error.message
    assert "registry.test" in error.message
    # What aiohttp says holds addresses and bytes of the answer; none of it goes to people.
    assert "127.0.0.1" not in error.message
    assert error.registry_message is None


def test_alerts_and_ends_during_tls() -> None:
    end = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    error = registry_error_of(aiohttp.ClientConnectorSSLError(_key(), end), ASKED)
    assert type(error) is ConnectionFailed
    unreachable = aiohttp.ClientConnectorError(_key(), OSError(113, "No route to host"))
    assert registry_error_of(unreachable, ASKED).message == "There is no route to registry.test:5000."


def _rebuilt(case: dict[str, Any]) -> Exception:
    """Return the exception that was recorded, as far as it says something."""
    name = case["exception"].rsplit(".", 1)[-1]
    message: str = case["message"]
    error = _made(name, message, case)
    cause = case["cause"]
    if cause is not None and error.__cause__ is None:
        cause_name, _, cause_text = cause.partition(": ")
        if cause_name == "SSLError":
            error.__cause__ = _tls_error(cause_text)
        elif cause_name.endswith("ConnectionResetError"):
            error.__cause__ = ConnectionResetError(104, cause_text)
    return error


def _made(name: str, message: str, case: dict[str, Any]) -> Exception:
    cause = case["cause"] or ""
    if name == "ClientConnectorCertificateError":
        certificate_error = ssl.SSLCertVerificationError(1, cause)
        certificate_error.verify_code = next((code for text, code in _VERIFY_CODES.items() if text in cause), 18)
        return aiohttp.ClientConnectorCertificateError(_key(), certificate_error)
    if name == "ClientConnectorSSLError":
        return aiohttp.ClientConnectorSSLError(_key(), _tls_error(cause))
    if name == "ClientConnectorError":
        return aiohttp.ClientConnectorError(_key(), ConnectionRefusedError(111, message))
    if name == "ClientConnectorDNSError":
        return aiohttp.ClientConnectorDNSError(_key(), socket.gaierror(-2, "Name or service not known"))
    if name == "ServerFingerprintMismatch":
        return aiohttp.ServerFingerprintMismatch(b"", b"", "127.0.0.1", 15040)
    if name in ("ClientResponseError", "ContentTypeError", "TooManyRedirects"):
        headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict({"Authorization": "Basic c2VjcmV0"}))
        information = aiohttp.RequestInfo(ASKED, "GET", headers, ASKED)
        status = int(message.partition(",")[0])
        kind: type[aiohttp.ClientResponseError] = getattr(aiohttp, name)
        return kind(information, (), status=status, message=message)
    if name == "ClientOSError":
        errno = int(message.partition("]")[0].removeprefix("[Errno "))
        return aiohttp.ClientOSError(errno, message)
    if name == "JSONDecodeError":
        return json.JSONDecodeError(message, "", 0)
    if name == "UnicodeDecodeError":
        return UnicodeDecodeError("utf-8", b"\xff", 0, 1, message)
    if name == "TimeoutError":
        return TimeoutError()
    made: Exception = getattr(aiohttp, name)(message)
    return made


def _tls_error(text: str) -> ssl.SSLError:
    error = ssl.SSLError(1, text)
    error.reason = text.partition("[SSL: ")[2].partition("]")[0]
    return error


def _key() -> ConnectionKey:
    return ConnectionKey("127.0.0.1", 15040, True, True, None, None, None)
