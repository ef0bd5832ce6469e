"""The command `integrated-registry`."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from models.enums import RegistryKind
from schema.schema import build_schema
from server.assembly import open_database, registry_reaches
from server.command_running import command_settings, run_to_end
from server.data_folder import ensure_folder, locked
from server.key_commands import key
from server.operator_errors import clear_errors, fail
from server.serving import serve as serve_until_stopped
from server.settings import Settings
from server.tls_files import check_tls_files
from server.token_commands import token
from services.clock import utc_now
from services.installation import ensure_installation
from services.registry_check import check_registry
from services.registry_input import RegistryInput, TlsInput
from services.user_errors import RegistryRefused, UserError, UserErrors

NOT_USABLE = 1
LONGEST_CA_FILE_BYTES = 1024 * 1024

application = typer.Typer(
    help="One GraphQL entrance to all the container image registries of a platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
application.add_typer(token, name="token")
application.add_typer(key, name="key")


def main() -> None:
    """Run the command line."""
    # The database, its log, the keys and the tokens are for their owner alone.
    os.umask(0o077)
    application()


@application.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data folder.")] = None,
) -> None:
    """Serve the API and GraphiQL; the database is migrated first."""
    with clear_errors():
        settings = command_settings(host=host, port=port, data=data)
        if settings.tls_certificate_file is not None and settings.tls_key_file is not None:
            check_tls_files(settings.tls_certificate_file, settings.tls_key_file)
        ensure_folder(settings.data)
        with locked(settings.data) if settings.is_embedded else nullcontext():
            run_to_end(serve_until_stopped(settings))


@application.command()
def migrate() -> None:
    """Bring the database up to date, and make it if there is none."""

    async def work(settings: Settings) -> None:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)

    with clear_errors():
        settings = command_settings()
        ensure_folder(settings.data)
        with locked(settings.data) if settings.is_embedded else nullcontext():
            run_to_end(work(settings))
        typer.echo("The database is up to date.")


@application.command()
def schema() -> None:
    """Print the schema in GraphQL's schema definition language."""
    typer.echo(build_schema().as_str())


@application.command()
def check(
    url: Annotated[str, typer.Argument(help="The registry's address.")],
    kind: Annotated[RegistryKind | None, typer.Option(help="What it is; else it is found out.")] = None,
    username: Annotated[str | None, typer.Option(help="The password is asked for, or read from a pipe.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust, PEM.")] = None,
    insecure: Annotated[bool, typer.Option(help="Take any certificate.")] = False,
    token_realm: Annotated[str | None, typer.Option(help="Its token server, if on another host.")] = None,
) -> None:
    """Try a registry from here, without a server: exit 0 when it could be integrated, else 1."""
    with clear_errors():
        settings = command_settings()
        given = RegistryInput(
            url=url,
            kind=kind,
            username=username,
            password=None if username is None else _password(),
            tls=TlsInput(None if ca_file is None else _certificates(ca_file), insecure),
            token_realm=token_realm,
        )
        try:
            found = run_to_end(check_registry(given, registry_reaches(settings).platform))
        except (UserError, UserErrors) as error:
            for each in error.errors if isinstance(error, UserErrors) else [error]:
                _complain(each)
            raise typer.Exit(NOT_USABLE) from None
        typer.echo(f"{found.kind.value} {found.version or ''}".rstrip())
        if found.space_count is not None:
            typer.echo(f"spaces: {found.space_count}")
        typer.echo(f"credential verified: {'yes' if found.is_credential_verified else 'no, it asks for none'}")


def _password() -> str:
    """Return a password from the terminal, or the first line of what is piped in."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True))
    try:
        # As bytes: the text of a C locale would take anything.
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        fail("The password on standard input is not UTF-8.")


def _certificates(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(LONGEST_CA_FILE_BYTES + 1)
    if len(content) > LONGEST_CA_FILE_BYTES:
        fail(f"{file} is too long for a file of certificates.")
    # What isn't text is no PEM either, and is told as such by who reads it.
    return content.decode("ascii", errors="replace")


def _complain(error: UserError) -> None:
    code = error.reason.value if isinstance(error, RegistryRefused) else error.code
    typer.echo(f"{code}: {error.message}", err=True)
    if isinstance(error, RegistryRefused) and error.registry_message:
        typer.echo(f"  The registry says: {error.registry_message}", err=True)
