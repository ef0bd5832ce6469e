"""The registries whose spaces are being changed: one change of a space at a time, and none is lost sight of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

from models.database import Database, Transaction
from models.integration import Integration
from registry_clients import refusals
from registry_clients.errors import CredentialRejected, RegistryError, TimedOut
from registry_clients.protocol import RegistryClient
from services.access_writing import lock_access
from services.clock import Clock
from services.feed_claims import look_at_everything_soon
from services.integration_locks import locked_integration
from services.lost_answers import NOTHING_DONE, OutcomeUnknown
from services.registry_connections import RegistryConnections, RegistryTarget
from services.registry_turns import NamedThing, Turns, ask_in_time
from services.space_asking import SpaceClient
from services.user_errors import InvalidInput, NotFound, Path, RegistryRefused, SpaceNotEmpty, SpaceRefused, UserError

T = TypeVar("T")

AskingError = RegistryError | refusals.SpaceRefused | OutcomeUnknown
"""What comes of asking a registry, other than that it was done."""


class SpaceRegistries:
    """Where spaces are changed."""

    def __init__(self, database: Database, connections: RegistryConnections, clock: Clock) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self._turns = Turns("space")

    def turn(self, keys: Iterable[NamedThing], deadline: float) -> AbstractAsyncContextManager[None]:
        """Hold off other changes of these spaces; see `Turns.of`."""
        return self._turns.of(keys, deadline)

    async def target(self, integration_id: int, path: Path) -> RegistryTarget:
        """Return where to reach an integration. Raises NotFound, with the path, when it is gone."""
        targets = await self.targets([integration_id])
        if integration_id not in targets:
            raise NotFound("integration", path)
        return targets[integration_id]

    async def targets(self, integration_ids: Sequence[int]) -> dict[int, RegistryTarget]:
        """Return where to reach those of the integrations that exist."""
        return await self._connections.targets(integration_ids)

    async def ask(self, target: RegistryTarget, work: Callable[[SpaceClient], Awaitable[T]], deadline: float) -> T:
        """Return what becomes of asking a registry, within a deadline. Raises `AskingError`."""
        try:
            return await ask_in_time(self._connections, target, _usable, work, deadline)
        except TimeoutError as error:
            raise OutcomeUnknown(TimedOut(f"{target.endpoint.host} did not answer in time.")) from error

    @asynccontextmanager
    async def followed(self, integration_ids: Iterable[int]) -> AsyncIterator[None]:
        """Have the registries looked at soon when the block, which changes something there, doesn't end well.

        What was done there and isn't written down here, for whatever reason, is found so.
        """
        ids = list(integration_ids)
        try:
            yield
        except BaseException as error:
            if not is_answered(error):
                await self.look_soon(ids)
            raise

    async def look_soon(self, integration_ids: Iterable[int]) -> None:
        """Have everything of these integrations looked at as soon as they answer."""
        now = self._clock()

        async def work(transaction: Transaction) -> None:
            for integration_id in sorted(set(integration_ids)):
                await look_at_everything_soon(transaction, integration_id, now)

        await self._database.transact(work)


def _usable(client: RegistryClient) -> SpaceClient:
    if not isinstance(client, SpaceClient):
        raise TypeError(f"A {type(client).__name__} changes no spaces, and its kind says that it does.")
    return client


def is_answered(error: BaseException) -> bool:
    """Return whether an error is the registry's own word that it has done nothing, or shows that it wasn't reached."""
    if isinstance(error, refusals.SpaceRefused):
        return not isinstance(error, refusals.SpaceGone)
    return isinstance(error, (SpaceNotEmpty, CredentialRejected, *NOTHING_DONE))


@contextmanager
def told(path: Path, refused_path: Path | None = None) -> Iterator[None]:
    """Tell what came of asking a registry as a UserError with the path, or the other path where it refused."""
    try:
        yield
    except refusals.SpaceRefused as error:
        raise user_error_of(error, refused_path or path) from error
    except (RegistryError, OutcomeUnknown) as error:
        raise user_error_of(error, path) from error


def user_error_of(error: AskingError, path: Path) -> UserError:
    """Return what came of asking a registry as people are told of it."""
    match error:
        case OutcomeUnknown():
            return RegistryRefused(error.error, path)
        case RegistryError():
            return RegistryRefused(error, path)
        case refusals.SpaceGone():
            return gone(error.name, path)
        case _:
            return SpaceRefused(error.message, error.registry_message, path)


def gone(name: str, path: Path) -> InvalidInput:
    """Return the error of a space that was there once."""
    return InvalidInput(f"The space “{name}” is no longer at its registry.", path)


async def locked_for_spaces(transaction: Transaction, integration_ids: Iterable[int]) -> dict[int, Integration]:
    """Return those of the integrations that exist. Until the transaction ends nobody changes them, nor who may pull."""
    found = {id_: await locked_integration(transaction, id_) for id_ in sorted(set(integration_ids))}
    await lock_access(transaction)
    return {id_: integration for id_, integration in found.items() if integration is not None}
