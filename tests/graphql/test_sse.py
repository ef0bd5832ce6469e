"""Server-Sent Events in the mode of distinct connections, read line by line."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

from server.graphql.limits import Limits
from server.graphql.sse import EventStream
from tests.graphql.serving import Served, serve_and_run

EVENT_STREAM = {"Accept": "text/event-stream"}


def ask(served: Served, query: str) -> "aiohttp.client._RequestContextManager":
    return served.http.post(served.url, json={"query": query}, headers=EVENT_STREAM)


def test_a_subscription_is_a_stream_of_events_with_ids() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { events { cursor text } }") as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["X-Accel-Buffering"] == "no"
            assert len(response.headers["X-Request-Id"]) == 32
            text = await response.text()
        first = json.dumps({"data": {"events": {"cursor": "c1", "text": "first\nline"}}}, separators=(",", ":"))
        second = json.dumps(
            {"data": {"events": {"cursor": "forged\ndata: x", "text": "second"}}}, separators=(",", ":")
        )
        assert text == (
            f"event: next\nid: c1\ndata: {first}\n\n"
            # An id with a line break would forge events: it is left out.
            f"event: next\ndata: {second}\n\n"
            "event: complete\ndata:\n\n"
        )

    serve_and_run(body)


def test_queries_mutations_and_request_errors_are_one_event() -> None:
    async def body(served: Served) -> None:
        complete = "event: complete\ndata:\n\n"
        async with ask(served, "{ hello }") as response:
            next_ = 'event: next\ndata: {"data":{"hello":"Hello, world!"}}\n\n'
            assert await response.text() == next_ + complete
        async with ask(served, "mutation { add(n: 1) }") as response:
            assert await response.text() == 'event: next\ndata: {"data":{"add":2}}\n\n' + complete
        async with ask(served, "{ nothing }") as response:
            text = await response.text()
            assert response.status == 200
            assert text.startswith('event: next\ndata: {"errors":[')
            assert text.endswith(complete)

    serve_and_run(body)


def test_comments_keep_a_silent_stream_open() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { waits }") as response:
            for _ in range(3):
                await response.content.readline()
            assert [await response.content.readline() for _ in range(4)] == [b":\n", b"\n"] * 2

    serve_and_run(body, Limits(keep_alive_seconds=0.02))


def test_the_source_closes_when_the_client_leaves() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { waits }"):
            await served.happenings.wait_for("waits begun")
        async with ask(served, "subscription { stuck }") as response:
            await served.happenings.wait_for("stuck start begun")
            response.close()
        await served.happenings.wait_for("waits closed")
        await served.happenings.wait_for("stuck start cancelled")

    serve_and_run(body)


def test_a_mutation_runs_to_its_end_when_its_client_leaves() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "mutation { slowAdd }") as response:
            await served.happenings.wait_for("slowAdd begun")
            response.close()
        async with ask(served, "{ hello }") as response:
            await response.text()
        served.happenings.released.set()
        await served.happenings.wait_for("slowAdd ended")
        assert "slowAdd cancelled" not in served.happenings.noted

    serve_and_run(body)


def test_the_end_of_the_session_is_told_and_completes_the_stream() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { waits }") as response:
            await served.happenings.wait_for("waits begun")
            served.over.set_result("The token has expired.")
            text = await response.text()
        error = '{"message":"The token has expired.","extensions":{"code":"UNAUTHENTICATED"}}'
        assert text.endswith(f'event: next\ndata: {{"errors":[{error}]}}\n\nevent: complete\ndata:\n\n')
        await served.happenings.wait_for("waits closed")

    serve_and_run(body)


def test_who_leaves_as_the_session_ends_is_no_trouble_to_others() -> None:
    tells: list[Callable[[str], None]] = []

    class Session:
        def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
            tells.append(tell)
            return tells.clear

    async def body() -> None:
        unused: Any = None
        session: Any = Session()
        waiting = asyncio.create_task(EventStream(unused, unused, unused, session, "r")._until_session_over())
        await asyncio.sleep(0)
        (tell,) = tells
        waiting.cancel()
        # All who are told of one end are told in one go: raising here would leave out the rest.
        tell("The token was revoked.")
        await asyncio.wait((waiting,))
        assert waiting.cancelled()
        assert tells == []

    asyncio.run(body())


def test_shutdown_ends_the_stream_without_completing_it() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { waits }") as response:
            await served.happenings.wait_for("waits begun")
            served.shutdown.set()
            assert "complete" not in await response.text()
        await served.happenings.wait_for("waits closed")

    serve_and_run(body)


def test_a_client_that_never_reads_holds_up_its_source_and_is_let_go() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { large }") as response:
            assert response.connection is not None
            transport = response.connection.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await served.happenings.wait_for("large closed")
            assert served.happenings.noted.count("large made") < 200
            transport.abort()

    serve_and_run(body, Limits(send_timeout_seconds=0.5))


def test_a_stream_too_many_of_a_viewer_is_refused() -> None:
    async def body(served: Served) -> None:
        async with ask(served, "subscription { waits }"), served.acknowledged():
            async with ask(served, "subscription { waits }") as response:
                assert response.status == 429
                (error,) = (await response.json())["errors"]
            assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "connections", "allowed": 2}

    serve_and_run(body, Limits(max_connections_per_viewer=2))
