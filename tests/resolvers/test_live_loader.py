"""What one operation asks registries for goes out at once, and is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from models.enums import Role
from registry_clients.records import ArtifactPage
from resolvers.context import RequestContext
from resolvers.live_loader import MOST_ASKED, LiveLoader
from resolvers.public_errors import PublicError
from services.live_answers import ArtifactsWanted, IntegrationGone, NotTold, Told, Wanted
from services.live_contents import LiveContents
from services.services import Services
from services.viewer import ViewerScope

TOLD = Told(ArtifactPage((), 0, is_last=True), datetime(2026, 1, 31, tzinfo=UTC))


class Asked:
    """What is asked for, batch by batch. Of the integration 0 nothing is known."""

    def __init__(self) -> None:
        self.batches: list[list[Wanted[Any]]] = []
        self.waited_seconds: list[float] = []

    async def answers(self, wanted: Sequence[Wanted[Any]], waited_seconds: float) -> list[Told[Any] | NotTold]:
        self.batches.append(list(wanted))
        self.waited_seconds.append(waited_seconds)
        return [TOLD if each.integration_id else IntegrationGone() for each in wanted]


def page(number: int, integration_id: int = 1) -> ArtifactsWanted:
    return ArtifactsWanted(integration_id, "team/app", number, 20)


def test_what_is_wanted_at_one_moment_goes_out_together_and_once() -> None:
    async def ask() -> None:
        asked = Asked()
        loader = LiveLoader(cast(LiveContents, asked), time.monotonic())
        first, second = await asyncio.gather(
            loader.told([page(1), page(2)]), loader.told([page(2), page(1, integration_id=0)])
        )
        assert first == [TOLD, TOLD]
        assert (second[0], type(second[1])) == (TOLD, IntegrationGone)
        # What was asked for in this operation is not asked for again.
        assert await loader.told([page(1)]) == [TOLD]
        assert asked.batches == [[page(1), page(2), page(1, integration_id=0)]]

    asyncio.run(ask())


def test_one_operation_asks_for_so_much_and_no_more() -> None:
    async def ask() -> None:
        asked = Asked()
        loader = LiveLoader(cast(LiveContents, asked), time.monotonic())
        told = await loader.told([page(number) for number in range(1, MOST_ASKED + 3)])
        told += await loader.told([page(MOST_ASKED + 10)])
        assert told[:MOST_ASKED] == [TOLD] * MOST_ASKED
        refusals = [refusal for refusal in told[MOST_ASKED:] if isinstance(refusal, PublicError)]
        assert [refusal.code for refusal in refusals] == ["LIMIT_EXCEEDED"] * 3
        assert sum(map(len, asked.batches)) == MOST_ASKED

    asyncio.run(ask())


def test_the_first_deadline_counts_from_the_beginning_and_the_next_from_the_last_answer() -> None:
    async def ask() -> None:
        asked = Asked()
        loader = LiveLoader(cast(LiveContents, asked), time.monotonic() - 100)
        await loader.told([page(1)])
        await loader.told([page(2)])
        first, second = asked.waited_seconds
        assert 100 <= first < 101
        assert 0 <= second < 1

    asyncio.run(ask())


def test_after_a_mutation_the_wait_begins_anew() -> None:
    asked = Asked()
    scope = ViewerScope(Role.PLATFORM_ADMIN, None)
    context = RequestContext(scope, None, cast(Services, SimpleNamespace(database=None, live_contents=asked)), "id")
    context._began -= 100
    context.wait_anew()

    async def ask() -> None:
        await context.live.told([page(1)])

    asyncio.run(ask())
    assert asked.waited_seconds[0] < 1
