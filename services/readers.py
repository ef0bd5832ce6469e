"""Credentials for reading alone: made, mended and removed, so that an administrator's is hardly ever used.

An administrator's password is dear to some registries (a tenth of a second of their processor for each call) and
too mighty for routine reads. Where a kind can make a credential for reading alone, this keeps one for each
integration: found by its id, since names change; marked as ours and this integration's, so that what a crash left
over is known and removed, and nobody else's is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta

import structlog

from models.database import Database, Transaction
from models.enums import HealthReason
from models.integration import IntegrationHealth
from models.reader_credential import ReaderCredential
from registry_clients.discretion import discreet
from registry_clients.errors import CredentialRejected, NotAnAdministrator, RegistryError
from registry_clients.protocol import HasChangeFeed, MakesReaderCredential, RegistryClient
from registry_clients.records import ReaderCredential as MadeReader
from registry_clients.refusals import FeedLost, NoReaderCredential
from services.background import end_tasks, start_in_turn
from services.clock import Clock
from services.credential_cipher import CredentialCipher
from services.feed_claims import FeedClaims
from services.installation import credential_purpose
from services.observation import UNOBSERVED, Observer
from services.reader_claims import KeptReader, ReaderClaim, ReaderClaims
from services.registry_connections import REFUSALS_THAT_COUNT, RegistryConnections, RegistryTarget

log = structlog.get_logger("readers")

CHECK_TIMEOUT_SECONDS = 45.0
"""Less than a lease: nobody else makes a reader while we do."""

CHECK_INTERVAL = timedelta(minutes=15)
"""How often an administrator's credential is verified."""

AGAIN_AFTER_REFUSALS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""When one that was refused is tried again: somebody's wrong password can make the right one fail for a while."""

AGAIN_AFTER_FAILURE = timedelta(minutes=1)
AGAIN_AFTER_DOUBT = timedelta(minutes=1)
"""How soon after a check there is another one because the reader's credential was refused."""

REMOVAL_TIMEOUT_SECONDS = 10.0
TOO_SLOW = "The registry answers too slowly to make a credential for reading alone."
TICK_SECONDS = 1.0
LANE_WIDTH = 8


class _ClaimLost(Exception):
    """Somebody changed the integration meanwhile, or took the check over: what was learned is no longer ours to say."""


class ReaderKeeper:
    """Keeps a credential for reading alone for each integration whose kind has such."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        cipher: CredentialCipher,
        clock: Clock,
        installation_uid: str,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._database = database
        self._connections = connections
        self._cipher = cipher
        self._clock = clock
        self._installation_uid = installation_uid
        self._observer = observer
        self._claims = ReaderClaims(database, clock)
        self._feeds = FeedClaims(database, clock)
        self._running: set[asyncio.Task[None]] = set()

    def marker(self, integration_id: int) -> str:
        """Return what marks the credentials of an integration at its registry as ours, and as this one's."""
        return f"{self._installation_uid}-{integration_id}"

    async def run(self) -> None:
        """Check what is due for as long as the server runs; cancelled, it ends what it began."""
        try:
            await start_in_turn("readers", self._start_due, TICK_SECONDS, self._observer)
        finally:
            await end_tasks(self._running)

    async def ensure(self, integration_id: int, *, is_replaced: bool = False) -> None:
        """See to it that there is a credential for reading, or that it is written why not. Never raises for that.

        With `is_replaced` one that is good is replaced too, as when the administrator's was.
        """
        claim = await self._claims.take(integration_id)
        if claim is None:
            return
        targets = await self._connections.targets([integration_id])
        if integration_id in targets:
            await self._check(claim, targets[integration_id], is_replaced=is_replaced)

    async def mend(self, target: RegistryTarget) -> bool:
        """Look after a reader that was refused; return whether there is another by now."""
        refused = None if target.reader is None else target.reader.username
        kept = await self._claims.kept(target.integration_id)
        if kept is not None and kept.username == refused:
            await self.ensure(target.integration_id)
            kept = await self._claims.kept(target.integration_id)
        return kept is not None and kept.username is not None and kept.username != refused

    async def doubt(self, integration_id: int) -> None:
        """Have a reader that was refused looked after soon, unless that was done a moment ago or is of no use."""
        now = self._clock()

        async def work(_: Transaction) -> None:
            await ReaderCredential.filter(
                integration_id=integration_id,
                administrator_refusals=0,
                next_check_at__gt=now,
                next_check_at__lte=now + CHECK_INTERVAL - AGAIN_AFTER_DOUBT,
            ).update(next_check_at=now)

        await self._database.transact(work)

    async def remove(self, integration_id: int) -> None:
        """Delete the readers of an integration at its registry, as far as that answers in time.

        Nobody makes another before the integration is gone, `give_back` is called, or a lease is over.
        """
        await self._claims.take(integration_id)
        targets = await self._connections.targets([integration_id])
        if integration_id not in targets:
            return
        try:
            async with asyncio.timeout(REMOVAL_TIMEOUT_SECONDS):
                client = await self._connections.client(targets[integration_id])
                if isinstance(client, MakesReaderCredential):
                    await client.remove_stray_readers(self.marker(integration_id), None)
        except (RegistryError, TimeoutError) as error:
            log.warning("reader was left over", integration_id=integration_id, why=type(error).__name__)

    async def give_back(self, integration_id: int) -> None:
        """Have a reader looked after at once whose removal led to nothing."""

        async def work(_: Transaction) -> None:
            await ReaderCredential.filter(integration_id=integration_id).update(lease_until=None)

        await self._database.transact(work)

    async def _check(self, claim: ReaderClaim, target: RegistryTarget, *, is_replaced: bool = False) -> None:
        """Verify the administrator's credential, look after the reader's, and plan the next time. Never raises."""
        try:
            await self._check_held(claim, target, is_replaced=is_replaced)
        except _ClaimLost:
            log.info("check of a reader was overtaken", integration_id=target.integration_id)
        except Exception:
            # The lease runs out, and it is looked at again.
            self._observer.work_failed("readers")
            log.exception("reader check failed unforeseen", integration_id=target.integration_id)

    async def _check_held(self, claim: ReaderClaim, target: RegistryTarget, *, is_replaced: bool) -> None:
        integration_id = target.integration_id
        kept = await self._claims.kept(integration_id)
        if kept is None:
            return
        refusals = kept.administrator_refusals
        changes: dict[str, object]
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                client = await self._connections.client(target)
                if not isinstance(client, MakesReaderCredential):
                    return
                with discreet(target.credential):
                    await client.verify()
                    changes = await self._look_after(claim, client, target, kept, is_replaced=is_replaced)
                    await self._check_feed(client, integration_id)
            refusals = 0
            changes["next_check_at"] = self._clock() + CHECK_INTERVAL
        except (CredentialRejected, NotAnAdministrator) as error:
            refusals += 1
            pause = AGAIN_AFTER_REFUSALS[min(refusals, len(AGAIN_AFTER_REFUSALS)) - 1]
            changes = {"next_check_at": self._clock() + pause}
            if kept.username is None:
                changes["failure"] = error.message
        except (RegistryError, TimeoutError) as error:
            changes = {"next_check_at": self._clock() + AGAIN_AFTER_FAILURE}
            if kept.username is None:
                changes["failure"] = error.message if isinstance(error, RegistryError) else TOO_SLOW
        await self._write(claim, {**changes, "administrator_refusals": refusals, "lease_until": None})
        if refusals == REFUSALS_THAT_COUNT:
            log.warning("administrator's credential is refused", integration_id=integration_id)
        if refusals == REFUSALS_THAT_COUNT or kept.administrator_refusals >= REFUSALS_THAT_COUNT > refusals:
            await self._probe_soon(integration_id)
        elif changes.get("username", kept.username) != kept.username:
            await self._probe_soon(integration_id, if_unauthorized=True)

    async def _check_feed(self, client: RegistryClient, integration_id: int) -> None:
        """Find out whether the log of changes is still kept: to all but administrators it shows as silence."""
        if not isinstance(client, HasChangeFeed):
            return
        try:
            await client.check_feed()
        except FeedLost as error:
            if await self._feeds.lose(integration_id, error):
                log.warning("log of changes lost", integration_id=integration_id, reason=error.reason.value)
        except RegistryError:
            # The credential is good, that was seen: what this is, the next probe says.
            return

    async def _probe_soon(self, integration_id: int, *, if_unauthorized: bool = False) -> None:
        """Have the health say at once whether the credentials are good; a refused one is else tried hourly."""

        async def work(_: Transaction) -> None:
            health = IntegrationHealth.filter(integration_id=integration_id)
            if if_unauthorized:
                health = health.filter(reason=HealthReason.UNAUTHORIZED)
            await health.update(next_probe_at=self._clock())

        await self._database.transact(work)

    async def _look_after(
        self,
        claim: ReaderClaim,
        client: MakesReaderCredential,
        target: RegistryTarget,
        kept: KeptReader,
        *,
        is_replaced: bool,
    ) -> dict[str, object]:
        marker = self.marker(target.integration_id)
        good_name = None
        if kept.external_id is not None:
            state = await client.look_at_reader(kept.external_id)
            if state.flaw is None:
                good_name = state.name
            else:
                log.info("reader is mended", integration_id=target.integration_id, flaw=state.flaw.value)
        if good_name is not None and not is_replaced:
            await client.remove_stray_readers(marker, kept.external_id)
            return {"username": good_name, "failure": None}
        try:
            made = await client.make_reader(marker)
        except NoReaderCredential as error:
            if good_name is not None:
                # Better the present one than none.
                return {"username": good_name, "failure": None}
            return {"external_id": None, "username": None, "password_encrypted": None, "failure": error.message}
        stored = self._stored(made, target)
        # Stored first, then the old ones go: killed in between, the next check removes what is left over.
        try:
            await self._write(claim, stored)
        except Exception:
            # Not when cancelled: it may be stored all the same, and what isn't is removed by the next check.
            with contextlib.suppress(RegistryError):
                await client.remove_reader(made.external_id)
            raise
        await client.remove_stray_readers(marker, made.external_id)
        return stored

    def _stored(self, made: MadeReader, target: RegistryTarget) -> dict[str, object]:
        purpose = credential_purpose(str(target.endpoint.url))
        return {
            "external_id": made.external_id,
            "username": made.credential.username,
            "password_encrypted": self._cipher.encrypt(made.credential.password, purpose),
            "failure": None,
        }

    async def _write(self, claim: ReaderClaim, changes: Mapping[str, object]) -> None:
        if not await self._claims.write(claim, changes):
            raise _ClaimLost

    async def _start_due(self) -> None:
        free = LANE_WIDTH - len(self._running)
        claims = await self._claims.take_due(free) if free else []
        if not claims:
            return
        targets = await self._connections.targets([claim.integration_id for claim in claims])
        for claim in claims:
            if claim.integration_id in targets:
                check = self._check(claim, targets[claim.integration_id])
                task = asyncio.create_task(check, name="reader check")
                self._running.add(task)
                task.add_done_callback(self._running.discard)
