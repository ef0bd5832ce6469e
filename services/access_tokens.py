"""Access tokens: made, checked, revoked; and one-time codes that are exchanged for one."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from models.access_token import AccessToken
from models.database import Database, NewEvent, Transaction
from models.enums import EventType, Role
from models.queries.access_tokens import access_token_by_hash, access_tokens_by_id
from models.records import AccessTokenRecord, EventRecord
from models.versions import Versions
from models.workspace import Workspace
from services.access_writing import lock_access
from services.clock import Clock
from services.input_rules import checked_name
from services.secret_hash import secret_hash
from services.user_errors import InvalidInput, NotFound, Path
from services.viewer import Viewer

log = structlog.get_logger("access_tokens")

PREFIX = "irat_"
"""What our access tokens begin with: no other credential of ours does, and scanners can find it."""

SIGN_IN_TOKEN_LIFETIME = timedelta(hours=12)
SIGN_IN_CODE_LIFETIME = timedelta(minutes=10)
LONGEST_LIFETIME = timedelta(days=3660)

MOST_KNOWN = 10_000
"""Tokens that are remembered from one request to the next."""

CHECK_PAUSE_SECONDS = 1.0

REVOKED = "The access token was revoked."
EXPIRED = "The access token has expired."

WORKSPACE_PATH = ("input", "workspaceId")


class TokenRejected(Exception):
    """The token is no access token of ours, or no longer one. The message says no more than it must."""


class _Watch:
    """Who wants to know when one token is over."""

    def __init__(self) -> None:
        self.told: dict[Callable[[str], None], None] = {}
        self.expiry: asyncio.TimerHandle
        self.check: asyncio.Task[None]

    def end(self) -> None:
        self.expiry.cancel()
        self.check.cancel()


class AccessTokens:
    """Everything about access tokens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, tuple[AccessTokenRecord, int | None]] = {}
        self._watches: dict[int, _Watch] = {}
        self._code_hashes: dict[bytes, datetime] = {}

    async def create(
        self, name: str, role: Role, expires_at: datetime, created_by: str, workspace_id: int | None = None
    ) -> tuple[AccessTokenRecord, str]:
        """Make a token; return its record, and the token itself, which can't be had again.

        Raises InvalidInput; NotFound when there is no such workspace, or when it is being deleted.
        """
        name = checked_name(name, ("input", "name"))
        now = self._clock()
        if not now < expires_at <= now + LONGEST_LIFETIME:
            raise InvalidInput("expiresAt must be in the future, within ten years.", ("input", "expiresAt"))
        if role is Role.PLATFORM_ADMIN and workspace_id is not None:
            raise InvalidInput("PLATFORM_ADMIN is a role for the whole platform: name no workspace.", WORKSPACE_PATH)
        if role is not Role.PLATFORM_ADMIN and workspace_id is None:
            raise InvalidInput(f"{role.value} is a role in one workspace: name it.", WORKSPACE_PATH)
        token = PREFIX + secrets.token_urlsafe(32)
        return await self.store(token, name, role, expires_at, created_by, workspace_id), token

    async def store(
        self,
        token: str,
        name: str,
        role: Role,
        expires_at: datetime,
        created_by: str,
        workspace_id: int | None = None,
    ) -> AccessTokenRecord:
        """Store a token that was made already, hashed. Raises NotFound as `create` does."""

        async def work(transaction: Transaction) -> AccessToken:
            if workspace_id is not None:
                await _require_workspace(transaction, workspace_id)
            row = await AccessToken.create(
                name=name,
                role=role,
                workspace_id=workspace_id,
                token_hash=secret_hash(token),
                created_by=created_by,
                created_at=self._clock(),
                expires_at=expires_at,
            )
            transaction.events.append(
                NewEvent(
                    EventType.ACCESS_TOKEN_CREATED,
                    row.created_at,
                    None,
                    {"access_token_id": row.id, "name": name, "role": role.value, "by": created_by},
                )
            )
            return row

        return _record(await self._database.transact(work))

    async def revoke(self, token_id: int, revoked_by: str, path: Path) -> AccessTokenRecord:
        """End a token at once, its open sockets included; one that is revoked already stays as it is.

        Raises NotFound.
        """

        async def work(transaction: Transaction) -> AccessToken:
            # Locked, so that of two at once one revokes it and the other finds it revoked.
            row = await AccessToken.select_for_update().get_or_none(id=token_id)
            if row is None:
                raise NotFound("access token", path)
            if row.revoked_at is None:
                await self._revoke(transaction, row, revoked_by)
            return row

        return _record(await self._database.transact(work))

    async def revoke_all_of(self, transaction: Transaction, workspace_id: int, revoked_by: str) -> None:
        """End every token of a workspace, with the transaction; no other can be made of one that is being deleted.

        The caller holds `lock_access`.
        """
        # Locked in one order, so that none who revokes several waits for another.
        for row in await (
            AccessToken.select_for_update().filter(workspace_id=workspace_id, revoked_at=None).order_by("id")
        ):
            await self._revoke(transaction, row, revoked_by)

    async def _revoke(self, transaction: Transaction, row: AccessToken, revoked_by: str) -> None:
        row.revoked_at = self._clock()
        await row.save(update_fields=["revoked_at"])
        data = {"access_token_id": row.id, "name": row.name, "by": revoked_by}
        transaction.events.append(NewEvent(EventType.ACCESS_TOKEN_REVOKED, row.revoked_at, None, data))

    async def authenticate(self, token: str, versions: Versions) -> Viewer:
        """Return who bears the token. Raises TokenRejected.

        It is looked up when, by the versions of now, any token has changed since that was done last.
        """
        if not token.startswith(PREFIX) or len(token) > 100:
            raise TokenRejected("This is no access token.")
        token_hash, version = secret_hash(token), versions.get(AccessToken._meta.db_table)
        known, known_version = self._known.get(token_hash, (None, None))
        record = known if known is not None and known_version == version else await self._look_up(token_hash, version)
        if record is None:
            raise TokenRejected("This access token is unknown.")
        if record.revoked_at is not None:
            raise TokenRejected("This access token was revoked.")
        if record.expires_at <= self._clock():
            raise TokenRejected("This access token has expired.")
        return Viewer(record.role, record.workspace_id, record.id, record.name, record.expires_at)

    async def _look_up(self, token_hash: str, version: int | None) -> AccessTokenRecord | None:
        record = await access_token_by_hash(self._database, token_hash)
        if record is not None:
            self._known[token_hash] = record, version
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return record

    def when_over(self, viewer: Viewer, tell: Callable[[str], None]) -> Callable[[], None]:
        """Have a function called once, in the loop, when the viewer's token has expired or is revoked.

        It is given which, as a sentence. The function that is returned takes this back.
        """
        token_id = viewer.access_token_id
        watch = self._watches.get(token_id)
        if watch is None:
            watch = self._watches[token_id] = _Watch()
            lifetime_seconds = max(0.0, (viewer.expires_at - self._clock()).total_seconds())
            watch.expiry = asyncio.get_running_loop().call_later(lifetime_seconds, self._over, token_id, EXPIRED)
            # It may have been revoked after it was checked and before anybody listened here. Who joins later needs no
            # check: what was revoked since then has been told, or will be.
            watch.check = asyncio.create_task(self._check(token_id))
        watch.told[tell] = None
        return partial(self._forget, token_id, watch, tell)

    def notice(self, event: EventRecord) -> None:
        """Take in an event of the log: a revocation, by whatever replica, ends who waits for it here."""
        if event.type is EventType.ACCESS_TOKEN_REVOKED:
            self._over(event.data["access_token_id"], REVOKED)

    async def _check(self, token_id: int) -> None:
        while True:
            try:
                present = await access_tokens_by_id(self._database, [token_id])
                break
            except Exception:
                log.exception("an access token in use could not be checked, trying again")
                await asyncio.sleep(CHECK_PAUSE_SECONDS)
        if token_id not in present or present[token_id].revoked_at is not None:
            self._over(token_id, REVOKED)

    def _over(self, token_id: int, reason: str) -> None:
        watch = self._watches.pop(token_id, None)
        if watch is not None:
            watch.end()
            for tell in watch.told:
                tell(reason)

    def _forget(self, token_id: int, watch: _Watch, tell: Callable[[str], None]) -> None:
        if self._watches.get(token_id) is not watch:
            return
        del watch.told[tell]
        if not watch.told:
            watch.end()
            del self._watches[token_id]

    def new_sign_in_code(self) -> str:
        """Return a code that `redeem_sign_in_code` takes once, within ten minutes."""
        code = secrets.token_urlsafe(24)
        self._code_hashes[hashlib.blake2b(code.encode()).digest()] = self._clock() + SIGN_IN_CODE_LIFETIME
        return code

    async def redeem_sign_in_code(self, code: str) -> tuple[AccessTokenRecord, str]:
        """Return a platform administrator's token of twelve hours for a code. Raises TokenRejected."""
        now = self._clock()
        expires_at = self._code_hashes.pop(hashlib.blake2b(code.encode()).digest(), None)
        if expires_at is None or expires_at <= now:
            raise TokenRejected("This sign-in link was used already, or is older than ten minutes.")
        return await self.create("sign-in link", Role.PLATFORM_ADMIN, now + SIGN_IN_TOKEN_LIFETIME, "sign-in link")


async def _require_workspace(transaction: Transaction, workspace_id: int) -> None:
    # With the lock, no workspace is deleted between this look and the token's row.
    await lock_access(transaction)
    workspace = await Workspace.select_for_update().get_or_none(id=workspace_id, deleted_at=None)
    if workspace is None:
        raise NotFound("workspace", WORKSPACE_PATH)


def _record(row: AccessToken) -> AccessTokenRecord:
    return AccessTokenRecord(
        id=row.id,
        name=row.name,
        role=row.role,
        workspace_id=row.workspace_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
