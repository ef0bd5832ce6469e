"""From settings to running services."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import structlog
from tortoise.exceptions import BaseORMException

from models.database import Database
from models.enums import Role
from models.migrate import applied_migrations, migrate
from models.queries.access_tokens import ACCESS_TOKENS, every_token
from registry_clients.addresses import AddressPolicy
from registry_clients.transport import TransportSettings
from server.data_folder import ADMIN_TOKEN_FILE, ensure_folder, read_or_make_keys, write_secret
from server.settings import Settings
from services.access_tokens import PREFIX, AccessTokens
from services.audit import AuditLog
from services.background import keep_running
from services.binding import Binder
from services.change_following import ChangeFollower
from services.clock import Clock, utc_now
from services.credential_cipher import CredentialCipher, parse_keys
from services.deleting import ContentDeleter
from services.event_log import EventLog
from services.event_notices import EventNotices
from services.health import HealthMonitor
from services.hooks import Hooks
from services.installation import check_key, ensure_installation, is_installed
from services.integrating import Integrator
from services.live_contents import LiveContents
from services.measuring import UsageMeasurer
from services.notifications import Notifications
from services.notified_repositories import NotifiedRepositories
from services.observation import UNOBSERVED, Observer
from services.purge import Purger, Retention
from services.readers import ReaderKeeper
from services.registry_check import Reach, Reaches
from services.registry_connections import RegistryConnections
from services.services import ServerFacts, Services
from services.spaces import SpaceChanger
from services.synchronization import Synchronizer
from services.updating import IntegrationUpdater
from services.workspaces import WorkspaceKeeper

log = structlog.get_logger("server")

OPEN_TIMEOUT_SECONDS = 20.0


class DatabaseUnusable(Exception):
    """The database can't be reached, or is none of ours."""

    def __init__(self, settings: Settings, error: BaseException) -> None:
        why = str(error) or type(error).__name__
        # As it stands in the address, and as the database gets it.
        for password in (settings.database_password, unquote(settings.database_password)):
            why = why.replace(password, "•••") if password else why
        super().__init__(f"The database {settings.shown_database} can't be used: {why}")


ADMIN_TOKEN_LIFETIME = timedelta(days=365)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[tuple[Database, CredentialCipher]]:
    """Open the database, migrated, with the cipher for its credentials.

    A wrong key is found before anything is written. Raises WrongKey, InvalidKeys, MissingKeys, SchemaTooNew,
    DataFolderUnusable, DatabaseUnusable.
    """
    ensure_folder(settings.data)
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
            database = await Database.open(settings.tortoise_url)
    except (BaseORMException, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TypeError, ValueError) as error:
        # TypeError, ValueError: options in the address that asyncpg doesn't know.
        raise DatabaseUnusable(settings, error) from error
    try:
        is_new = not await applied_migrations(database) or not await is_installed(database)
        if settings.encryption_keys is not None:
            keys = parse_keys(settings.encryption_keys.get_secret_value())
        else:
            keys = read_or_make_keys(settings.data, is_new)
        cipher = CredentialCipher(keys)
        if not is_new:
            await check_key(database, cipher)
        applied = await migrate(database)
        if applied:
            log.info("database migrated", migrations=applied)
        yield database, cipher
    finally:
        await database.close()


@asynccontextmanager
async def running_services(
    settings: Settings, clock: Clock = utc_now, observer: Observer = UNOBSERVED
) -> AsyncIterator[Services]:
    """Open everything and keep the background work going until the end of the block."""
    async with open_database(settings) as (database, cipher):
        installation = await ensure_installation(database, cipher, clock)
        tokens = AccessTokens(database, clock)
        await ensure_admin_token(database, tokens, clock, settings.data / ADMIN_TOKEN_FILE)
        reaches = registry_reaches(settings, observer)
        connections = RegistryConnections(database, cipher, reaches)
        events = EventLog(database, installation.event_epoch)
        database.on_events = events.wake
        events.observe(tokens.notice)
        events.observe(connections.notice)
        live_contents = LiveContents(database, connections, clock, settings.live_deadline_seconds, observer)
        events.observe(live_contents.notice)
        await events.start()
        readers = ReaderKeeper(database, connections, cipher, clock, installation.uid, observer)
        monitor = HealthMonitor(database, connections, clock, settings.probe_interval, observer, readers.mend)
        synchronizer = Synchronizer(database, connections, clock, settings.synchronization_interval, observer)
        integrator = Integrator(
            database,
            connections,
            cipher,
            clock,
            monitor,
            synchronizer,
            readers,
            most_for_workspace=settings.most_workspace_registries,
        )
        notified = NotifiedRepositories(
            database, connections, clock, observer, is_measured=settings.usage_interval is not None
        )
        retention = Retention(
            events=timedelta(days=settings.event_retention_days),
            health_checks=timedelta(hours=settings.check_retention_hours),
            audit_events=timedelta(days=settings.audit_retention_days),
        )
        services = Services(
            database=database,
            clock=clock,
            access_tokens=tokens,
            audit=AuditLog(database, clock),
            events=events,
            monitor=monitor,
            synchronizer=synchronizer,
            reaches=reaches,
            hooks=Hooks(database, clock),
            notifications=Notifications(database, clock, notified),
            integrator=integrator,
            updater=IntegrationUpdater(database, connections, cipher, clock, readers),
            workspaces=WorkspaceKeeper(database, clock, tokens),
            binder=Binder(database, clock),
            space_changer=SpaceChanger(database, connections, clock),
            content_deleter=ContentDeleter(database, connections, clock, live_contents.doubt),
            live_contents=live_contents,
            facts=ServerFacts(
                version=version("integrated-registry"),
                address=settings.address,
                probe_interval_seconds=settings.probe_interval_seconds,
                synchronization_interval_seconds=settings.synchronization_interval_seconds,
            ),
        )
        work = {
            "event log": events.run,
            "health": monitor.run,
            "synchronization": synchronizer.run,
            "readers": readers.run,
            "changes": ChangeFollower(
                database, connections, clock, lambda: events.is_watched, readers.doubt, observer
            ).run,
            "notifications": notified.run,
            "purge": Purger(database, clock, retention, observer).run,
        }
        if settings.usage_interval is not None:
            work["usage"] = UsageMeasurer(database, connections, clock, settings.usage_interval, observer).run
        if database.tells_of_events:
            work["event notices"] = EventNotices(database, events.wake).run
        tasks = [asyncio.create_task(keep_running(name, run, observer), name=name) for name, run in work.items()]
        try:
            yield services
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # What was begun at a registry is written down before the database closes.
            await asyncio.gather(services.space_changer.end(), services.content_deleter.end())
            await live_contents.end()
            await connections.close()


def registry_reaches(settings: Settings, observer: Observer = UNOBSERVED) -> Reaches:
    """Return with which rules and limits this server reaches registries."""
    platform = AddressPolicy(
        allows_loopback=settings.allow_loopback_registries,
        allows_private=settings.allow_private_registries,
    )
    # What the platform may not reach, no workspace may.
    workspaces = AddressPolicy(
        allows_loopback=platform.allows_loopback and settings.allow_loopback_workspace_registries,
        allows_private=platform.allows_private and settings.allow_private_workspace_registries,
    )
    limits = TransportSettings()
    return Reaches(Reach(platform, limits, observer), Reach(workspaces, limits, observer))


async def ensure_admin_token(database: Database, tokens: AccessTokens, clock: Clock, file: Path) -> None:
    """Make the first access token, where there has never been one, and leave it in a file.

    The file comes first: killed in between, the next start makes both anew, and nothing is lost.
    """
    if await ACCESS_TOKENS.count(database, every_token):
        return
    token = PREFIX + secrets.token_urlsafe(32)
    write_secret(file, token + "\n")
    await tokens.store(token, "admin", Role.PLATFORM_ADMIN, clock() + ADMIN_TOKEN_LIFETIME, "first start")
