"""Clients to the integrated registries: one for each, kept while its address and credential stay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from yarl import URL

from models.database import Database
from models.enums import EventType, RegistryKind
from models.reading import Statement
from models.records import EventRecord
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust
from registry_clients.kind import RegistryKind as ClientKind
from registry_clients.kinds import open_client
from registry_clients.protocol import RegistryClient
from services.credential_cipher import CredentialCipher, WrongKey
from services.installation import credential_purpose
from services.registry_check import Reaches

log = structlog.get_logger("registries")

REFUSALS_THAT_COUNT = 4
"""So often in a row an administrator's credential is refused before its health is said to be bad."""


@dataclass(frozen=True, slots=True)
class RegistryTarget:
    """Where to reach an integration, and with what; `updated_at` tells one state of it from the next."""

    integration_id: int
    workspace_id: int | None
    """The workspace that brought it; None for the platform's. It never changes."""

    kind: RegistryKind
    endpoint: RegistryEndpoint
    credential: Credential | None = field(repr=False)
    reader: Credential | None = field(repr=False)
    """What routine reads are made with, where there is one apart from the credential."""

    is_administrator_refused: bool
    """Whether the credential was refused again and again, while the reader's was not."""

    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _KeptClient:
    target: RegistryTarget
    client: RegistryClient

    def serves(self, target: RegistryTarget) -> bool:
        """Return whether a client for the target would be the same: a new name alone changes nothing."""
        mine = self.target
        return (mine.kind, mine.endpoint, mine.credential, mine.reader) == (
            target.kind,
            target.endpoint,
            target.credential,
            target.reader,
        )


class RegistryConnections:
    """The open clients, by integration."""

    def __init__(
        self,
        database: Database,
        cipher: CredentialCipher,
        reaches: Reaches,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self.reaches = reaches
        self._clients: dict[int, _KeptClient] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def targets(self, ids: Sequence[int]) -> dict[int, RegistryTarget]:
        """Return where to reach those of the integrations that exist, with one statement.

        One whose stored credential can't be decrypted is left out, and logged.
        """
        statement = Statement(self._database.dialect)
        condition = statement.is_one_of('i."id"', ids)
        rows = await self._database.fetch(
            'SELECT i."id", i."workspace_id", i."kind", i."url", i."username", i."password_encrypted", i."token_realm",'
            ' i."ca_certificate_pem", i."is_verification_skipped", i."updated_at", r."username" AS reader_username,'
            ' r."password_encrypted" AS reader_password_encrypted, r."administrator_refusals"'
            ' FROM "integration" i LEFT JOIN "reader_credential" r ON r."integration_id" = i."id"'
            f" WHERE {condition}",
            *statement.values,
        )
        found = {}
        for row in rows:
            try:
                found[row["id"]] = self._target(row)
            except WrongKey:
                # The key was checked at start, so this one row was tampered with: the others must go on.
                log.error("stored credential can't be decrypted", integration_id=row["id"])
        return found

    async def client(self, target: RegistryTarget) -> RegistryClient:
        """Return the client for a target; one for another address or credential is closed.

        Raises RegistryError when the CA certificate can't be used.
        """
        kept = self._clients.get(target.integration_id)
        if kept is not None and kept.serves(target):
            return kept.client
        reach = self.reaches.of(target.workspace_id)
        client = await open_client(
            ClientKind(target.kind.value),
            target.endpoint,
            target.credential,
            reach.policy,
            reach.settings,
            reach.observer.registry_called,
            target.reader,
        )
        kept = self._clients.get(target.integration_id)
        if kept is not None and (kept.serves(target) or kept.target.updated_at > target.updated_at):
            # Another task was quicker, or knows a newer state: one client for each is enough.
            await client.aclose()
            return kept.client
        self._clients[target.integration_id] = _KeptClient(target, client)
        if kept is not None:
            self._close(kept.client)
        return client

    def notice(self, event: EventRecord) -> None:
        """Let go of an integration's client when it was removed, by whichever replica."""
        if event.type is EventType.INTEGRATION_REMOVED and event.integration_id is not None:
            self.forget(event.integration_id)

    def forget(self, integration_id: int) -> None:
        """Close the client of an integration that was removed or changed."""
        kept = self._clients.pop(integration_id, None)
        if kept is not None:
            self._close(kept.client)

    async def close(self) -> None:
        """Close every client."""
        for integration_id in list(self._clients):
            self.forget(integration_id)
        if self._closing:
            await asyncio.wait(self._closing)

    def _close(self, client: RegistryClient) -> None:
        task = asyncio.create_task(client.aclose(), name="close registry client")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _target(self, row: dict[str, object]) -> RegistryTarget:
        url = str(row["url"])
        pem, realm, workspace_id = row["ca_certificate_pem"], row["token_realm"], row["workspace_id"]
        return RegistryTarget(
            integration_id=int(str(row["id"])),
            workspace_id=None if workspace_id is None else int(str(workspace_id)),
            kind=RegistryKind(str(row["kind"])),
            endpoint=RegistryEndpoint(
                url=URL(url),
                tls=TlsTrust(
                    ca_certificate_pem=None if pem is None else str(pem),
                    is_verification_skipped=bool(row["is_verification_skipped"]),
                ),
                token_realm=None if realm is None else URL(str(realm)),
            ),
            credential=self._credential(row["username"], row["password_encrypted"], url),
            reader=self._credential(row["reader_username"], row["reader_password_encrypted"], url),
            is_administrator_refused=int(str(row["administrator_refusals"] or 0)) >= REFUSALS_THAT_COUNT,
            updated_at=self._database.dialect.datetime(row["updated_at"]),
        )

    def _credential(self, username: object, password_encrypted: object, url: str) -> Credential | None:
        if username is None:
            return None
        return Credential(str(username), self._cipher.decrypt(str(password_encrypted), credential_purpose(url)))
