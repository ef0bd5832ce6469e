"""Asking registries while somebody waits: what changes by the minute, and so is stored nowhere.

Each registry is asked beside the others, for no longer than a deadline. What it doesn't say by then is answered with
what it said last, marked as such; the call itself goes on, and the next one who asks finds what came of it. Calls
belong to the server: whoever waits for one may leave, and all who want the same at once share one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog

from models.database import Database
from models.enums import EventType, HealthReason, HealthStatus
from models.queries.integrations import health_by_integration_id
from models.records import EventRecord, PresentHealthRecord
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from registry_clients.protocol import ListsArtifacts
from services.background import end_tasks
from services.clock import Clock
from services.live_answers import IntegrationGone, NotTold, Told, Unavailable, Wanted
from services.live_memory import LiveMemory
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget

log = structlog.get_logger("live")

T = TypeVar("T")

CALLS_AT_ONCE = 6
"""To one registry. Of its eight connections, two are left to probes and looks."""

CALL_TIMEOUT_SECONDS = 10.0
"""How long a call goes on at most, whoever waits: what hangs keeps nobody from a new one for longer."""

FRESH_SECONDS = 3.0
"""For so long an answer, or that there was none, is as good as a new one."""

LEAST_PATIENCE_SECONDS = 0.1
"""How long a registry is waited for that is known not to answer, or when all the time has gone into other things:
enough for one that answers at once."""

_SILENT = frozenset({HealthReason.NAME_NOT_RESOLVED, HealthReason.CONNECTION_FAILED, HealthReason.TIMED_OUT})

_IMAGE_EVENTS = frozenset({EventType.IMAGE_PUSHED, EventType.IMAGE_DELETED, EventType.TAG_CHANGED})
_INTEGRATION_EVENTS = frozenset({EventType.INTEGRATION_UPDATED, EventType.INTEGRATION_REMOVED})


@dataclass(slots=True, eq=False)
class _Flight:
    """A call under way, for all who want what it brings."""

    target: RegistryTarget
    task: asyncio.Task[Told[Any] | NotTold]

    def outcome(self) -> Told[Any] | NotTold | None:
        """Return what came of it; None while it is under way."""
        if not self.task.done():
            return None
        # Only the end of the server or of the integration cancels it.
        return IntegrationGone() if self.task.cancelled() else self.task.result()


@dataclass(slots=True)
class _Batch:
    """What is wanted by one who waits."""

    targets: Mapping[int, RegistryTarget]
    health: Mapping[int, PresentHealthRecord] = field(default_factory=dict)
    flights: dict[Wanted[Any], _Flight] = field(default_factory=dict)

    def health_of(self, wanted: Wanted[Any]) -> PresentHealthRecord | None:
        """Return how the registry is, where it is not well."""
        health = self.health.get(wanted.integration_id)
        return health if health is not None and health.status is HealthStatus.UNHEALTHY else None

    def known_illness(self, wanted: Wanted[Any]) -> NotTold | None:
        """Return why no answer was to be expected, where that was known."""
        health, workspace_id = self.health_of(wanted), self.targets[wanted.integration_id].workspace_id
        if health is None or health.reason is None:
            return None
        return Unavailable(health.reason, health.message, workspace_id)

    def is_silent(self, wanted: Wanted[Any]) -> bool:
        """Return whether no answer is to be expected."""
        health = self.health_of(wanted)
        return health is not None and health.reason in _SILENT


class LiveContents:
    """The one place from which registries are asked on behalf of somebody who waits."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        deadline_seconds: float,
        observer: Observer = UNOBSERVED,
        *,
        memory: LiveMemory | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic` gives seconds that never go back; by it answers get old, not by `clock`."""
        self._database = database
        self._connections = connections
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._observer = observer
        self._memory = LiveMemory() if memory is None else memory
        self._monotonic = monotonic
        self._flights: dict[Wanted[Any], _Flight] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._lanes: dict[int, asyncio.Semaphore] = {}
        self._removed: set[int] = set()

    async def answers(self, wanted: Sequence[Wanted[T]], waited_seconds: float = 0.0) -> list[Told[T] | NotTold]:
        """Return for each what its registry says, or said last, or why nothing is known; by the deadline.

        That is so much nearer as who wants to know has waited for other things already. Each registry is asked once
        for each thing; two statements find out where they are, and how they are.
        """
        began = asyncio.get_running_loop().time()
        once = list(dict.fromkeys(wanted))
        batch = _Batch(await self._connections.targets(_ids(once)))
        known = {each: self._known(each, batch) for each in once}
        missing = [each for each, answer in known.items() if answer is None]
        if missing:
            batch.health = await health_by_integration_id(self._database, _ids(missing))
            for each in missing:
                # A call that was under way may have brought it meanwhile.
                known[each] = self._known(each, batch)
                if known[each] is None and not self._is_credential_refused(each, batch):
                    batch.flights[each] = self._flight(each, batch.targets[each.integration_id])
            silent = [flight for each, flight in batch.flights.items() if batch.is_silent(each)]
            least_seconds = min(LEAST_PATIENCE_SECONDS, self._deadline_seconds)
            left_seconds = max(self._deadline_seconds - waited_seconds, least_seconds)
            await _wait(set(batch.flights.values()).difference(silent), began, left_seconds)
            await _wait(silent, began, least_seconds)
        answers = {each: answer or self._outcome(each, batch) for each, answer in known.items()}
        return [answers[each] for each in wanted]

    def notice(self, event: EventRecord) -> None:
        """Take a change into account, by whichever replica it was seen or made."""
        if event.integration_id is None:
            return
        if event.type in _IMAGE_EVENTS and "repository_name" in event.data:
            self.doubt(event.integration_id, event.data["repository_name"])
        elif event.type in _INTEGRATION_EVENTS:
            self._forget(event.integration_id, is_removed=event.type is EventType.INTEGRATION_REMOVED)

    def doubt(self, integration_id: int, repository_name: str) -> None:
        """Ask anew for what is in a repository: it has changed. Calls that are under way may have come too early."""
        self._memory.doubt(integration_id, repository_name)
        self._abandon(lambda each: (each.integration_id, each.repository_name) == (integration_id, repository_name))

    async def end(self) -> None:
        """End the calls that are under way, and return when they have ended."""
        await end_tasks(self._running)

    def _forget(self, integration_id: int, *, is_removed: bool) -> None:
        self._memory.drop(integration_id)
        flights = self._abandon(lambda each: each.integration_id == integration_id)
        if is_removed:
            self._removed.add(integration_id)
            self._lanes.pop(integration_id, None)
            for flight in flights:
                flight.task.cancel()

    def _abandon(self, is_meant: Callable[[Wanted[Any]], bool]) -> list[_Flight]:
        """Have nobody else join calls, and nobody remember what they bring."""
        return [self._flights.pop(each) for each in list(self._flights) if is_meant(each)]

    def _known(self, wanted: Wanted[T], batch: _Batch) -> Told[T] | NotTold | None:
        """Return the answer where the registry need not be asked."""
        target = batch.targets.get(wanted.integration_id)
        if target is None:
            return IntegrationGone()
        state, now = target.updated_at, self._monotonic()
        return self._memory.fresh(wanted, state, now) or self._instead(
            wanted, target, self._memory.failure(wanted, state, now)
        )

    def _instead(self, wanted: Wanted[T], target: RegistryTarget, why: NotTold | None) -> Told[T] | NotTold | None:
        """Return what was said last in place of why nothing is said now, where there is a reason."""
        last = None if why is None else self._memory.last(wanted, target.updated_at)
        return why if last is None else Told(last.value, last.as_of, is_stale=True)

    def _is_credential_refused(self, wanted: Wanted[Any], batch: _Batch) -> bool:
        """Return whether asking would only be refused: each further try with a wrong password may lock an account."""
        health = batch.health_of(wanted)
        if health is None or health.reason is not HealthReason.UNAUTHORIZED:
            return False
        # What is refused may be the administrator's credential alone, which is not what routine reads are made with.
        return not batch.targets[wanted.integration_id].is_administrator_refused

    def _flight(self, wanted: Wanted[Any], target: RegistryTarget) -> _Flight:
        flight = self._flights.get(wanted)
        if flight is None or flight.target.updated_at != target.updated_at:
            task = asyncio.create_task(self._call(wanted, target), name="live call")
            flight = self._flights[wanted] = _Flight(target, task)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            task.add_done_callback(partial(self._land, wanted, flight))
        return flight

    async def _call(self, wanted: Wanted[T], target: RegistryTarget) -> Told[T] | NotTold:
        lane = self._lanes.setdefault(wanted.integration_id, asyncio.Semaphore(CALLS_AT_ONCE))
        try:
            # Whoever wants this waits no longer; queued for longer, calls to a slow registry would pile up.
            async with asyncio.timeout(self._deadline_seconds):
                await lane.acquire()
        except TimeoutError:
            return self._silence(target)
        try:
            async with asyncio.timeout(max(self._deadline_seconds, CALL_TIMEOUT_SECONDS)):
                return await self._ask(wanted, target)
        except TimeoutError:
            return self._silence(target)
        except RegistryError as error:
            return Unavailable(HealthReason(error.reason.value), error.message, target.workspace_id)
        except Exception as error:
            self._observer.work_failed("live")
            log.exception("asking a registry failed unforeseen", integration_id=wanted.integration_id)
            return error
        finally:
            lane.release()

    async def _ask(self, wanted: Wanted[T], target: RegistryTarget) -> Told[T] | NotTold:
        if wanted.integration_id in self._removed:
            # Else its client would be opened anew, and closed by nobody.
            return IntegrationGone()
        client = await self._connections.client(target)
        if not isinstance(client, ListsArtifacts):
            raise TypeError(f"{type(client).__name__} can't tell what is in repositories")
        as_of = self._clock()
        with discreet(target.reader or target.credential):
            return Told(await wanted.ask(client), as_of)

    def _land(self, wanted: Wanted[Any], flight: _Flight, _: asyncio.Task[Any]) -> None:
        if self._flights.get(wanted) is not flight:
            return
        del self._flights[wanted]
        outcome, state, until = flight.outcome(), flight.target.updated_at, self._monotonic() + FRESH_SECONDS
        if isinstance(outcome, Told):
            self._memory.keep(wanted, outcome, state, until)
        elif outcome is not None:
            self._memory.keep_failure(wanted, outcome, state, until)

    def _outcome(self, wanted: Wanted[T], batch: _Batch) -> Told[T] | NotTold:
        """Return what came of asking."""
        target, flight = batch.targets[wanted.integration_id], batch.flights.get(wanted)
        outcome = None if flight is None else flight.outcome()
        if isinstance(outcome, Told):
            return outcome
        why = outcome or batch.known_illness(wanted) or self._silence(target)
        return self._instead(wanted, target, why) or why

    def _silence(self, target: RegistryTarget) -> NotTold:
        message = f"{target.endpoint.host} did not answer within {self._deadline_seconds:g} seconds."
        return Unavailable(HealthReason.TIMED_OUT, message, target.workspace_id)


def _ids(wanted: Iterable[Wanted[Any]]) -> list[int]:
    return sorted({each.integration_id for each in wanted})


async def _wait(flights: Iterable[_Flight], began: float, seconds: float) -> None:
    """Wait until all have landed, or so many seconds have passed since the beginning."""
    pending = [flight.task for flight in flights if not flight.task.done()]
    left_seconds = began + seconds - asyncio.get_running_loop().time()
    if pending and left_seconds > 0:
        await asyncio.wait(pending, timeout=left_seconds)
