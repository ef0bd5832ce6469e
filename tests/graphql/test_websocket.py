"""graphql-transport-ws, spoken by hand: the protocol's rules, and clients that break them."""

import asyncio
import json
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.graphql.limits import Limits
from tests.graphql.serving import Served, serve_and_run

INIT = '{"type": "connection_init", "payload": {"Authorization": "Bearer right"}}'


def subscribe(operation_id: str, query: str, **variables: Any) -> str:
    payload = {"query": query, "variables": variables}
    return json.dumps({"type": "subscribe", "id": operation_id, "payload": payload})


async def receive(connection: ClientConnection, count: int = 1) -> list[dict[str, Any]]:
    return [json.loads(await connection.recv()) for _ in range(count)]


async def closing(connection: ClientConnection) -> tuple[int | None, str | None]:
    """Return code and reason once the server has closed, dropping what comes before."""
    try:
        async with asyncio.timeout(10):
            while True:
                await connection.recv()
    except ConnectionClosed:
        return connection.close_code, connection.close_reason


def test_the_python_client_runs_operations_of_each_type() -> None:
    async def body(served: Served) -> None:
        transport = WebsocketsTransport(
            url=served.url.replace("http", "ws", 1),
            init_payload={"authorization": "bearer right"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        async with Client(transport=transport) as session:
            assert await session.execute(gql("{ hello }")) == {"hello": "Hello, world!"}
            assert await session.execute(gql("mutation { add(n: 1) }")) == {"add": 2}
            counted = [event async for event in session.subscribe(gql("subscription { count(to: 3) }"))]
            assert counted == [{"count": 1}, {"count": 2}, {"count": 3}]

    serve_and_run(body)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("null", "A message must be a JSON object."),
        ("[]", "A message must be a JSON object."),
        ('"ping"', "A message must be a JSON object."),
        ("{", "The request is not JSON"),
        ("[" * 100_000, "The request is not JSON"),
        ("{}", "A message needs a 'type' that a client may send."),
        ('{"type": "start"}', "A message needs a 'type' that a client may send."),
        ('{"type": "next", "id": "1", "payload": {}}', "A message needs a 'type' that a client may send."),
        ('{"type": 1}', "A message needs a 'type' that a client may send."),
        ('{"type": "ping", "payload": "x"}', "'payload' must be an object."),
        ('{"type": "connection_init", "payload": []}', "'payload' must be an object."),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}', "'id' must be a string"),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}', "'id' must be a string"),
        ('{"type": "subscribe", "id": "1"}', "'subscribe' needs a payload, an object."),
        ('{"type": "subscribe", "id": "1", "payload": {}}', "The request has no 'query'."),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": "x"}}',
            "'variables' must be an object or null.",
        ),
        ('{"type": "complete"}', "'id' must be a string"),
        (b"{}", "Binary messages are not part of the protocol."),
    ],
)
@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_an_invalid_message_closes_4400(message: str | bytes, reason: str, is_acknowledged: bool) -> None:
    async def body(served: Served) -> None:
        async with served.connect() as connection:
            if is_acknowledged:
                await connection.send(INIT)
                assert await connection.recv() == '{"type":"connection_ack"}'
            await connection.send(message)
            code, said = await closing(connection)
        assert (code, (said or "")[: len(reason) + 17]) == (4400, f"Invalid message: {reason}")
        assert served.logged == []

    serve_and_run(body)


@pytest.mark.parametrize("subprotocols", [[], ["graphql-ws"]])
def test_another_subprotocol_closes_4406(subprotocols: list[str]) -> None:
    async def body(served: Served) -> None:
        async with served.connect(subprotocols=subprotocols or None) as connection:
            assert await closing(connection) == (4406, "Subprotocol not acceptable")

    serve_and_run(body)


def test_no_init_in_time_closes_4408() -> None:
    async def body(served: Served) -> None:
        async with served.connect() as connection:
            await connection.send('{"type": "ping"}')
            assert await closing(connection) == (4408, "Connection initialisation timeout")

    serve_and_run(body, Limits(init_timeout_seconds=0.1))


def test_an_operation_before_the_acknowledgement_closes_4401() -> None:
    async def body(served: Served) -> None:
        async with served.connect() as connection:
            await connection.send(subscribe("1", "{ hello }"))
            assert await closing(connection) == (4401, "Unauthorized")

    serve_and_run(body)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("{}", "A token is needed."),
        ('{"Authorization": "Basic x"}', "A token is needed."),
        ('{"Authorization": 1}', "A token is needed."),
        ('{"Authorization": "Bearer wrong"}', "The token is not valid."),
    ],
)
def test_no_right_credential_closes_4403(payload: str, reason: str) -> None:
    async def body(served: Served) -> None:
        async with served.connect() as connection:
            await connection.send(f'{{"type": "connection_init", "payload": {payload}}}')
            assert await closing(connection) == (4403, reason)
        assert served.unauthenticated == [None]

    serve_and_run(body)


def test_the_upgrades_credential_serves_where_the_init_has_none() -> None:
    async def body(served: Served) -> None:
        async with served.connect(additional_headers={"Authorization": "Bearer right"}) as connection:
            await connection.send('{"type": "connection_init"}')
            assert await receive(connection) == [{"type": "connection_ack"}]

    serve_and_run(body)


def test_a_fault_of_the_authenticator_closes_4500_and_is_logged() -> None:
    async def body(served: Served) -> None:
        async with served.connect(additional_headers={"Authorization": "Bearer broken"}) as connection:
            await connection.send('{"type": "connection_init"}')
            assert await closing(connection) == (4500, "Internal error")
        (call,) = served.logged
        assert call.kwargs["event"] == "graphql_websocket_failed"

    serve_and_run(body)


def test_a_second_init_closes_4429() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(INIT)
            assert await closing(connection) == (4429, "Too many initialisation requests")

    serve_and_run(body)


def test_a_ping_is_answered_with_its_payload() -> None:
    async def body(served: Served) -> None:
        async with served.connect() as connection:
            await connection.send('{"type": "ping"}')
            await connection.send(INIT)
            await connection.send('{"type": "pong"}')
            await connection.send('{"type": "ping", "payload": {"n": 1}}')
            assert await receive(connection, 3) == [
                {"type": "pong"},
                {"type": "connection_ack"},
                {"type": "pong", "payload": {"n": 1}},
            ]

    serve_and_run(body)


def test_an_id_in_use_closes_4409_and_ends_what_runs() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "subscription { waits }"))
            await connection.send(subscribe("1", "subscription { waits }"))
            assert await closing(connection) == (4409, "Subscriber for 1 already exists")
        assert served.happenings.noted in ([], ["waits begun", "waits closed"])

    serve_and_run(body)


def test_a_result_is_next_and_complete_and_a_request_error_is_error_alone() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "{ hello failsPublicly }"))
            first, last = await receive(connection, 2)
            assert (first["type"], first["id"], first["payload"]["data"]["hello"]) == (
                "next",
                "1",
                "Hello, world!",
            )
            assert last == {"type": "complete", "id": "1"}
            for query, code in [
                ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
                ("query ($n: Int!) { required(n: $n) }", "BAD_USER_INPUT"),
                ("subscription { refuses }", "NOT_FOUND"),
            ]:
                await connection.send(subscribe("1", query))
                (message,) = await receive(connection)
                assert (message["type"], message["id"]) == ("error", "1")
                assert [error["extensions"]["code"] for error in message["payload"]] == [code]

    serve_and_run(body)


def test_each_event_has_a_context_of_its_own() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "subscription { contextNumbers }"))
            first, second, _ = await receive(connection, 3)
            # The first context began the subscription.
            assert first["payload"] == {"data": {"contextNumbers": 2}}
            assert second["payload"] == {"data": {"contextNumbers": 3}}

    serve_and_run(body)


def test_a_source_that_breaks_ends_with_a_masked_error() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "subscription { breaks }"))
            _, broken, complete = await receive(connection, 3)
            (error,) = broken["payload"]["errors"]
            assert (error["message"], error["extensions"]["code"]) == ("Internal error", "INTERNAL")
            assert complete == {"type": "complete", "id": "1"}

    serve_and_run(body)


def test_complete_ends_an_operation_and_frees_its_id() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            for _ in range(2):
                await connection.send(subscribe("1", "subscription { waits }"))
                (message,) = await receive(connection)
                assert message["payload"] == {"data": {"waits": 0}}
                await connection.send('{"type": "complete", "id": "1"}')
            await connection.send('{"type": "complete", "id": "unknown"}')
            await connection.send('{"type": "ping"}')
            assert await receive(connection) == [{"type": "pong"}]
            assert served.happenings.noted == ["waits begun", "waits closed"] * 2

    serve_and_run(body)


def test_complete_cancels_a_query_and_lets_a_mutation_end() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("query", "{ slow }"))
            await connection.send(subscribe("mutation", "mutation { slowAdd }"))
            await served.happenings.wait_for("slowAdd begun")
            await connection.send('{"type": "complete", "id": "query"}')
            await connection.send('{"type": "complete", "id": "mutation"}')
            await connection.send('{"type": "ping"}')
            assert await receive(connection) == [{"type": "pong"}]
        await served.happenings.wait_for("slow cancelled")
        served.happenings.released.set()
        await served.happenings.wait_for("slowAdd ended")
        assert "slowAdd cancelled" not in served.happenings.noted

    serve_and_run(body)


def test_leaving_ends_what_runs() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "subscription { waits }"))
            await connection.send(subscribe("2", "subscription { stuck }"))
            await served.happenings.wait_for("waits begun")
            await served.happenings.wait_for("stuck start begun")
            connection.transport.abort()
        await served.happenings.wait_for("waits closed")
        await served.happenings.wait_for("stuck start cancelled")
        assert served.logged == []

    serve_and_run(body)


def test_the_end_of_the_session_closes_4403_with_its_reason() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "subscription { waits }"))
            await served.happenings.wait_for("waits begun")
            served.over.set_result("The token has expired." + " é" * 100)
            code, reason = await closing(connection)
            assert (code, (reason or "")[:24]) == (4403, "The token has expired. é")
            assert len((reason or "").encode()) <= 123
        await served.happenings.wait_for("waits closed")

    serve_and_run(body)


def test_of_a_thousand_subscriptions_a_hundred_run() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            for number in range(1_000):
                await connection.send(subscribe(str(number), "subscription { waits }"))
            messages = await receive(connection, 1_000)
        refused = [message for message in messages if message["type"] == "error"]
        assert (len(refused), len(messages)) == (900, 1_000)
        assert refused[0]["payload"][0]["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "operations",
            "allowed": 100,
        }
        await served.happenings.wait_for("waits closed", times=100)

    serve_and_run(body)


def test_a_viewers_connection_too_many_closes_4429() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged(), served.acknowledged(), served.connect() as third:
            await third.send(INIT)
            assert await closing(third) == (4429, "Too many connections: at most 2 may be open at a time.")
        # Those that ended count no longer: the server has seen the end once its close frame is back.
        async with served.acknowledged():
            pass

    serve_and_run(body, Limits(max_connections_per_viewer=2))


def test_a_client_that_never_reads_holds_up_its_source_and_is_let_go() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged(max_queue=1) as connection:
            connection.transport.pause_reading()
            await connection.send(subscribe("1", "subscription { large }"))
            await served.happenings.wait_for("large closed")
            # What the kernel and uvicorn buffer, 100 kB an event; not the thousand of a queue.
            assert served.happenings.noted.count("large made") < 200
            connection.transport.abort()

    serve_and_run(body, Limits(send_timeout_seconds=0.5))


def test_a_message_too_long_closes_1009() -> None:
    async def body(served: Served) -> None:
        async with served.acknowledged() as connection:
            await connection.send(subscribe("1", "{ hello }" + " " * 2_000_000))
            assert (await closing(connection))[0] == 1009

    serve_and_run(body)


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("same", True),
        ("https://console.example.org", True),
        ("https://evil.example.org", False),
        ("http://127.0.0.1:1", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_the_origin_is_checked_before_the_socket_opens(origin: str, is_allowed: bool) -> None:
    async def body(served: Served) -> None:
        page = served.url.removesuffix("/graphql") if origin == "same" else origin
        if is_allowed:
            async with served.acknowledged(origin=page):
                return
        with pytest.raises(InvalidStatus) as refusal:
            async with served.connect(origin=page):
                pass
        assert refusal.value.response.status_code == 403

    serve_and_run(body, allowed_origins=("https://console.example.org",))
