"""The audit log as a feed: in order, nothing twice, late entries too."""

import asyncio
import json

import pytest

from registry_clients.errors import UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.records import Change, ChangeKind, ChangePage
from registry_clients.refusals import FeedLost
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.doubles.harbor.server import HarborDouble
from tests.recordings.recording import recorded_exchange, recorded_response
from tests.registry_clients.harbor.following import entry, follow, newest_of, scripted_client
from tests.registry_clients.harbor.harbor_client import asked
from tests.registry_clients.scripted_transport import ScriptedTransport, response

TAIL = "harbor-2.16.0/audit_tail"
LOG = "GET /auditlog-exts robot"


def shape(page: ChangePage) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(found.kind, found.space_name, found.repository_name, found.reference) for found in page.changes]


def test_every_change_is_told_in_order(harbor: HarborDouble) -> None:
    async def run(client: HarborClient) -> None:
        start = await newest_of(client)
        harbor.create_project("team")
        harbor.set_public("team", is_public=True)
        digest = harbor.push("team/app/web", "1.0")
        harbor.pull("team/app/web", "1.0")
        harbor.delete_artifact("team/app/web", digest)
        harbor.delete_repository("team/app/web")
        harbor.create_robot("ci", {"/": "project:list"})
        harbor.delete_project("team")
        page = await client.changes_after(start)
        assert shape(page) == [
            ("SPACE_CREATED", "team", None, None),
            ("SPACE_CHANGED", "team", None, None),
            ("ARTIFACT_PUSHED", "team", "team/app/web", "1.0"),
            ("ARTIFACT_DELETED", "team", "team/app/web", digest),
            ("REPOSITORY_DELETED", "team", "team/app/web", None),
            ("OTHER", None, None, None),
            ("SPACE_DELETED", "team", None, None),
        ]
        assert [change.id for change in page.changes] == sorted({change.id for change in page.changes})
        assert page.is_complete
        assert page.newest_id == page.changes[-1].id
        again = await client.changes_after(page.newest_id)
        assert again == ChangePage((), page.newest_id, is_complete=True)

    follow(harbor, run)
    assert asked(harbor) == [LOG, LOG, LOG]


def test_the_log_is_asked_for_as_recorded() -> None:
    recorded = recorded_exchange(TAIL, "changes since the beginning")["request"]["path"]

    def script(request: RegistryRequest) -> RegistryResponse:
        if str(request.url.raw_path_qs) == recorded:
            return recorded_response(TAIL, "changes since the beginning")
        return response(200, json.dumps([entry(1 if request.url.query["sort"] == "id" else 2566)]).encode())

    client = scripted_client(ScriptedTransport(script))
    # The look back reaches to 2517 just so; what stands there when we begin counts as told.
    assert asyncio.run(client.changes_after(2566)) == ChangePage((), 2566, is_complete=True)


def test_a_million_entries_at_first_sight_cost_one_call(harbor: HarborDouble) -> None:
    with harbor.paused() as state:
        for _ in range(3000):
            state.audit_log.write("create", "project", "old", "admin")

    async def run(client: HarborClient) -> None:
        page = await client.changes_after(await newest_of(client))
        assert page.changes == ()

    follow(harbor, run)
    assert asked(harbor) == [LOG, LOG]


def test_many_changes_come_in_pages(harbor: HarborDouble) -> None:
    async def run(client: HarborClient) -> None:
        position = await newest_of(client)
        for number in range(230):
            harbor.create_project(f"p{number:03}")
        found: list[str | None] = []
        completions: list[bool] = []
        while not completions or not completions[-1]:
            page = await client.changes_after(position)
            found += [change.space_name for change in page.changes]
            completions.append(page.is_complete)
            assert page.newest_id is not None
            assert page.newest_id > position
            position = page.newest_id
        assert found == [f"p{number:03}" for number in range(230)]
        assert completions == [False, False, False, True]

    follow(harbor, run)


def test_a_late_lower_id_is_told_once(harbor: HarborDouble) -> None:
    async def run(client: HarborClient) -> None:
        position = await newest_of(client)
        position = (await client.changes_after(position)).newest_id or 0
        late = harbor.take_audit_id()
        harbor.create_project("team")
        page = await client.changes_after(position)
        assert [change.space_name for change in page.changes] == ["team"]
        assert page.newest_id == late + 1
        harbor.write_late_entry(late, "create", "project", "late")
        page = await client.changes_after(late + 1)
        assert [(change.id, change.space_name) for change in page.changes] == [(late, "late")]
        assert page.newest_id == late + 1
        assert (await client.changes_after(late + 1)).changes == ()

    follow(harbor, run)


def test_a_log_that_stands_still_costs_its_last_entry() -> None:
    now = [0.0]
    written = [entry(number) for number in range(1, 101)]

    def script(request: RegistryRequest) -> RegistryResponse:
        floor = int(request.url.query["q"].partition("[")[2].partition("~")[0])
        return response(200, json.dumps([one for one in written if int(str(one["id"])) >= floor]).encode())

    transport = ScriptedTransport(script)
    client = scripted_client(transport, clock=lambda: now[0])

    async def floors() -> list[str]:
        transport.requests.clear()
        position = int(str(written[-1]["id"]))
        await client.changes_after(position)
        return [request.url.query["q"].partition(",")[0] for request in transport.requests]

    async def run() -> None:
        assert await floors() == ["id=[51~]"]
        now[0] = 59.0
        assert await floors() == ["id=[51~]"]
        now[0] = 60.0
        assert await floors() == ["id=[100~]"]
        # A lower id may show up late again as soon as something is written.
        written.append(entry(102))
        assert (await client.changes_after(100)).newest_id == 102
        written.insert(-1, entry(101))
        now[0] = 90.0
        page = await client.changes_after(102)
        assert [change.id for change in page.changes] == [101]
        now[0] = 149.0
        assert await floors() == ["id=[53~]"]
        now[0] = 150.0
        assert await floors() == ["id=[102~]"]
        # What stands at the end is seen to be another still.
        written[-1] = entry(102, "delete")
        with pytest.raises(FeedLost):
            await client.changes_after(102)

    asyncio.run(run())


def test_what_could_not_be_kept_is_told_again(harbor: HarborDouble) -> None:
    async def run(client: HarborClient) -> None:
        position = await newest_of(client)
        harbor.create_project("team")
        first = await client.changes_after(position)
        assert await client.changes_after(position) == first
        assert len(first.changes) == 1

    follow(harbor, run)


def test_pulls_alone_are_no_loss(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")

    async def run(client: HarborClient) -> None:
        for _ in range(60):
            harbor.pull("team/app", "1")
        position = await newest_of(client)
        for _ in range(5):
            assert await client.changes_after(position) == ChangePage((), position, is_complete=True)

    follow(harbor, run)
    # The newest, one look at how the log stands, and nothing but the feed then.
    assert asked(harbor) == [LOG] * 8


def test_an_empty_log_is_none_and_can_be_followed() -> None:
    answers = iter([b"[]", b"[]", b'[{"id":1,"operation":"create","operation_result":true,"op_time":""}]'])
    client = scripted_client(ScriptedTransport(lambda _: response(200, next(answers))))

    async def run() -> ChangePage:
        assert await client.newest_change() is None
        assert (await client.changes_after(0)).newest_id == 0
        return await client.changes_after(0)

    page = asyncio.run(run())
    assert page.changes == (Change(1, None, ChangeKind.OTHER, None, None, None),)


@pytest.mark.parametrize(
    "entries",
    [
        [entry(1), entry(1000)],
        [entry(1000, "pull")],
        [entry(1001), entry(1000)],
        [entry(1000), entry(1000)],
        [entry(1000 + number) for number in range(101)],
    ],
)
def test_a_filter_that_was_ignored_is_noticed(entries: list[dict[str, object]]) -> None:
    client = scripted_client(ScriptedTransport(lambda _: response(200, json.dumps(entries).encode())))
    with pytest.raises(UnexpectedAnswer, match="ignores"):
        asyncio.run(client.changes_after(999))


def test_a_change_that_failed_is_none() -> None:
    failed = {**entry(1000), "operation_result": False}
    body = json.dumps([failed, entry(1001)]).encode()
    client = scripted_client(ScriptedTransport(lambda _: response(200, body)))
    page = asyncio.run(client.changes_after(999))
    assert [change.id for change in page.changes] == [1001]
