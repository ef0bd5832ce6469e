"""Registries come, change and go: checked before anything is saved, saved whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from models.change_feed import ChangeFeed
from models.database import Database, Transaction
from models.enums import EventType, HealthStatus, IntegrationOrigin, RegistryKind
from models.integration import PLATFORM_SCOPE, ImageHost, Integration, IntegrationHealth
from models.names import fold_name
from models.queries.integrations import integrations_by_id
from models.reader_credential import ReaderCredential
from models.reading import Statement
from models.records import IntegrationRecord
from models.usage import UsageMeasurement
from registry_clients.endpoint import Credential, RegistryEndpoint
from services.access_writing import held_bindings, lock_access, revoke
from services.clock import Clock
from services.credential_cipher import CredentialCipher
from services.event_making import integration_event
from services.feed_claims import LONG_AGO
from services.health import HealthMonitor
from services.holders import claim_lock, require_free
from services.hooks import create_hook
from services.input_rules import checked_description, checked_name
from services.installation import credential_purpose
from services.integration_locks import lock_integration, locked_integration
from services.losses import Losses, losses_of_spaces
from services.mirror import write_full_look
from services.readers import ReaderKeeper
from services.registry_check import RegistryLook, look_at
from services.registry_connections import RegistryConnections
from services.registry_input import (
    InputErrors,
    RegistryInput,
    parse_credential,
    parse_endpoint,
    parse_primary_image_host,
    require_supported,
)
from services.synchronization import Synchronizer
from services.user_errors import InvalidInput, NotFound

log = structlog.get_logger("integrating")

LEFT_TO_BACKGROUND = timedelta(minutes=1)
"""When the first look comes if the server dies before it could start it."""

FEED_GOES_FIRST = timedelta(seconds=2)
"""How long the first look waits for the log of changes, which starts it sooner."""

FIRST_LOOK_TIMEOUT_SECONDS = 15.0
FIRST_LOOK_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class NewIntegration:
    """What is to be integrated, as typed."""

    name: str
    registry: RegistryInput = field(repr=False)
    image_host: str | None = None
    description: str | None = None
    workspace_id: int | None = None
    """The workspace that brings it, for its own namespaces alone; None for the platform."""


@dataclass(frozen=True, slots=True)
class RemovedIntegration:
    """An integration as it was, and what is lost with it."""

    integration: IntegrationRecord
    losses: Losses


class Integrator:
    """Integrates and removes registries."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        cipher: CredentialCipher,
        clock: Clock,
        monitor: HealthMonitor,
        synchronizer: Synchronizer,
        readers: ReaderKeeper,
        *,
        most_for_workspace: int,
    ) -> None:
        """Take besides how many registries a workspace may bring."""
        self._most_for_workspace = most_for_workspace
        self._database = database
        self._connections = connections
        self._cipher = cipher
        self._clock = clock
        self._monitor = monitor
        self._synchronizer = synchronizer
        self._readers = readers

    async def integrate(self, given: NewIntegration, created_by: str) -> IntegrationRecord:
        """Check a registry, then save it with what it holds.

        Where routine reads are made with a credential that is made first, what it holds is looked at with that, right
        after saving; what takes longer than 15 seconds goes on in the background.

        Raises UserErrors, NameTaken, AddressTaken, ImageHostTaken, KindNotSupported, RegistryRefused, and NotFound
        for a workspace that is gone or being deleted. Of two at the same time with one name or address, one wins and
        the other is told who holds it.
        """
        errors = InputErrors()
        name = errors.take(lambda: checked_name(given.name, ("input", "name")), ("input", "name"))
        description = errors.take(
            lambda: checked_description(given.description, ("input", "description")),
            ("input", "description"),
        )
        endpoint = parse_endpoint(given.registry, errors)
        kind = given.registry.kind
        credential = parse_credential(given.registry.username, given.registry.password, kind, errors)
        image_host = parse_primary_image_host(given.image_host, None if endpoint is None else endpoint.url, errors)
        errors.raise_any()
        if name is None or endpoint is None or image_host is None or kind is None:
            raise AssertionError("an input without errors is complete")
        require_supported(kind)
        # Asked before the registry is, so that nobody waits for a registry to hear that the name is taken.
        await self._database.transact(
            partial(
                require_free,
                workspace_id=given.workspace_id,
                name=name,
                url=str(endpoint.url),
                image_host=image_host,
            )
        )
        looked_at = self._clock()
        look = await look_at(kind, endpoint, credential, self._connections.reaches.of(given.workspace_id))
        integration_id = await self._database.transact(
            partial(
                self._save,
                workspace_id=given.workspace_id,
                name=name,
                description=description,
                kind=kind,
                endpoint=endpoint,
                credential=credential,
                image_host=image_host,
                look=look,
                looked_at=looked_at,
                created_by=created_by,
            )
        )
        await self._readers.ensure(integration_id)
        if look.contents is None:
            await self._start_watching(integration_id)
        return await self._present(integration_id)

    async def _start_watching(self, integration_id: int) -> None:
        """Have the background look at everything now, and wait for it as long as a person would.

        Its log of changes, where it is found, starts that look, so that nothing falls in between; else it comes a
        moment later by itself.
        """
        now = self._clock()

        async def work(transaction: Transaction) -> None:
            await lock_integration(transaction, integration_id)
            await ChangeFeed.filter(integration_id=integration_id).update(lease_until=None)
            await Integration.filter(id=integration_id).update(next_synchronization_at=now + FEED_GOES_FIRST)

        await self._database.transact(work)
        for _ in range(round(FIRST_LOOK_TIMEOUT_SECONDS / FIRST_LOOK_POLL_SECONDS)):
            if (await self._present(integration_id)).looked_at is not None:
                return
            await asyncio.sleep(FIRST_LOOK_POLL_SECONDS)
        log.info("first look goes on in the background", integration_id=integration_id)

    async def remove(self, integration_id: int, dry_run: bool, removed_by: str) -> RemovedIntegration:
        """Remove an integration, its mirror and the bindings of its spaces; or, with `dry_run`, say what would be lost.

        Nothing at the registry is touched but what we made there. Raises NotFound.
        """
        known = await self._present(integration_id)
        if not dry_run:
            # Before the row goes: killed in between, the integration stands, and its reader is made again.
            await self._readers.remove(integration_id)

        def its_spaces(statement: Statement) -> Sequence[str]:
            return [f's."integration_id" = {statement.bind(integration_id)}']

        async def work(transaction: Transaction) -> Losses:
            integration = await locked_integration(transaction, integration_id)
            if integration is None:
                raise NotFound("integration", ("input", "id"))
            await lock_access(transaction)
            losses = await losses_of_spaces(transaction, its_spaces, bindings_stay=False)
            if dry_run:
                return losses
            now = self._clock()
            await revoke(transaction, await held_bindings(transaction, its_spaces), now, removed_by)
            transaction.events.append(integration_event(EventType.INTEGRATION_REMOVED, now, integration, by=removed_by))
            await integration.delete()
            return losses

        losses = await self._database.transact(work)
        if not dry_run:
            self._connections.forget(integration_id)
        return RemovedIntegration(known, losses)

    async def _present(self, integration_id: int) -> IntegrationRecord:
        known = await integrations_by_id(self._database, [integration_id])
        if integration_id not in known:
            raise NotFound("integration", ("input", "id"))
        return known[integration_id]

    async def _require_room(self, transaction: Transaction, workspace_id: int) -> None:
        if await Integration.filter(workspace_id=workspace_id).count() >= self._most_for_workspace:
            raise InvalidInput(
                f"A workspace may bring {self._most_for_workspace} registries at most.", ("input", "workspaceId")
            )

    async def _save(
        self,
        transaction: Transaction,
        *,
        workspace_id: int | None,
        name: str,
        description: str | None,
        kind: RegistryKind,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        image_host: str,
        look: RegistryLook,
        looked_at: datetime,
        created_by: str,
    ) -> int:
        await claim_lock(transaction)
        await lock_access(transaction)
        await _require_standing(transaction, workspace_id)
        if workspace_id is not None:
            await self._require_room(transaction, workspace_id)
        url = str(endpoint.url)
        await require_free(transaction, workspace_id, name=name, url=url, image_host=image_host)
        scope = PLATFORM_SCOPE if workspace_id is None else workspace_id
        now = self._clock()
        first_pause = LEFT_TO_BACKGROUND if look.contents is None else self._synchronizer.interval
        integration = await Integration.create(
            name=name,
            name_key=fold_name(name),
            description=description,
            workspace_id=workspace_id,
            scope=scope,
            kind=kind,
            origin=IntegrationOrigin.INTEGRATED,
            url=url,
            username=credential and credential.username,
            password_encrypted=credential and self._cipher.encrypt(credential.password, credential_purpose(url)),
            token_realm=endpoint.token_realm and str(endpoint.token_realm),
            ca_certificate_pem=endpoint.tls.ca_certificate_pem,
            is_verification_skipped=endpoint.tls.is_verification_skipped,
            next_synchronization_at=now + first_pause,
            looked_at=None if look.contents is None else looked_at,
            created_by=created_by,
            created_at=now,
            updated_at=now,
        )
        await ImageHost.create(host=image_host, scope=scope, integration=integration, is_primary=True)
        # It has just answered: it begins healthy, and the first probe comes within an interval.
        await IntegrationHealth.create(
            integration=integration,
            status=HealthStatus.HEALTHY,
            since=now,
            checked_at=now,
            version=look.verification.version,
            next_probe_at=self._monitor.first_probe_at(now),
        )
        transaction.events.append(
            integration_event(EventType.INTEGRATION_ADDED, now, integration, kind=kind.value, by=created_by)
        )
        await UsageMeasurement.create(integration=integration, next_at=now)
        await create_hook(integration)
        if look.makes_readers:
            await ReaderCredential.create(integration=integration, next_check_at=now)
        if look.has_change_feed:
            # Long ago: it is looked for as soon as there is a reader, or it is clear that there will be none.
            await ChangeFeed.create(
                integration=integration, read_at=now - LONG_AGO, lease_until=now + LEFT_TO_BACKGROUND
            )
        if look.contents is not None:
            await write_full_look(transaction, integration, look.contents, looked_at, accept_loss=False)
        return int(integration.id)


async def _require_standing(transaction: Transaction, workspace_id: int | None) -> None:
    """Raise NotFound for a workspace that is gone or being deleted; the others stay until the transaction ends."""
    if workspace_id is None:
        return
    place = transaction.dialect.placeholder(1)
    standing = await transaction.fetch(
        f'SELECT 1 FROM "workspace" WHERE "id" = {place} AND "deleted_at" IS NULL{transaction.dialect.lock_rows}',
        workspace_id,
    )
    if not standing:
        raise NotFound("workspace", ("input", "workspaceId"))
