"""What an operator can put right: one sentence on standard error and exit status 2, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from models.migrate import SchemaTooNew
from server.assembly import DatabaseUnusable
from server.data_folder import DataFolderInUse, DataFolderUnusable, MissingKeys
from server.listening import CannotListen
from server.settings import InvalidSettings
from server.tls_files import InvalidTlsFiles
from services.credential_cipher import InvalidKeys, WrongKey
from services.user_errors import UserError, UserErrors

CANNOT_START = 2
INTERRUPTED = 130

_OPERATOR_ERRORS = (
    CannotListen,
    DatabaseUnusable,
    DataFolderInUse,
    DataFolderUnusable,
    InvalidKeys,
    InvalidSettings,
    InvalidTlsFiles,
    MissingKeys,
    SchemaTooNew,
    UserError,
    UserErrors,
    WrongKey,
)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Say what went wrong in the block, where that is the operator's, and exit."""
    try:
        yield
    except _OPERATOR_ERRORS as error:
        fail(str(error))
    except OSError as error:
        # A full disk, a file that isn't ours: the system's words say it all.
        fail(f"{error.filename}: {error.strerror}" if error.filename else f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def fail(message: str) -> NoReturn:
    """Say something on standard error and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(CANNOT_START)
