"""First start: who this installation is, and whether the key at hand is its own."""

from __future__ import annotations

import secrets

from models.database import Database, Transaction
from models.installation import EventPosition, Installation
from services.clock import Clock
from services.credential_cipher import CredentialCipher

KEY_CHECK = "integrated-registry"
KEY_CHECK_PURPOSE = "key-check"


async def is_installed(database: Database) -> bool:
    """Return whether a server was ever started on a database, which is migrated."""
    return bool(await database.fetch('SELECT 1 FROM "installation" WHERE "id" = 1'))


async def check_key(database: Database, cipher: CredentialCipher) -> None:
    """Raise WrongKey unless the cipher's keys are those that the database was written with. Writes nothing."""
    stored = await database.fetch('SELECT "key_check" FROM "installation" WHERE "id" = 1')
    for row in stored:
        cipher.decrypt(row["key_check"], KEY_CHECK_PURPOSE)


async def ensure_installation(database: Database, cipher: CredentialCipher, clock: Clock) -> Installation:
    """Return what the installation knows of itself; made now if this is the first start."""

    async def work(transaction: Transaction) -> Installation:
        if transaction.dialect.migration_lock is not None:
            await transaction.fetch(transaction.dialect.migration_lock)
        installation = await Installation.get_or_none(id=1)
        if installation is None:
            installation = await Installation.create(
                id=1,
                uid=secrets.token_hex(8),
                event_epoch=secrets.token_hex(4),
                key_check=cipher.encrypt(KEY_CHECK, KEY_CHECK_PURPOSE),
                created_at=clock(),
            )
            await EventPosition.create(id=1, position=0)
        return installation

    return await database.transact(work)


async def reencrypt(database: Database, old: CredentialCipher, new: CredentialCipher) -> int:
    """Encrypt every stored credential anew and return how many there were. Raises WrongKey, changing nothing."""

    async def work(transaction: Transaction) -> int:
        count = await _reencrypt_column(transaction, old, new, "integration", "id")
        await _reencrypt_column(transaction, old, new, "reader_credential", "integration_id")
        await transaction.execute(
            f'UPDATE "installation" SET "key_check" = {transaction.dialect.placeholder(1)} WHERE "id" = 1',
            new.encrypt(KEY_CHECK, KEY_CHECK_PURPOSE),
        )
        return count

    return await database.transact(work)


async def _reencrypt_column(
    transaction: Transaction, old: CredentialCipher, new: CredentialCipher, table: str, key: str
) -> int:
    rows = await transaction.fetch(
        f'SELECT i."id", i."url", t."password_encrypted" FROM "{table}" t JOIN "integration" i ON i."id" = t."{key}"'
        f' WHERE t."password_encrypted" IS NOT NULL{transaction.dialect.lock_rows}'
    )
    place = transaction.dialect.placeholder
    for row in rows:
        purpose = credential_purpose(row["url"])
        await transaction.execute(
            f'UPDATE "{table}" SET "password_encrypted" = {place(1)} WHERE "{key}" = {place(2)}',
            new.encrypt(old.decrypt(row["password_encrypted"], purpose), purpose),
            row["id"],
        )
    return len(rows)


def credential_purpose(url: str) -> str:
    """Return what the password of the integration at that address is bound to: scheme, host and port."""
    scheme, _, rest = url.partition("://")
    return f"registry-password {scheme}://{rest.partition('/')[0]}"
