"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.application import build_application
from server.graphql.limits import Limits
from server.metrics import Metrics
from tests.server.live_clients import open_socket, open_stream, subscribe
from tests.server.processes import wait_until
from tests.servers.docker_registry import push_image, running_docker_registry
from tests.servers.postgresql import PostgreSQLServer
from tests.serving import RunningServer, running_server, shared_schema

INTEGRATE = """
mutation ($name: String!, $url: URL!) {
  integrateRegistry(input: {name: $name, kind: DOCKER_REGISTRY, url: $url}) { integration { id } errors { code } }
}
"""
CHECK = "mutation ($id: ID!) { checkIntegration(input: {id: $id}) { errors { code } } }"


def samples(server: RunningServer) -> dict[str, dict[tuple[str, ...], float]]:
    """Return what `/metrics` shows, by name and the values of the labels in the order of their names."""
    answer = server.request("GET", "/metrics")
    assert answer.status == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels[label] for label in sorted(sample.labels))] = (
                sample.value
            )
    return found


def test_a_server_with_its_database_is_alive_and_ready(server: RunningServer) -> None:
    assert server.request("GET", "/healthz").body == b"ok\n"
    ready = server.request("GET", "/readyz")
    assert (ready.status, ready.json) == (200, {"ready": True})


def test_without_its_database_it_is_alive_and_not_ready_and_metrics_are_still_there(
    tmp_path: Path, postgresql_server: PostgreSQLServer
) -> None:
    name = f"test_{secrets.token_hex(6)}"
    with postgresql_server.database(name) as url, running_server(tmp_path / "data", database_url=url) as server:
        assert server.request("GET", "/readyz").status == 200
        asyncio.run(postgresql_server._execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        asyncio.run(
            postgresql_server._execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
        )
        answer = server.request("GET", "/readyz")
        assert (answer.status, answer.json) == (503, {"ready": False, "why": "the database does not answer"})
        assert server.request("GET", "/healthz").status == 200
        assert samples(server)["process_cpu_seconds_total"]
        failed = "integrated_registry_background_failures_total"
        wait_until(lambda: samples(server).get(failed), "the background work had failed")
        assert set(samples(server)[failed]) <= {
            (work,)
            for work in ("changes", "event log", "event notices", "health", "purge", "readers", "synchronization")
        }
        asyncio.run(postgresql_server._execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        wait_until(lambda: server.request("GET", "/readyz").status == 200, "it was ready again")


def test_a_stopping_server_is_not_ready(running_server: RunningServer) -> None:
    async def look() -> tuple[int, bytes]:
        shutdown = asyncio.Event()
        application = build_application(
            running_server.settings, running_server.services, shared_schema(), Limits(), shutdown, Metrics()
        )
        shutdown.set()
        sent = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/readyz",
            "headers": [(b"host", b"localhost")],
            "query_string": b"",
        }
        await application(scope, receive, send)  # type: ignore[arg-type]
        return sent[0]["status"], sent[1]["body"]  # type: ignore[return-value]

    status, body = running_server.run(look())
    assert (status, body) == (503, b'{"ready":false,"why":"the server is stopping"}')


def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", metrics=False) as server:
        assert server.request("GET", "/metrics").status == 404


def test_what_happens_is_counted(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with running_docker_registry(tmp_path / "registry") as registry:
        push_image(registry, "team/web", "1")
        integrated = server.graphql(INTEGRATE, {"name": "one", "url": registry.url})["integrateRegistry"]
        integration_id = integrated["integration"]["id"]
        server.post(INTEGRATE, {"name": "two", "url": registry.url})
        server.post("{ nothing }")
        server.post("{ viewer { name } }")
        assert server.request("POST", "/graphql").status == 401
        server.request("PROPFIND", "/teapot/of/somebody")
        with (
            open_socket(server.port, server.admin_token) as socket,
            open_stream(server.port, server.admin_token),
        ):
            subscribe(socket)

            assert server.graphql(CHECK, {"id": integration_id})["checkIntegration"]["errors"] == []
            # A stream's head comes before its subscription has begun.
            wait_until(
                lambda: samples(server)["integrated_registry_graphql_subscriptions_open"] == {(): 2},
                "both subscriptions were open",
            )
            seen = samples(server)
            assert seen["integrated_registry_websockets_open"] == {(): 1}
        operations = seen["integrated_registry_graphql_operation_seconds_count"]
        assert operations[("ok", "mutation")] == 3
        assert operations[("refused", "none")] == 1
        assert operations[("ok", "query")] == 1
        calls = seen["integrated_registry_registry_call_seconds_count"]
        assert calls[("DOCKER_REGISTRY", "2xx")] >= 3
        assert seen["integrated_registry_probe_seconds_count"][("OK",)] >= 1
        assert seen["integrated_registry_integrations"] == {("HEALTHY",): 1, ("UNHEALTHY",): 0, ("UNKNOWN",): 0}
        assert seen["integrated_registry_unauthenticated_requests_total"] == {(): 1}
        assert seen["integrated_registry_http_request_seconds_count"][("other", "other", "404")] == 1
        assert seen["integrated_registry_http_request_seconds_count"][("POST", "/graphql", "401")] == 1
        wait_until(lambda: samples(server)["integrated_registry_events_unread"] == {(): 0}, "all events were read")
        wait_until(
            lambda: samples(server)["integrated_registry_graphql_subscriptions_open"] == {(): 0},
            "the subscriptions were over",
        )
        registry.stop()
        wait_until(
            lambda: (
                ("DOCKER_REGISTRY", "CONNECTION_REFUSED")
                in samples(server)["integrated_registry_registry_call_seconds_count"]
            ),
            "a probe had failed",
        )


def test_nothing_from_outside_becomes_a_label(running_server: RunningServer) -> None:
    before = sum(map(len, samples(running_server).values()))
    for number in range(20):
        running_server.request("GET", f"/marker-{number}")
        running_server.request(f"MARKER{number}", "/")
        running_server.request("GET", "/", headers={"Host": f"marker-{number}.example.com"})
        running_server.post(f"query Marker{number} {{ viewer {{ name }} }}")
        running_server.post(f"{{ marker{number} }}")
        running_server.post("{ viewer { name } }", token=f"irat_marker{number}")
    shown = running_server.request("GET", "/metrics").body.decode()
    assert re.search("marker", shown, re.IGNORECASE) is None
    after = sum(map(len, samples(running_server).values()))
    # The first of each sort makes its series, the other nineteen none.
    assert after - before < 20 * 17


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_looking_is_possible(running_server: RunningServer, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert running_server.request(method, path).status == 405
