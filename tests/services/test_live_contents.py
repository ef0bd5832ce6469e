"""Asking registries while somebody waits: once for all, never past the deadline, and nobody disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.enums import EventType, HealthReason
from models.records import EventRecord
from registry_clients.errors import ConnectionRefused, CredentialRejected
from registry_clients.records import ArtifactPage, PlatformManifest
from services.live_answers import MOST_PLATFORMS, ArtifactWanted, IntegrationGone, Told, Unavailable, Wanted
from services.live_contents import CALLS_AT_ONCE, FRESH_SECONDS
from tests.services.asked_registries import NOW, World, artifact, digest_of, in_world, page, wanted

SOON_SECONDS = 0.5
"""A deadline that is waited for: long enough for what answers at once, on a machine that has other things to do."""

ONE = page(artifact(1, "1.0"))
TWO = page(artifact(2, "2.0"))


async def answer(world: World, each: Wanted[ArtifactPage]) -> Any:
    (told,) = await world.contents.answers([each])
    return told


def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(work)


async def until(condition: Any) -> None:
    """Let others go on until something is so."""
    while not condition():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0)


def event(type_: EventType, integration_id: int, **data: object) -> EventRecord:
    return EventRecord(1, type_, NOW, integration_id, None, None, data)


def test_each_registry_is_asked_once_for_each_thing_and_all_side_by_side(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        for registry in world.connections.registries.values():
            registry.may_answer.clear()
        each = [wanted(id_, name) for id_ in world.ids for name in ("a/b", "c/d")]
        asking = begin(world.contents.answers(each * 2))
        registries = world.connections.registries.values()
        # None has answered, and all have been asked.
        await until(lambda: all(registry.under_way == 2 for registry in registries))
        for registry in registries:
            registry.may_answer.set()
        assert await asking == [Told(ONE, NOW)] * 12
        assert [registry.asked for registry in registries] == [{("a/b", 1): 1, ("c/d", 1): 1}] * 3
        assert world.connections.statements == 1

    in_world(tmp_path, ask, 3)


def test_a_hundred_who_want_the_same_share_a_call_and_one_who_leaves_disturbs_nobody(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry = world.registry()
        registry.may_answer.clear()
        asking = [begin(answer(world, wanted(world.ids[0]))) for _ in range(100)]
        await until(lambda: registry.under_way == 1 and world.connections.statements == 100)
        # The one who came first, and so began the call, leaves; so does one of the others.
        for leaving in (asking.pop(0), asking.pop(50)):
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        registry.may_answer.set()
        assert await asyncio.gather(*asking) == [Told(ONE, NOW)] * 98
        assert (registry.asked.total(), registry.cancelled) == (1, 0)

    in_world(tmp_path, ask)


def test_a_call_goes_on_when_all_have_left_and_what_it_brings_is_kept(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry = world.registry()
        registry.may_answer.clear()
        leaving = begin(answer(world, wanted(world.ids[0])))
        await until(lambda: registry.under_way == 1)
        leaving.cancel()
        await asyncio.wait([leaving])
        registry.may_answer.set()
        await until(lambda: registry.under_way == 0)
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW)
        assert registry.asked.total() == 1

    in_world(tmp_path, ask)


def test_an_answer_is_as_good_as_new_for_a_few_seconds(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry = world.registry()
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW)
        registry.says = TWO
        world.seconds = FRESH_SECONDS - 0.1
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW)
        world.seconds = FRESH_SECONDS
        assert await answer(world, wanted(world.ids[0])) == Told(TWO, NOW + timedelta(seconds=FRESH_SECONDS))
        assert registry.asked.total() == 2

    in_world(tmp_path, ask)


def test_who_is_silent_at_the_deadline_holds_up_nobody_and_is_heard_the_next_time(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        silent, id_ = world.registry(1), world.ids[1]
        silent.may_answer.clear()
        why = Unavailable(HealthReason.TIMED_OUT, f"r{id_}.example did not answer within 0.5 seconds.", None)
        told = [Told(ONE, NOW), why, Told(ONE, NOW)]
        assert await world.contents.answers([wanted(each) for each in world.ids]) == told
        # The same call: no second one is begun while it is under way.
        assert await answer(world, wanted(id_)) == why
        silent.may_answer.set()
        await until(lambda: silent.under_way == 0)
        assert await answer(world, wanted(id_)) == Told(ONE, NOW)
        assert (silent.asked.total(), silent.cancelled) == (1, 0)

    in_world(tmp_path, ask, 3, deadline_seconds=SOON_SECONDS)


def test_what_was_said_last_stands_for_what_is_not_said_now(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry = world.registry()
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW)
        world.seconds = 100
        registry.says = TWO
        registry.may_answer.clear()
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW, is_stale=True)
        assert isinstance(await answer(world, wanted(world.ids[0], "other/app")), Unavailable)
        registry.may_answer.set()
        await until(lambda: registry.under_way == 0)
        assert await answer(world, wanted(world.ids[0])) == Told(TWO, NOW + timedelta(seconds=100))

    in_world(tmp_path, ask, deadline_seconds=SOON_SECONDS)


def test_who_has_waited_already_waits_for_the_rest_of_the_deadline_alone(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        world.registry().may_answer.clear()
        # Of an hour, next to nothing is left, and the call goes on for who comes next.
        (told,) = await world.contents.answers([wanted(world.ids[0])], 3600.0)
        assert isinstance(told, Unavailable)
        world.registry().may_answer.set()
        assert await answer(world, wanted(world.ids[0])) == Told(ONE, NOW)
        assert world.registry().asked.total() == 1
        # Who answers at once is heard all the same.
        world.seconds = 100
        (told,) = await world.contents.answers([wanted(world.ids[0])], 3600.0)
        assert told == Told(ONE, NOW + timedelta(seconds=100))

    in_world(tmp_path, ask, deadline_seconds=3600.0)


def test_a_failure_is_told_for_a_few_seconds_without_asking_again(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        registry.fails = ConnectionRefused("Nothing listens there.", registry_message="foreign words")
        why = Unavailable(HealthReason.CONNECTION_REFUSED, "Nothing listens there.", None)
        assert [await answer(world, wanted(id_)) for _ in range(5)] == [why] * 5
        assert registry.asked.total() == 1
        world.seconds, registry.fails = FRESH_SECONDS, None
        assert await answer(world, wanted(id_)) == Told(ONE, NOW + timedelta(seconds=FRESH_SECONDS))
        world.seconds, registry.fails = 100, ConnectionRefused("Nothing listens there.")
        last = Told(ONE, NOW + timedelta(seconds=FRESH_SECONDS), is_stale=True)
        assert [await answer(world, wanted(id_)) for _ in range(5)] == [last] * 5
        assert registry.asked.total() == 3

    in_world(tmp_path, ask)


def test_one_registry_gets_so_many_calls_at_once_and_none_is_queued_beyond_the_deadline(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        stuck, well = world.registry(0), world.registry(1)
        stuck.may_answer.clear()
        names = [f"team/{number}" for number in range(3 * CALLS_AT_ONCE)]
        answers = await world.contents.answers([wanted(id_, name) for id_ in world.ids for name in names])
        assert [type(told) for told in answers] == [Unavailable] * len(names) + [Told] * len(names)
        assert well.asked.total() == len(names)
        # Those that waited for their turn have given up: nobody waits for them any more.
        await until(lambda: len(world.contents._running) == CALLS_AT_ONCE)
        stuck.may_answer.set()
        await until(lambda: not world.contents._running)
        assert (stuck.asked.total(), stuck.most_at_once) == (CALLS_AT_ONCE, CALLS_AT_ONCE)

    in_world(tmp_path, ask, 2, deadline_seconds=SOON_SECONDS)


@pytest.mark.parametrize("type_", [EventType.IMAGE_PUSHED, EventType.IMAGE_DELETED, EventType.TAG_CHANGED])
def test_after_a_change_it_is_asked_again(tmp_path: Path, type_: EventType) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        for name in ("team/app", "team/other"):
            await answer(world, wanted(id_, name))
        registry.says = TWO
        world.contents.notice(event(type_, id_, repository_name="team/app", reference="1.0"))
        assert await answer(world, wanted(id_)) == Told(TWO, NOW)
        assert await answer(world, wanted(id_, "team/other")) == Told(ONE, NOW)

    in_world(tmp_path, ask)


def test_a_call_that_was_under_way_at_a_change_is_not_taken_for_new(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        registry.may_answer.clear()
        before = begin(answer(world, wanted(id_)))
        await until(lambda: registry.under_way == 1)
        registry.says = TWO
        world.contents.doubt(id_, "team/app")
        after = begin(answer(world, wanted(id_)))
        await until(lambda: registry.under_way == 2)
        registry.may_answer.set()
        assert (await before, await after) == (Told(ONE, NOW), Told(TWO, NOW))
        assert await answer(world, wanted(id_)) == Told(TWO, NOW)
        assert registry.asked.total() == 2

    in_world(tmp_path, ask)


def test_what_another_address_said_is_never_shown(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        await answer(world, wanted(id_))
        world.connections.change(id_, updated_at=NOW + timedelta(seconds=1))
        registry.may_answer.clear()
        # The event of the change comes a moment later.
        assert isinstance(await answer(world, wanted(id_)), Unavailable)
        world.contents.notice(event(EventType.INTEGRATION_UPDATED, id_))
        assert isinstance(await answer(world, wanted(id_)), Unavailable)
        registry.may_answer.set()
        assert await answer(world, wanted(id_)) == Told(ONE, NOW)

    in_world(tmp_path, ask, deadline_seconds=SOON_SECONDS)


def test_of_a_removed_integration_nothing_is_asked_or_told(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        await answer(world, wanted(id_))
        registry.may_answer.clear()
        waiting = begin(answer(world, wanted(id_, "team/other")))
        await until(lambda: registry.under_way == 1)
        world.contents.notice(event(EventType.INTEGRATION_REMOVED, id_))
        assert isinstance(await waiting, IntegrationGone)
        assert registry.cancelled == 1
        # Where it was, was looked up before the removal.
        assert isinstance(await answer(world, wanted(id_)), IntegrationGone)
        del world.connections.registries[id_]
        assert isinstance(await answer(world, wanted(id_)), IntegrationGone)
        assert registry.asked.total() == 2

    in_world(tmp_path, ask)


@pytest.mark.parametrize(
    "reason", [HealthReason.TIMED_OUT, HealthReason.CONNECTION_FAILED, HealthReason.NAME_NOT_RESOLVED]
)
def test_who_is_known_to_be_silent_is_asked_and_hardly_waited_for(tmp_path: Path, reason: HealthReason) -> None:
    async def ask(world: World) -> None:
        id_, other = world.ids
        silent = world.registry()
        await world.make_unhealthy(id_, reason)
        silent.may_answer.clear()
        told = await world.contents.answers([wanted(id_), wanted(other)])
        assert told == [Unavailable(reason, "It was seen to be ill.", None), Told(ONE, NOW)]
        # It is well again before anybody has looked: the call is still under way.
        silent.may_answer.set()
        assert await answer(world, wanted(id_)) == Told(ONE, NOW)
        assert silent.asked.total() == 1

    in_world(tmp_path, ask, 2)


def test_who_is_ill_in_another_way_is_waited_for(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        await world.make_unhealthy(world.ids[0], HealthReason.COMPONENT_UNHEALTHY)
        registry = world.registry()
        registry.may_answer.clear()
        asking = begin(answer(world, wanted(world.ids[0])))
        asyncio.get_running_loop().call_later(0.15, registry.may_answer.set)
        assert await asking == Told(ONE, NOW)

    in_world(tmp_path, ask)


def test_a_credential_that_was_refused_is_left_alone(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry, id_ = world.registry(), world.ids[0]
        registry.fails = CredentialRejected("It does not let us in.")
        await answer(world, wanted(id_, "team/other"))
        await world.make_unhealthy(id_, HealthReason.UNAUTHORIZED)
        why = Unavailable(HealthReason.UNAUTHORIZED, "It was seen to be ill.", None)
        assert await answer(world, wanted(id_)) == why
        assert registry.asked.total() == 1
        # What is refused there is only what changes are made with.
        registry.fails = None
        world.connections.change(id_, is_administrator_refused=True)
        assert await answer(world, wanted(id_)) == Told(ONE, NOW)

    in_world(tmp_path, ask)


def test_what_nobody_foresaw_is_told_to_who_asked_and_counted(tmp_path: Path) -> None:
    failed = []

    async def ask(world: World) -> None:
        world.contents._observer = type("Observer", (), {"work_failed": lambda _, work: failed.append(work)})()
        fault = world.registry().fails = KeyError("a fault of ours")
        assert await answer(world, wanted(world.ids[0])) is fault

    in_world(tmp_path, ask)
    assert failed == ["live"]


def test_a_repository_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        world.registry().says = None
        assert await answer(world, wanted(world.ids[0])) == Told(ArtifactPage((), 0, is_last=True), NOW)
        (told,) = await world.contents.answers([ArtifactWanted(world.ids[0], "team/app", digest_of(1))])
        assert told == Told(None, NOW)

    in_world(tmp_path, ask)


def test_one_artifact_is_asked_for_by_its_digest(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        each = [ArtifactWanted(world.ids[0], "team/app", digest_of(number)) for number in (1, 2)]
        assert await world.contents.answers(each) == [Told(artifact(1, "1.0"), NOW), Told(None, NOW)]

    in_world(tmp_path, ask)


@pytest.mark.parametrize(
    "lying", [artifact(1, "1.0;reboot"), artifact(1, ""), artifact(1, "a" * 129), artifact(-1), artifact(16**200)]
)
def test_what_nobody_should_paste_is_not_passed_on(tmp_path: Path, lying: Any) -> None:
    async def ask(world: World) -> None:
        world.registry().says = page(artifact(1, "1.0"), lying)
        told = await answer(world, wanted(world.ids[0]))
        assert isinstance(told, Unavailable)
        assert told.reason is HealthReason.UNEXPECTED_ANSWER

    in_world(tmp_path, ask)


def test_of_an_index_of_thousands_so_many_images_are_told(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        platforms = tuple(PlatformManifest(digest_of(number), "linux", "amd64", None) for number in range(30_000))
        world.registry().says = page(replace(artifact(1, "1.0"), platforms=platforms))
        told = await answer(world, wanted(world.ids[0]))
        assert told.value.artifacts[0].platforms == platforms[:MOST_PLATFORMS]

    in_world(tmp_path, ask)


def test_the_end_of_the_server_ends_the_calls(tmp_path: Path) -> None:
    async def ask(world: World) -> None:
        registry = world.registry()
        registry.may_answer.clear()
        waiting = begin(answer(world, wanted(world.ids[0])))
        await until(lambda: registry.under_way == 1)
        await world.contents.end()
        assert (registry.under_way, registry.cancelled) == (0, 1)
        assert isinstance(await waiting, IntegrationGone)

    in_world(tmp_path, ask)
