"""`integrated-registry key`: the keys that stored credentials are encrypted with."""

from __future__ import annotations

import typer

from server.assembly import open_database
from server.command_running import command_settings, run_to_end
from server.data_folder import KEY_FILE, ensure_folder, locked, write_secret
from server.operator_errors import clear_errors, fail
from server.settings import Settings
from services.clock import utc_now
from services.credential_cipher import CredentialCipher, EncryptionKey, format_keys
from services.installation import ensure_installation, reencrypt

key = typer.Typer(help="Encryption keys.", no_args_is_help=True)


@key.command("rotate")
def rotate() -> None:
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

    with clear_errors():
        settings = command_settings()
        if settings.encryption_keys is not None:
            fail(
                "The keys come from INTEGRATED_REGISTRY_ENCRYPTION_KEYS: put a new one first there, keep the old "
                "one behind it, and run `integrated-registry key reencrypt`."
            )
        ensure_folder(settings.data)
        with locked(settings.data):
            count = run_to_end(work(settings))
        typer.echo(f"Encrypted {count} credential(s) with a new key.")


@key.command("reencrypt")
def reencrypt_with_first() -> None:
    """Encrypt every stored credential with the first key given. Afterwards the others can go."""

    async def work(settings: Settings) -> int:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)
            return await reencrypt(database, cipher, cipher)

    with clear_errors():
        typer.echo(f"Encrypted {run_to_end(work(command_settings()))} credential(s).")


@key.command("generate")
def generate() -> None:
    """Print a new key, as INTEGRATED_REGISTRY_ENCRYPTION_KEYS takes it."""
    typer.echo(format_keys((EncryptionKey.generate(),)).strip())
