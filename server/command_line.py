"""The command `integrated-registry`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import uvloop
from tortoise.exceptions import BaseORMException

from models.database import Database
from models.enums import RegistryKind, Role
from models.migrate import SchemaTooNew
from models.queries.access_tokens import ACCESS_TOKENS, NEWEST_FIRST, every_token
from models.reading import PageRequest
from schema.schema import build_schema
from server.assembly import open_database, registry_reach
from server.data_folder import KEY_FILE, DataFolderInUse, MissingKeys, ensure_folder, locked, write_secret
from server.log_setup import set_up_logs
from server.serving import serve as serve_until_stopped
from server.settings import InvalidSettings, Settings, read_settings
from services.access_tokens import AccessTokens
from services.clock import utc_now
from services.credential_cipher import (
    CredentialCipher,
    EncryptionKey,
    InvalidKeys,
    WrongKey,
    format_keys,
    parse_keys,
)
from services.installation import ensure_installation, reencrypt
from services.registry_check import check_registry
from services.registry_input import RegistryInput, TlsInput
from services.user_errors import UserError, UserErrors

T = TypeVar("T")

CANNOT_START = 2

application = typer.Typer(
    help="One GraphQL entrance to all the container image registries of a platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
token = typer.Typer(help="Access tokens.", no_args_is_help=True)
key = typer.Typer(help="Encryption keys.", no_args_is_help=True)
application.add_typer(token, name="token")
application.add_typer(key, name="key")


def main() -> None:
    """Run the command line."""
    application()


@application.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data folder.")] = None,
) -> None:
    """Serve the API and GraphiQL; the database is migrated first."""
    with _clear_errors():
        settings = _settings(host=host, port=port, data=data)
        ensure_folder(settings.data)
        with locked(settings.data) if settings.is_embedded else nullcontext():
            if not _run(serve_until_stopped(settings)):
                raise typer.Exit(CANNOT_START)


@application.command()
def migrate() -> None:
    """Bring the database up to date, and make it if there is none."""

    async def work(settings: Settings) -> None:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)

    with _clear_errors():
        settings = _settings()
        ensure_folder(settings.data)
        with locked(settings.data) if settings.is_embedded else nullcontext():
            _run(work(settings))
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
    with _clear_errors():
        settings = _settings()
        password = None
        if username is not None:
            password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
            password = password.rstrip("\n")
        given = RegistryInput(
            url=url,
            kind=kind,
            username=username,
            password=password,
            tls=TlsInput(None if ca_file is None else ca_file.read_text(), insecure),
            token_realm=token_realm,
        )
        try:
            found = _run(check_registry(given, registry_reach(settings)))
        except (UserError, UserErrors) as error:
            for each in error.errors if isinstance(error, UserErrors) else [error]:
                typer.echo(f"{each.code}: {each.message}", err=True)
                words = getattr(each, "registry_message", None)
                if words:
                    typer.echo(f"  The registry says: {words}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{found.kind.value} {found.version or ''}".rstrip())
        if found.space_count is not None:
            typer.echo(f"spaces: {found.space_count}")
        typer.echo(f"credential verified: {'yes' if found.is_credential_verified else 'no, it asks for none'}")


@token.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="What its bearer may do.")] = Role.PLATFORM_ADMIN,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
) -> None:
    """Make an access token and print it, once."""

    async def work(database: Database) -> str:
        tokens = AccessTokens(database, utc_now)
        _, made = await tokens.create(name, role, utc_now() + timedelta(days=days), "command line")
        return made

    typer.echo(_with_database(work))


@token.command("list")
def list_tokens() -> None:
    """List the access tokens, newest first."""

    async def work(database: Database) -> None:
        page = await ACCESS_TOKENS.page(database, PageRequest(1000, NEWEST_FIRST), every_token)
        for record in page.records:
            state = "revoked" if record.revoked_at else "expired" if record.expires_at <= utc_now() else "active"
            expiry = record.expires_at.date().isoformat()
            typer.echo(f"{record.id}\t{record.role.value}\t{state}\tuntil {expiry}\t{record.name}")

    _with_database(work)


@token.command("revoke")
def revoke_token(token_id: Annotated[int, typer.Argument(help="As listed.")]) -> None:
    """Revoke an access token; it ends at once, also on a running server."""

    async def work(database: Database) -> None:
        await AccessTokens(database, utc_now).revoke(token_id, "command line", ("id",))

    _with_database(work)
    typer.echo("Revoked.")


@key.command("rotate")
def rotate_key() -> None:
    """Make a new encryption key and encrypt every stored credential with it. Stop the server first."""

    async def work(settings: Settings) -> int:
        async with open_database(settings) as (database, old):
            await ensure_installation(database, old, utc_now)
            new = CredentialCipher((EncryptionKey.generate(), *old.keys))
            # Both keys lie there before anything is encrypted with the new one: killed anywhere in between,
            # every credential still has its key.
            file = settings.data / KEY_FILE
            write_secret(file, format_keys(new.keys))
            count = await reencrypt(database, old, new)
            write_secret(file, format_keys(new.keys[:1]))
            return count

    with _clear_errors():
        settings = _settings()
        if settings.encryption_keys is not None:
            _fail(
                "The keys come from INTEGRATED_REGISTRY_ENCRYPTION_KEYS: put a new one first there, keep the old "
                "one behind it, and run `integrated-registry key reencrypt`."
            )
        ensure_folder(settings.data)
        with locked(settings.data):
            count = _run(work(settings))
        typer.echo(f"Encrypted {count} credential(s) with a new key.")


@key.command("reencrypt")
def reencrypt_with_first() -> None:
    """Encrypt every stored credential with the first key given. Afterwards the others can go."""

    async def work(settings: Settings) -> int:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)
            return await reencrypt(database, cipher, cipher)

    with _clear_errors():
        typer.echo(f"Encrypted {_run(work(_settings()))} credential(s).")


@key.command("generate")
def generate_key() -> None:
    """Print a new key, as INTEGRATED_REGISTRY_ENCRYPTION_KEYS takes it."""
    made = format_keys((EncryptionKey.generate(),)).strip()
    parse_keys(made)
    typer.echo(made)


def _with_database(work: Any) -> Any:
    async def run(settings: Settings) -> Any:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)
            return await work(database)

    with _clear_errors():
        return _run(run(_settings()))


def _settings(**overrides: Any) -> Settings:
    settings = read_settings(**overrides)
    set_up_logs(settings.log_format, settings.log_level)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turn what an operator can put right into one message and exit 2."""
    try:
        yield
    except (
        InvalidSettings,
        DataFolderInUse,
        MissingKeys,
        InvalidKeys,
        WrongKey,
        SchemaTooNew,
        UserError,
        UserErrors,
    ) as error:
        _fail(str(error))
    except (BaseORMException, OSError) as error:
        # The address may hold a password: the kind of the failure has to do.
        _fail(f"Can't start: {type(error).__name__}: {error}" if isinstance(error, OSError) else str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(CANNOT_START)
