"""Hooks: where registries send their notifications, each with a secret of its own."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from models.database import Database, Transaction
from models.hook import Hook
from models.integration import Integration
from registry_clients.kind import RegistryKind as ClientKind
from registry_clients.kinds import KIND_DESCRIPTIONS
from registry_clients.notifications import NOTIFICATION_FORMATS
from services.clock import Clock
from services.integration_locks import lock_integration
from services.secret_hash import secret_hash
from services.user_errors import InvalidInput, NotFound, Path

PREFIX = "irhk_"
"""What the secrets of hooks begin with: no other credential of ours does, and scanners can find it."""

MOST_CHARACTERS = 100
"""What is longer is no secret of ours, and isn't looked at."""

_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")
_NO_HASH = secret_hash("")


class HookRejected(Exception):
    """There is no such hook, or the secret is another: the two read the same, and take the same time."""


@dataclass(frozen=True, slots=True)
class OpenHook:
    """A hook whose secret was given."""

    integration_id: int
    last_received_at: datetime | None


class Hooks:
    """Makes and checks the secrets of hooks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def rotate_secret(self, integration_id: int, path: Path) -> str:
        """Make a hook's secret anew and return it: it can't be had again, and the one before is over.

        Raises NotFound, and InvalidInput for a registry of a kind that sends no notifications.
        """
        secret = PREFIX + secrets.token_urlsafe(32)

        async def work(transaction: Transaction) -> None:
            await lock_integration(transaction, integration_id)
            integration = await Integration.get_or_none(id=integration_id)
            if integration is None:
                raise NotFound("integration", path)
            hook = Hook.filter(integration_id=integration_id)
            if not await hook.update(secret_hash=secret_hash(secret), rotated_at=self._clock()):
                title = KIND_DESCRIPTIONS[ClientKind(integration.kind.value)].title
                raise InvalidInput(f"A {title} sends no notifications here: its changes are seen without.", path)

        await self._database.transact(work)
        return secret

    async def open(self, public_id: str, secret: str | None) -> OpenHook:
        """Return the hook at an address, for who gives its secret. Raises HookRejected."""
        found = None
        if _PUBLIC_ID.fullmatch(public_id):
            place = self._database.dialect.placeholder(1)
            rows = await self._database.fetch(
                f'SELECT "integration_id", "secret_hash", "last_received_at" FROM "hook" WHERE "public_id" = {place}',
                public_id,
            )
            found = rows[0] if rows else None
        is_ours = secret is not None and secret.startswith(PREFIX) and len(secret) <= MOST_CHARACTERS
        given = secret_hash(secret if is_ours and secret is not None else "")
        expected = None if found is None else found["secret_hash"]
        # Compared even where there is nothing to compare with.
        is_same = hmac.compare_digest(given, expected or _NO_HASH)
        if found is None or expected is None or not is_ours or not is_same:
            raise HookRejected
        received_at = found["last_received_at"]
        read_time = self._database.dialect.datetime
        return OpenHook(found["integration_id"], None if received_at is None else read_time(received_at))


async def create_hook(integration: Integration) -> None:
    """Give a new integration its hook, in the transaction that makes it, where its kind sends notifications."""
    if ClientKind(integration.kind.value) in NOTIFICATION_FORMATS:
        await Hook.create(integration=integration, public_id=secrets.token_hex(16))
