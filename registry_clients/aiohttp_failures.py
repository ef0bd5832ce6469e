"""The one place where failures of aiohttp become errors of ours.

aiohttp tells a failure by class, by errno, by the cause and at times by text only; the table that this rests
on was recorded from aiohttp 3.14.5 and is kept with the tests.
"""

import errno
import socket
import ssl

import aiohttp
from yarl import URL

from registry_clients.endpoint import shown_host
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

# A plain TimeoutError is raised by total deadlines, ValueError by bad redirects, bad UTF-8 and bad JSON.
AIOHTTP_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

# OpenSSL's X509_V_ERR_* (openssl/x509_vfy.h).
_NOT_YET_VALID = 9
_EXPIRED = 10
_MISMATCHES = frozenset({62, 64})  # host name, IP address

# How OpenSSL 1.1 to 3.5 say that what came was no TLS at all.
_NO_TLS_REASONS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
        "UNEXPECTED_MESSAGE",
    }
)
_CLIENT_CERTIFICATE_REASONS = frozenset(
    {"SSLV3_ALERT_BAD_CERTIFICATE", "TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"}
)


def registry_error_of(error: Exception, url: URL) -> RegistryError:
    """Return what a failure of aiohttp means, for the URL that was asked. Raises nothing, keeps no cause."""
    host = shown_host(url)
    tls_error = _tls_error_of(error)
    if tls_error is not None:
        return _of_tls(tls_error, host)
    if isinstance(error, TimeoutError):
        return TimedOut(f"{host} did not answer in time.")
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return NameNotResolved(f"There is no host named {url.host}: check the address.")
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return TlsNotTrusted(f"{host} shows another certificate than the one that was agreed upon.")
    if isinstance(error, aiohttp.ClientPayloadError):
        return _of_payload(error, host)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return ConnectionFailed(f"{host} closed the connection without an answer.")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return UnexpectedAnswer(f"The address of {host} can't be asked for.")
    if isinstance(error, aiohttp.ClientResponseError):
        return _of_response(error, host)
    if isinstance(error, OSError):
        return _of_connection(error, host)
    if isinstance(error, aiohttp.ClientConnectionError):
        return ConnectionFailed(f"The connection to {host} failed.")
    return UnexpectedAnswer(f"{host} answers with something that can't be read.")


def _tls_error_of(error: Exception) -> ssl.SSLError | None:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        certificate_error = error.certificate_error
        return certificate_error if isinstance(certificate_error, ssl.SSLError) else ssl.SSLError()
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error if isinstance(error.os_error, ssl.SSLError) else None
    # An alert that comes after the handshake is a plain ClientOSError whose cause says so.
    for candidate in (error, error.__cause__):
        if isinstance(candidate, ssl.SSLError):
            return candidate
    return None


def _of_tls(error: ssl.SSLError, host: str) -> RegistryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = getattr(error, "verify_code", None)
        if code == _EXPIRED:
            return CertificateExpired(f"The certificate of {host} has expired: renew it.")
        if code == _NOT_YET_VALID:
            return CertificateExpired(f"The certificate of {host} is not valid yet: check the clocks.")
        if code in _MISMATCHES:
            return TlsNotTrusted(f"The certificate that {host} shows is for another host.")
        return TlsNotTrusted(f"The certificate of {host} is not trusted: give the CA certificate that signed it.")
    # With TLS 1.3 a certificate that the server misses is an alert after the handshake.
    reason = (getattr(error, "reason", None) or "").replace(" ", "_").upper()
    if reason in _NO_TLS_REASONS:
        return UnexpectedAnswer(f"{host} does not speak TLS: should the address begin with http://?")
    if reason in _CLIENT_CERTIFICATE_REASONS:
        return TlsNotTrusted(f"{host} ends the TLS handshake: it may ask for a client certificate, we have none.")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ConnectionFailed(f"{host} closed the connection during the TLS handshake.")
    return TlsNotTrusted(f"{host} and this server have no TLS version or cipher in common.")


def _of_payload(error: aiohttp.ClientPayloadError, host: str) -> RegistryError:
    if "content-encoding" in str(error):
        return UnexpectedAnswer(f"{host} says that its answer is compressed, and it is not.")
    return ConnectionFailed(f"{host} closed the connection in the middle of its answer.")


def _of_response(error: aiohttp.ClientResponseError, host: str) -> RegistryError:
    # The status is aiohttp's own where the answer was no HTTP: never show it. (The message quotes the bytes.)
    if isinstance(error, aiohttp.TooManyRedirects):
        return UnexpectedAnswer(f"{host} redirects in a circle.")
    if isinstance(error, aiohttp.ContentTypeError):
        return UnexpectedAnswer(f"{host} answers with something else than JSON.", http_status=error.status)
    return UnexpectedAnswer(f"{host} does not speak HTTP as it should: is this the address of a registry?")


def _of_connection(error: OSError, host: str) -> RegistryError:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return ConnectionRefused(f"Nothing listens at {host}: is the registry running, is the port right?")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return ConnectionFailed(f"There is no route to {host}.")
    if isinstance(error, ConnectionResetError) or error.errno in (errno.ECONNRESET, errno.EPIPE):
        return ConnectionFailed(f"{host} reset the connection.")
    return ConnectionFailed(f"The connection to {host} failed.")
