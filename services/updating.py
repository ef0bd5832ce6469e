"""Changing an integration: what is left out stays, and no stored password is sent anywhere new."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from yarl import URL

from models.change_feed import ChangeFeed
from models.database import Database, Transaction
from models.enums import EventType
from models.integration import ImageHost, Integration, IntegrationHealth
from models.names import fold_name
from models.queries.integrations import image_host_aliases, integrations_by_id
from models.reader_credential import ReaderCredential
from models.records import IntegrationRecord
from models.usage import UsageMeasurement
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust
from services.clock import Clock
from services.credential_cipher import CredentialCipher
from services.event_making import integration_event
from services.feed_claims import LONG_AGO
from services.holders import claim_lock, require_free
from services.input_rules import checked_description, checked_name
from services.installation import credential_purpose
from services.integration_locks import locked_integration
from services.left_out import LEFT_OUT, Left
from services.readers import AGAIN_AFTER_FAILURE, ReaderKeeper
from services.registry_check import verify
from services.registry_connections import RegistryConnections
from services.registry_input import (
    InputErrors,
    RegistryInput,
    TlsInput,
    parse_aliases,
    parse_credential,
    parse_endpoint,
    parse_primary_image_host,
)
from services.usage_claims import mark_stale
from services.user_errors import CredentialRequired, NotFound, UpdateConflict


@dataclass(frozen=True, slots=True)
class IntegrationUpdate:
    """What is to be changed, as typed; null empties what can be empty."""

    id: int
    name: str | Left = LEFT_OUT
    description: str | Left | None = LEFT_OUT
    url: str | Left = LEFT_OUT
    image_host: str | Left | None = LEFT_OUT
    image_host_aliases: list[str] | Left = LEFT_OUT
    tls: TlsInput | Left = LEFT_OUT
    token_realm: str | Left | None = LEFT_OUT
    username: str | Left | None = LEFT_OUT
    password: str | Left | None = field(default=LEFT_OUT, repr=False)
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Present:
    record: IntegrationRecord
    aliases: tuple[str, ...]

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.record.image_host, *self.aliases})


@dataclass(frozen=True, slots=True)
class _Changed:
    name: str
    description: str | None
    endpoint: RegistryEndpoint
    image_host: str
    aliases: tuple[str, ...]
    credential: Credential | None = field(repr=False)
    is_credential_given: bool

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.image_host, *self.aliases})


class IntegrationUpdater:
    """Updates integrations and rotates their credentials."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        cipher: CredentialCipher,
        clock: Clock,
        readers: ReaderKeeper,
    ) -> None:
        self._readers = readers
        self._database = database
        self._connections = connections
        self._cipher = cipher
        self._clock = clock

    async def update(self, update: IntegrationUpdate, updated_by: str) -> IntegrationRecord:
        """Change an integration; a changed address or credential is verified before anything is saved.

        Raises NotFound, UpdateConflict, UserErrors, CredentialRequired, NameTaken, AddressTaken,
        ImageHostTaken, RegistryRefused.
        """
        present = await self._present(update.id)
        _require_expected(present.record, update.expected_updated_at)
        changed = _parse(update, present)
        record = present.record
        is_connection_changed = changed.endpoint != _endpoint(record)
        # Pull secrets will be made for image hosts: they too lead a password somewhere.
        is_host_new = changed.image_host != record.image_host or not changed.hosts <= present.hosts
        if (is_connection_changed or is_host_new) and record.has_password and not changed.is_credential_given:
            raise CredentialRequired(("input", "password"))
        if is_connection_changed or changed.is_credential_given:
            await verify(
                record.kind, changed.endpoint, changed.credential, self._connections.reaches.of(record.workspace_id)
            )
        return await self._save(present, changed, is_connection_changed, updated_by)

    async def rotate_credential(
        self, integration_id: int, username: str | None, password: str | None, updated_by: str
    ) -> IntegrationRecord:
        """Replace the credential; the new one is verified before the old is dropped.

        Raises NotFound, UserErrors, RegistryRefused.
        """
        present = await self._present(integration_id)
        errors = InputErrors()
        credential = parse_credential(username, password, None, errors)
        if credential is None and not errors.errors:
            errors.refuse("Give the new username and password.", ("input", "username"))
        errors.raise_any()
        record = present.record
        endpoint = _endpoint(record)
        await verify(record.kind, endpoint, credential, self._connections.reaches.of(record.workspace_id))
        changed = _Changed(
            name=record.name,
            description=record.description,
            endpoint=endpoint,
            image_host=record.image_host,
            aliases=present.aliases,
            credential=credential,
            is_credential_given=True,
        )
        return await self._save(present, changed, False, updated_by)

    async def _present(self, integration_id: int) -> _Present:
        record = await self._record(integration_id)
        aliases = await image_host_aliases(self._database, [integration_id])
        return _Present(record, tuple(aliases[integration_id]))

    async def _record(self, integration_id: int) -> IntegrationRecord:
        records = await integrations_by_id(self._database, [integration_id])
        if integration_id not in records:
            raise NotFound("integration", ("input", "id"))
        return records[integration_id]

    async def _save(
        self, present: _Present, changed: _Changed, is_connection_changed: bool, updated_by: str
    ) -> IntegrationRecord:
        record = present.record

        async def work(transaction: Transaction) -> bool:
            await claim_lock(transaction)
            integration = await locked_integration(transaction, record.id)
            if integration is None:
                raise NotFound("integration", ("input", "id"))
            if integration.updated_at != record.updated_at:
                return False
            url = str(changed.endpoint.url)
            # What a workspace's registry has already stays its own, also when the platform took the same later.
            await require_free(
                transaction,
                record.workspace_id,
                name=None if fold_name(changed.name) == record.name_key else changed.name,
                url=None if url == record.url else url,
                image_host=None if changed.image_host in present.hosts else changed.image_host,
                image_host_aliases=[alias for alias in changed.aliases if alias not in present.hosts],
                but_by=record.id,
            )
            now = self._clock()
            fields: dict[str, object] = {
                "name": changed.name,
                "name_key": fold_name(changed.name),
                "description": changed.description,
                "url": url,
                "token_realm": changed.endpoint.token_realm and str(changed.endpoint.token_realm),
                "ca_certificate_pem": changed.endpoint.tls.ca_certificate_pem,
                "is_verification_skipped": changed.endpoint.tls.is_verification_skipped,
                "updated_at": now,
            }
            if changed.is_credential_given:
                credential = changed.credential
                fields["username"] = credential and credential.username
                fields["password_encrypted"] = credential and self._cipher.encrypt(
                    credential.password, credential_purpose(url)
                )
            await Integration.filter(id=record.id).update(**fields)
            if (changed.image_host, changed.aliases) != (record.image_host, present.aliases):
                await ImageHost.filter(integration_id=record.id).delete()
                for host in (changed.image_host, *changed.aliases):
                    await ImageHost.create(
                        host=host,
                        scope=integration.scope,
                        integration_id=record.id,
                        is_primary=host == changed.image_host,
                    )
            if is_connection_changed or changed.is_credential_given:
                await self._restart_watching(transaction, record.id, now, is_connection_changed)
            integration.name = changed.name
            transaction.events.append(integration_event(EventType.INTEGRATION_UPDATED, now, integration, by=updated_by))
            return True

        if is_connection_changed:
            # At the address that it was made at, which is still the one stored.
            await self._readers.remove(record.id)
        try:
            is_saved = await self._database.transact(work)
        except BaseException:
            await asyncio.shield(self._readers.give_back(record.id))
            raise
        if not is_saved:
            await self._readers.give_back(record.id)
        current = await self._record(record.id)
        if not is_saved:
            # What was verified is no longer what is stored: the caller decides what to do about it.
            raise UpdateConflict(current, ("input", "id"))
        if is_connection_changed or changed.is_credential_given:
            self._connections.forget(record.id)
            await self._readers.ensure(record.id, is_replaced=True)
        return current

    async def _restart_watching(
        self, transaction: Transaction, integration_id: int, now: datetime, is_elsewhere: bool
    ) -> None:
        """Probe at once, since what was seen is of the former state; look at the spaces of another address."""
        await IntegrationHealth.filter(integration_id=integration_id).update(next_probe_at=now, lease_until=None)
        await ReaderCredential.filter(integration_id=integration_id).update(
            administrator_refusals=0, lease_until=None, next_check_at=now + AGAIN_AFTER_FAILURE
        )
        if is_elsewhere:
            await ReaderCredential.filter(integration_id=integration_id).update(
                external_id=None, username=None, password_encrypted=None, failure=None
            )
            await ChangeFeed.filter(integration_id=integration_id).update(
                position=None, read_at=now - LONG_AGO, lease_until=None
            )
            await Integration.filter(id=integration_id).update(next_synchronization_at=now)
            await UsageMeasurement.filter(integration_id=integration_id).update(
                next_at=now, whole_at=None, lease_until=None
            )
            await mark_stale(transaction, [integration_id])


def _require_expected(record: IntegrationRecord, expected: datetime | None) -> None:
    if expected is not None and expected != record.updated_at:
        raise UpdateConflict(record, ("input", "expectedUpdatedAt"))


def _endpoint(record: IntegrationRecord) -> RegistryEndpoint:
    return RegistryEndpoint(
        url=URL(record.url),
        tls=TlsTrust(record.ca_certificate_pem, record.is_verification_skipped),
        token_realm=None if record.token_realm is None else URL(record.token_realm),
    )


def _parse(update: IntegrationUpdate, present: _Present) -> _Changed:
    """Return what the integration is to be. Raises UserErrors."""
    record = present.record
    errors = InputErrors()
    name, description = record.name, record.description
    if not isinstance(update.name, Left):
        given_name = update.name
        name = errors.take(lambda: checked_name(given_name, ("input", "name")), ("input", "name")) or name
    if not isinstance(update.description, Left):
        given_description = update.description
        description = errors.take(
            lambda: checked_description(given_description, ("input", "description")),
            ("input", "description"),
        )
    before = _endpoint(record)
    tls = TlsInput(record.ca_certificate_pem, record.is_verification_skipped)
    endpoint = (
        parse_endpoint(
            RegistryInput(
                url=record.url if isinstance(update.url, Left) else update.url,
                kind=record.kind,
                tls=tls if isinstance(update.tls, Left) else update.tls,
                token_realm=record.token_realm if isinstance(update.token_realm, Left) else update.token_realm,
            ),
            errors,
        )
        or before
    )
    if isinstance(update.image_host, Left):
        image_host: str | None = record.image_host
    else:
        image_host = parse_primary_image_host(update.image_host, endpoint.url, errors)
    aliases = present.aliases
    if not isinstance(update.image_host_aliases, Left) and image_host is not None:
        aliases = parse_aliases(update.image_host_aliases, image_host, errors)
    is_given = not (isinstance(update.username, Left) and isinstance(update.password, Left))
    credential = None
    if is_given:
        credential = parse_credential(
            record.username if isinstance(update.username, Left) else update.username,
            None if isinstance(update.password, Left) else update.password,
            record.kind,
            errors,
        )
    errors.raise_any()
    return _Changed(
        name=name,
        description=description,
        endpoint=endpoint,
        image_host=image_host or record.image_host,
        aliases=tuple(alias for alias in aliases if alias != image_host),
        credential=credential,
        is_credential_given=is_given,
    )
