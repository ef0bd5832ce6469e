"""Probes: components, the routine credential, read-only mode, and what each costs."""

import asyncio

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import ComponentUnhealthy, CredentialRejected, TimedOut, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.payloads import parse_health
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble
from tests.recordings.recording import recorded_response
from tests.registry_clients.harbor.harbor_client import SETTINGS, asked, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, response

COMPONENTS = ["core", "database", "jobservice", "portal", "redis", "registry", "registryctl"]


def test_a_healthy_harbor_costs_two_calls_and_no_password(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    answer = done(harbor, HarborClient.probe, reader)
    assert (answer.version, answer.is_read_only) == ("v2.16.0", False)
    assert [component.name for component in answer.components] == COMPONENTS
    assert all(component.is_healthy and component.message is None for component in answer.components)
    assert asked(harbor) == ["GET /health anonymous", "GET /systeminfo robot"]


def test_without_a_reader_the_administrator_is_the_routine_credential(harbor: HarborDouble) -> None:
    done(harbor, HarborClient.probe)
    assert asked(harbor) == ["GET /health anonymous", "GET /systeminfo user"]


def test_a_component_down_is_named_with_its_words(harbor: HarborDouble) -> None:
    harbor.break_component("registry")
    answer = done(harbor, HarborClient.probe)
    bad = [component for component in answer.components if not component.is_healthy]
    assert [component.name for component in bad] == ["registry"]
    assert "connection refused" in (bad[0].message or "")
    assert answer.version == "v2.16.0"
    harbor.mend_component("registry")
    assert all(component.is_healthy for component in done(harbor, HarborClient.probe).components)


def test_with_a_component_down_its_consequences_say_nothing_of_the_credential(harbor: HarborDouble) -> None:
    harbor.break_component("database")
    harbor.lie(Lie.EMPTY_BAD_GATEWAY, "/api/v2.0/systeminfo")
    answer = done(harbor, HarborClient.probe)
    assert [component.name for component in answer.components if not component.is_healthy] == ["database"]
    assert answer.version is None


def test_read_only_is_told_and_healthy(harbor: HarborDouble) -> None:
    harbor.set_read_only(True)
    answer = done(harbor, HarborClient.probe)
    assert answer.is_read_only
    assert all(component.is_healthy for component in answer.components)


def test_a_routine_credential_that_is_not_let_in(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.disable_robot(reader.username)
    error = failure(harbor, HarborClient.probe, reader=reader)
    assert type(error) is CredentialRejected
    assert "reader robot" in error.message
    error = failure(harbor, HarborClient.probe, Credential("admin", "wrong"))
    assert type(error) is CredentialRejected
    assert "password" in error.message


def test_an_unhealthy_harbor_is_read_as_recorded() -> None:
    body = recorded_response("harbor-2.16.0/health_jobservice_down", "health with the job service stopped").body
    report = parse_health(body, "harbor.test")
    bad = [component for component in report.components if not component.is_healthy]
    assert not report.is_healthy
    assert [component.name for component in bad] == ["jobservice"]
    assert "127.0.0.1:8081" in (bad[0].message or "")


def test_unhealthy_without_a_component_to_blame() -> None:
    body = b'{"status":"unhealthy","components":[{"name":"core","status":"healthy"}]}'
    transport = ScriptedTransport(lambda _: response(200, body))
    client = HarborClient(RegistryEndpoint(URL("https://harbor.test")), Credential("admin", "x"), transport, SETTINGS)
    with pytest.raises(ComponentUnhealthy, match="not healthy"):
        asyncio.run(client.probe())


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (Lie.HTML_IN_FRONT, UnexpectedAnswer),
        (Lie.HUGE_BODY, UnexpectedAnswer),
        (Lie.TRUNCATED_JSON, UnexpectedAnswer),
        (Lie.EMPTY_BAD_GATEWAY, ComponentUnhealthy),
    ],
)
def test_bad_answers_are_reasons_and_nothing_is_asked_twice(
    harbor: HarborDouble, lie: Lie, kind: type[Exception]
) -> None:
    harbor.lie(lie)
    error = failure(harbor, HarborClient.probe)
    assert isinstance(error, kind)
    assert asked(harbor) == ["GET /health anonymous"]


def test_a_silent_harbor_is_asked_once_until_the_read_deadline(harbor: HarborDouble) -> None:
    harbor.slow(SETTINGS.read_timeout_seconds + 60)
    try:
        assert type(failure(harbor, HarborClient.probe)) is TimedOut
    finally:
        harbor.slow(0)
    assert harbor.calls.count() <= 1


def test_a_probe_has_the_shorter_deadline_and_one_try() -> None:
    answers = {
        "/api/v2.0/health": recorded_response("harbor-2.16.0/health", "health, nobody logged in"),
        "/api/v2.0/systeminfo": recorded_response("harbor-2.16.0/system", "systeminfo, admin"),
    }
    transport = ScriptedTransport(lambda request: answers[request.url.path])
    endpoint = RegistryEndpoint(URL("https://harbor.test"))
    asyncio.run(HarborClient(endpoint, Credential("admin", "x"), transport, SETTINGS).probe())
    assert [(request.is_retried, request.timeout_seconds) for request in transport.requests] == [
        (False, SETTINGS.read_timeout_seconds)
    ] * 2
