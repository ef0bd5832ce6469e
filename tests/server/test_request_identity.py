"""Every request has an id: in its answer, in every line that is logged in it, and in its audit row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture

from tests.server.live_clients import open_socket
from tests.serving import RunningServer

INTEGRATE = """
mutation ($url: URL!) {
  integrateRegistry(input: {name: "one", kind: DOCKER_REGISTRY, url: $url}) { errors { message } }
}
"""
AUDIT = "{ auditEvents(first: 1) { nodes { mutation requestId } } }"


@pytest.fixture
def logged() -> Iterator[list[dict[str, object]]]:
    """What is logged from here on, by any thread."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, capture],
        cache_logger_on_first_use=False,
    )
    yield capture.entries  # type: ignore[misc]
    structlog.configure(**before)


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/sign-in", "/nothing", "/"])
def test_every_answer_has_an_id_of_its_own(running_server: RunningServer, path: str) -> None:
    ids = {running_server.request("GET", path).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)


@pytest.mark.parametrize("given", ["a", "0af7651916cd43dd8448eb211c80319c", "Root=1-67891233-abcdef", "x" * 128])
def test_the_clients_own_id_is_taken_over(running_server: RunningServer, given: str) -> None:
    for path in ("/graphql", "/healthz", "/nothing"):
        assert running_server.request("GET", path, headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", 'a"b', "a;b", "<script>", "ä", "-a"])
def test_an_id_that_could_forge_something_is_not(running_server: RunningServer, given: str) -> None:
    answer = running_server.request("GET", "/graphql", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_an_event_stream_and_a_refused_websocket_have_one(running_server: RunningServer) -> None:
    answer = running_server.request(
        "POST",
        "/graphql",
        json.dumps({"query": "{ viewer { name } }"}).encode(),
        {
            "Authorization": f"Bearer {running_server.admin_token}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "X-Request-Id": "mine",
        },
    )
    assert answer.headers["x-request-id"] == "mine"
    with open_socket(running_server.port, running_server.admin_token) as socket:
        assert socket.response is not None
        assert re.fullmatch("[0-9a-f]{32}", socket.response.headers["X-Request-Id"])


def test_what_services_log_in_a_request_has_its_id(
    running_server: RunningServer, logged: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        structlog.get_logger("services").info("deep inside")

        async def work(_: object) -> None:
            structlog.get_logger("services").info("in a transaction")

        await running_server.services.database.transact(work)
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(type(running_server.services.integrator), "integrate", fail)
    body = json.dumps({"query": INTEGRATE, "variables": {"url": "http://127.0.0.1:1"}}).encode()
    headers = {"Authorization": f"Bearer {running_server.admin_token}", "Content-Type": "application/json"}
    answer = running_server.request("POST", "/graphql", body, {**headers, "X-Request-Id": "mine"})
    assert answer.json["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "mine"}
    assert [(line["event"], line.get("request_id")) for line in logged] == [
        ("deep inside", "mine"),
        ("in a transaction", "mine"),
        ("graphql_field_failed", "mine"),
    ]
    assert running_server.graphql(AUDIT)["auditEvents"]["nodes"] == [
        {"mutation": "integrateRegistry", "requestId": "mine"}
    ]
    # What comes after is another's, or nobody's.
    structlog.get_logger("test").info("afterwards")
    assert "request_id" not in logged[-1]


def test_each_operation_of_a_socket_has_an_id_of_its_own(
    running_server: RunningServer, logged: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        structlog.get_logger("services").info("deep inside")
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(type(running_server.services.integrator), "integrate", fail)
    told = []
    with open_socket(running_server.port, running_server.admin_token) as socket:
        for number in ("1", "2"):
            payload = {"query": INTEGRATE, "variables": {"url": "http://127.0.0.1:1"}}
            socket.send(json.dumps({"id": number, "type": "subscribe", "payload": payload}))
            told.append(json.loads(socket.recv(30))["payload"]["errors"][0]["extensions"]["requestId"])
            assert json.loads(socket.recv(30))["type"] == "complete"
    assert len(set(told)) == 2
    assert [(line["event"], line.get("request_id")) for line in logged] == [
        ("deep inside", told[0]),
        ("graphql_field_failed", told[0]),
        ("deep inside", told[1]),
        ("graphql_field_failed", told[1]),
    ]
