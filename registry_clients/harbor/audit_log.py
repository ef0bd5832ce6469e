"""Harbor's audit log as a feed of changes, tailed by id.

It may be absent (before 2.13), switched off, purged, or older than what we saw, when Harbor was restored from a
backup. Each of these is noticed where it can be, and is FeedLost: what was missed shows only in a look at everything.
"""

import time
from collections.abc import Callable

from registry_clients.errors import UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.audit_entries import OPERATIONS, AuditEntry, entry_of
from registry_clients.harbor.json_fields import parse_objects
from registry_clients.harbor.paging import PAGE_SIZE
from registry_clients.harbor.payloads import AuditSettings, parse_audit_settings
from registry_clients.harbor.reader_rights import require_reader_rights
from registry_clients.harbor.refusals import Caller
from registry_clients.records import Change, ChangePage
from registry_clients.refusals import FeedLoss, FeedLost

# Writers that finish in another order show a lower id a moment later (read). Less than a page, so that each page
# has room for something new.
LOOK_BACK_IDS = 50

# After this no lower id is waited for: a log that stands still then costs its last entry a call, and not fifty.
LATE_SECONDS = 60

# How often it is asked whether the log went back or was purged, while nothing of it shows where we stood.
STANDING_INTERVAL_SECONDS = 30

# The events without which our picture would go wrong; there are none for tags.
_NEEDED_EVENTS = frozenset(
    {"create_artifact", "delete_artifact", "create_project", "update_project", "delete_project", "delete_repository"}
)


class AuditLog:
    """Follows the log of one Harbor, and remembers the last of what it handed out."""

    def __init__(self, api: HarborApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._recent: dict[int, Change] = {}
        self._position: int | None = None
        self._moved_at = 0.0
        self._standing_checked_at: float | None = None

    async def newest(self) -> int | None:
        """Return the id of the newest entry of any kind, None when there is none. Raises FeedLost."""
        return await self._outermost("-id")

    async def after(self, change_id: int) -> ChangePage:
        """Return the changes after an id, at most a page, and those before it that showed up late.

        Late ones are known by what the call before saw: begun anew, from another id than that call ended with,
        all that stands before the id counts as handed out. Raises FeedLost.
        """
        try:
            return await self._after(change_id)
        except FeedLost:
            # Whoever begins anew begins with a log of which nothing is known.
            self._recent, self._position = {}, None
            raise

    async def _after(self, change_id: int) -> ChangePage:
        entries = await self._entries_from(max(1, change_id - self._look_back_ids(change_id) + 1))
        changes = {entry.change.id: entry.change for entry in entries}
        if any(self._recent.get(seen, change) != change for seen, change in changes.items()):
            raise self._went_back()
        if not min(changes, default=change_id + 1) <= change_id <= max(changes, default=0):
            await self._check_standing(change_id)
        late = {seen for seen in changes if seen <= change_id and seen not in self._recent}
        if change_id != self._position:
            late = set()
        fresh = tuple(
            entry.change
            for entry in entries
            if entry.has_succeeded and (entry.change.id > change_id or entry.change.id in late)
        )
        newest_id = max(change_id, *changes, 0)
        # Below the next floor nothing is asked for again.
        remembered = {**self._recent, **changes}
        self._recent = {seen: change for seen, change in remembered.items() if seen > newest_id - LOOK_BACK_IDS}
        if newest_id != self._position or late:
            self._moved_at = self._clock()
        self._position = newest_id
        return ChangePage(fresh, newest_id, is_complete=len(entries) < PAGE_SIZE)

    def _look_back_ids(self, change_id: int) -> int:
        """Return how many ids up to where we stand are asked for again; the last at least, to see that it stands."""
        stands_still = change_id == self._position and self._clock() - self._moved_at >= LATE_SECONDS
        return 1 if stands_still and change_id in self._recent else LOOK_BACK_IDS

    async def check(self) -> None:
        """Ask, as the administrator, whether what we need is written down. Raises FeedLost.

        Nobody else is told (403 to robots, seen on 2.16.0), and in the log itself it shows as silence.
        """
        call = ApiCall("GET", ("configurations",), Caller.ADMINISTRATOR)
        response = await self._api.send(call)
        settings: AuditSettings = parse_audit_settings(response.body, self._api.host)
        missing = sorted(settings.disabled_events & _NEEDED_EVENTS)
        host = self._api.host
        if settings.is_database_skipped:
            raise FeedLost(FeedLoss.SWITCHED_OFF, f"{host} keeps no audit log: in Harbor, “Skip Audit Log Database”.")
        if missing:
            raise FeedLost(FeedLoss.SWITCHED_OFF, f"{host} leaves out of its audit log: {', '.join(missing)}.")
        await self.newest()

    async def _entries_from(self, floor: int) -> tuple[AuditEntry, ...]:
        operations = " ".join(OPERATIONS)
        query = {
            "page_size": str(PAGE_SIZE),
            "sort": "id",
            "q": f"id=[{floor}~],operation={{{operations}}}",
        }
        entries = await self._read(query)
        ids = [entry.change.id for entry in entries]
        # Harbor ignores what it doesn't know in `q` and `sort`, and answers with something else.
        is_filtered = min(ids, default=floor) >= floor and all(entry.operation in OPERATIONS for entry in entries)
        if not is_filtered or ids != sorted(set(ids)) or len(ids) > PAGE_SIZE:
            raise UnexpectedAnswer(f"{self._api.host} ignores what its audit log was to be filtered or sorted by.")
        return entries

    async def _check_standing(self, change_id: int) -> None:
        """Find out why the log shows nothing before where we stood, or nothing from there on.

        It may well be that pulls stand there, which are filtered out. Raises FeedLost unless it is so.
        """
        now = self._clock()
        checked_at = self._standing_checked_at
        # What we saw with our own eyes can't have been a pull: it was taken away.
        was_seen = change_id in self._recent
        if not was_seen and checked_at is not None and now - checked_at < STANDING_INTERVAL_SECONDS:
            return
        if change_id == 0:
            # Begun when the log was empty: whatever is there is new.
            return
        newest = await self.newest()
        if newest is None:
            raise FeedLost(FeedLoss.PURGED, f"The audit log of {self._api.host} was emptied.")
        if newest < change_id:
            raise self._went_back()
        oldest = await self._outermost("id")
        if oldest is not None and oldest > change_id + 1:
            raise FeedLost(FeedLoss.PURGED, f"The audit log of {self._api.host} was purged past where we stood.")
        self._standing_checked_at = now

    async def _outermost(self, sort: str) -> int | None:
        entries = await self._read({"page_size": "1", "sort": sort})
        if not entries:
            # To who may not read it the log looks empty, with status 200.
            await require_reader_rights(self._api)
        return entries[0].change.id if entries else None

    async def _read(self, query: dict[str, str]) -> tuple[AuditEntry, ...]:
        call = ApiCall("GET", ("auditlog-exts",), Caller.ROUTINE, query)
        response = await self._api.send(call, taken=(200, 404))
        if response.status == 404:
            raise FeedLost(
                FeedLoss.NOT_OFFERED,
                f"The Harbor at {self._api.host} is too old to tell of changes: it takes 2.13.",
                registry_message=self._api.words_of(response),
            )
        return tuple(map(entry_of, parse_objects(response.body, self._api.host)))

    def _went_back(self) -> FeedLost:
        message = f"The audit log of {self._api.host} went back: Harbor was restored from a backup."
        return FeedLost(FeedLoss.WENT_BACK, message)
