"""The data folder: one server at a time, keys and the admin token for their owner alone."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.credential_cipher import EncryptionKey, InvalidKeys, format_keys, parse_keys

ADMIN_TOKEN_FILE = "admin-token"  # noqa: S105 (the name of a file)
KEY_FILE = "encryption-keys"
LOCK_FILE = "lock"


class DataFolderInUse(Exception):
    """Another server runs on the same data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another server is running on the data folder {folder}. Stop it, or give another folder.")


class MissingKeys(Exception):
    """There is a database and no key for it."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"The database is there and {file} is not. Put the file back: without it the stored credentials are lost."
        )


class DataFolderUnusable(Exception):
    """The data folder can't be made, or nothing can be written there."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"The data folder {folder} can't be used: {error.strerror}. Give another folder.")


def ensure_folder(folder: Path) -> None:
    """Make the folder for its owner alone, if it isn't there. Raises DataFolderUnusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataFolderUnusable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataFolderUnusable(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one process; the system lets go when that ends, however it ends.

    Raises DataFolderInUse.
    """
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataFolderInUse(folder) from error
        yield
    finally:
        os.close(descriptor)


def write_secret(file: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all, also through a crash."""
    temporary = file.with_name(f".{file.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_or_make_keys(folder: Path, is_database_new: bool) -> tuple[EncryptionKey, ...]:
    """Return the encryption keys of the folder; made now for a new database.

    Raises MissingKeys for an old one, InvalidKeys for a file that holds none.
    """
    file = folder / KEY_FILE
    if not file.exists():
        if not is_database_new:
            raise MissingKeys(file)
        write_secret(file, format_keys((EncryptionKey.generate(),)))
    try:
        return parse_keys(file.read_text("ascii"))
    except ValueError as error:
        # InvalidKeys, or no text at all: which file it was is what the operator needs.
        raise InvalidKeys(f"{file} holds no encryption keys: {_what_is_wrong(error)}") from error


def _what_is_wrong(error: ValueError) -> str:
    # The text of a decoding error quotes a byte of the file.
    return str(error) if isinstance(error, InvalidKeys) else "it is no text."
