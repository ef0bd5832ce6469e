"""The certificate and key to serve with, looked at before anything begins."""

from __future__ import annotations

import ssl
from pathlib import Path


class InvalidTlsFiles(Exception):
    """Certificate and key can't be used; the message says why."""


def check_tls_files(certificate_file: Path, key_file: Path) -> None:
    """Raise InvalidTlsFiles unless the files hold a certificate and its key, PEM, without a passphrase."""
    files = f"{certificate_file} and {key_file}"
    try:
        # OpenSSL would ask the terminal for a passphrase, and wait.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file, _no_passphrase)
    except _PassphraseNeeded:
        raise InvalidTlsFiles(f"The key in {key_file} has a passphrase: give one without.") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InvalidTlsFiles(f"The key in {key_file} is not that of the certificate.") from error
        raise InvalidTlsFiles(f"TLS can't be served with {files}: they must be PEM.") from error
    except OSError as error:
        raise InvalidTlsFiles(f"TLS can't be served with {files}: {error.strerror}.") from error


class _PassphraseNeeded(Exception):
    pass


def _no_passphrase() -> str:
    raise _PassphraseNeeded
