"""The clients that people use (graphql-ws, graphql-sse) and the public audits of GraphQL over HTTP."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.graphql.serving import TOKEN, Served, serve_and_run

CLIENTS = Path(__file__).parent.parent / "clients"

pytestmark = pytest.mark.skipif(not (CLIENTS / "node_modules").is_dir(), reason="needs `npm ci` in tests/clients")


async def run_client(served: Served, script: str) -> Any:
    """Return what a script prints, decoded."""
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        cwd=CLIENTS,
        env={"PATH": os.environ["PATH"], "ENDPOINT": served.url, "TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return json.loads(output)


HELLO = {"data": {"hello": "Hello, world!"}}
COUNTED = [{"data": {"count": number}} for number in (1, 2, 3)]
ENDLESS = [{"data": {"endless": number}} for number in (0, 1)]


def test_graphql_ws() -> None:
    async def body(served: Served) -> None:
        output = await run_client(served, "over_websocket.mjs")
        assert output.pop("invalid")["failed"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
        assert output.pop("reconnected") == {"before": ENDLESS[0], "after": ENDLESS[0], "connections": 1}
        assert output == {
            "query": [HELLO],
            "mutation": [{"data": {"add": 3}}],
            "subscription": COUNTED,
            "completed": ENDLESS,
            "wrongToken": {"failed": {"code": 4403, "reason": "The token is not valid."}},
        }
        await served.happenings.wait_for("endless closed", times=3)
        assert served.logged == []

    serve_and_run(body)


def test_graphql_sse() -> None:
    async def body(served: Served) -> None:
        running = asyncio.create_task(run_client(served, "over_sse.mjs"))
        # A server that stops ends its streams without completing them: the client comes again.
        await served.happenings.wait_for("waits begun")
        served.shutdown.set()
        await served.happenings.wait_for("waits closed")
        served.shutdown.clear()
        output = await running
        assert output.pop("invalid")[0]["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
        assert output == {
            "query": [HELLO],
            "mutation": [{"data": {"add": 3}}],
            "subscription": COUNTED,
            "completed": ENDLESS,
            "wrongToken": {"failed": 401},
            "reconnected": {"before": {"data": {"waits": 0}}, "after": {"data": {"waits": 0}}},
        }
        await served.happenings.wait_for("endless closed")
        await served.happenings.wait_for("waits closed", times=2)
        assert served.logged == []

    serve_and_run(body)


def test_the_audits_of_graphql_over_http() -> None:
    async def body(served: Served) -> None:
        results = await run_client(served, "audit.mjs")
        not_ok = {result["id"]: (result["status"], result["name"]) for result in results if result["status"] != "ok"}
        assert len(results) == 61
        # GET isn't served: an option of the specification, left out on purpose.
        assert not_ok == {
            "5A70": ("notice", "MAY accept application/x-www-form-urlencoded formatted GET requests"),
            "D6D5": (
                "notice",
                "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting"
                " application/graphql-response+json",
            ),
            "6A70": (
                "notice",
                "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/json",
            ),
        }
        assert served.logged == []

    serve_and_run(body)
