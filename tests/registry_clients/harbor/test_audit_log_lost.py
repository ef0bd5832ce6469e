"""Each way in which the audit log can be lost, and what is none."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from registry_clients.errors import CredentialRejected
from registry_clients.harbor.client import HarborClient
from registry_clients.refusals import FeedLoss, FeedLost
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.following import entry, follow, lost, newest_of, scripted_client
from tests.registry_clients.harbor.harbor_client import client_of, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, response


def test_a_purge_is_a_loss(harbor: HarborDouble) -> None:
    async def run(client: HarborClient) -> None:
        harbor.create_project("team")
        position = await newest_of(client)
        assert (await client.changes_after(position)).is_complete
        harbor.purge_audit_log()
        with pytest.raises(FeedLost) as caught:
            await client.changes_after(position)
        assert caught.value.reason is FeedLoss.PURGED
        harbor.create_project("more")
        with pytest.raises(FeedLost) as caught:
            await client.changes_after(position - 1)
        assert caught.value.reason is FeedLoss.PURGED
        # Begun anew, it goes on.
        position = await newest_of(client)
        harbor.create_project("third")
        assert [change.space_name for change in (await client.changes_after(position)).changes] == ["third"]

    follow(harbor, run)


def test_a_purge_of_what_we_saw_is_noticed_at_once(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")

    async def run(client: HarborClient) -> None:
        harbor.pull("team/app", "1")
        position = await newest_of(client)
        # It stands at a pull, so how the log stands is asked: not again for a while.
        assert (await client.changes_after(position)).newest_id == position
        harbor.create_project("more")
        position = (await client.changes_after(position)).newest_id or 0
        harbor.purge_audit_log()
        with pytest.raises(FeedLost) as caught:
            await client.changes_after(position)
        assert caught.value.reason is FeedLoss.PURGED

    follow(harbor, run)


def test_a_purge_while_we_were_away_is_a_loss(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    position = done(harbor, HarborClient.newest_change)
    assert position is not None
    harbor.create_project("missed")
    harbor.purge_audit_log()
    harbor.create_project("more")
    error = lost(lambda: done(harbor, lambda client: client.changes_after(position)))
    assert error.reason is FeedLoss.PURGED


def test_a_restored_backup_is_a_loss(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    backup = harbor.backup()

    async def run() -> None:
        async with client_of(harbor, reader=reader) as client:
            for number in range(5):
                harbor.create_project(f"p{number}")
            position = await newest_of(client)
            await client.changes_after(position)
            harbor.restore_backup(backup)
            with pytest.raises(FeedLost) as caught:
                await client.changes_after(position)
            assert caught.value.reason is FeedLoss.WENT_BACK

    asyncio.run(run())


def test_a_restored_backup_is_noticed_though_ids_passed_us_again(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    backup = harbor.backup()

    async def run() -> None:
        async with client_of(harbor, reader=reader) as client:
            harbor.create_project("old")
            position = await newest_of(client)
            await client.changes_after(position)
            harbor.restore_backup(backup)
            for number in range(5):
                harbor.create_project(f"new-{number}")
            newest = await newest_of(client)
            assert newest > position
            with pytest.raises(FeedLost) as caught:
                await client.changes_after(position)
            assert caught.value.reason is FeedLoss.WENT_BACK
            # Begun anew, what was seen of the other past is forgotten.
            assert (await client.changes_after(newest)).newest_id == newest

    asyncio.run(run())


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        (lambda harbor: harbor.skip_audit_log(), "keeps no audit log"),
        (lambda harbor: harbor.disable_audit_events("create_project", "pull_artifact"), "create_project"),
    ],
)
def test_a_log_that_is_switched_off_is_known_to_the_administrator(
    harbor: HarborDouble, switch: Callable[[HarborDouble], None], words: str
) -> None:
    reader = make_reader(harbor)
    done(harbor, HarborClient.check_feed, reader)
    switch(harbor)
    error = lost(lambda: done(harbor, HarborClient.check_feed, reader))
    assert error.reason is FeedLoss.SWITCHED_OFF
    assert words in error.message
    assert "pull_artifact" not in error.message
    assert harbor.calls.count(template="/configurations", credential="user") == 2


def test_events_that_we_do_without_may_be_off(harbor: HarborDouble) -> None:
    harbor.disable_audit_events("pull_artifact", "login_user")
    done(harbor, HarborClient.check_feed)


NOT_FOUND = b'{"errors":[{"code":"NOT_FOUND","message":"path /api/v2.0/auditlog-exts was not found"}]}'


@pytest.mark.parametrize("ask", [HarborClient.newest_change, lambda client: client.changes_after(5)])
def test_before_2_13_there_is_none(ask: Callable[[HarborClient], Awaitable[object]]) -> None:
    client = scripted_client(ScriptedTransport(lambda _: response(404, NOT_FOUND)))
    error = lost(lambda: asyncio.run(wait_for(ask, client)))
    assert error.reason is FeedLoss.NOT_OFFERED
    assert "2.13" in error.message


def test_a_reader_that_may_not_read_the_log_is_no_empty_log(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.set_robot_permissions(reader.username, {"/": "robot:list project:list"})
    for ask in (HarborClient.newest_change, lambda client: client.changes_after(5)):
        assert type(failure(harbor, ask, reader=reader)) is CredentialRejected


def test_how_the_log_stands_is_asked_again_after_a_while() -> None:
    now = [0.0]

    def script(request: RegistryRequest) -> RegistryResponse:
        query = request.url.query
        if "q" in query:
            return response(200, b"[]")
        return response(200, json.dumps([entry(1 if query["sort"] == "id" else 500, "pull")]).encode())

    transport = ScriptedTransport(script)
    client = scripted_client(transport, clock=lambda: now[0])

    async def run() -> list[int]:
        counts = []
        for seconds in (0, 1, 29, 30, 31):
            now[0] = seconds
            before = len(transport.requests)
            await client.changes_after(500)
            counts.append(len(transport.requests) - before)
        return counts

    assert asyncio.run(run()) == [3, 1, 1, 3, 1]


async def wait_for(ask: Callable[[HarborClient], Awaitable[object]], client: HarborClient) -> object:
    return await ask(client)
