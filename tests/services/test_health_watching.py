"""Health as clients see it, over registries that do as they are told."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from tests.servers.fake_registries import FakeRegistries, running_fake_registries
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

BROKEN = (500, b"broken")
REFUSED = (401, b"")
WEB_PAGE = (200, b"<!DOCTYPE html><title>Welcome</title>")


def test_it_goes_and_comes_back(watching_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(watching_server, fakes.url("one"))
    assert integrated.health() == ("HEALTHY", None)
    integrated.wait_for_probe()
    fakes.instead["one"] = BROKEN
    integrated.wait_for_health("UNHEALTHY", "COMPONENT_UNHEALTHY", deadline_seconds=1 + 5)
    del fakes.instead["one"]
    integrated.wait_for_health("HEALTHY", deadline_seconds=1 + 5)
    assert integrated.health_events() == [("UNHEALTHY", "COMPONENT_UNHEALTHY"), ("HEALTHY", None)]
    checks = integrated.state()["health"]["checks"][::-1]
    assert [check["isGood"] for check in checks].count(False) >= 2
    assert {check["reason"] for check in checks if not check["isGood"]} == {"COMPONENT_UNHEALTHY"}
    # The one that confirms a bad one comes two seconds later; none comes early.
    times = [datetime.fromisoformat(check["checkedAt"]) for check in checks]
    first_bad = [check["isGood"] for check in checks].index(False)
    assert 2 <= (times[first_bad + 1] - times[first_bad]).total_seconds() < 3
    assert all((later - earlier).total_seconds() > 0.6 for earlier, later in pairwise(times))


def test_a_blip_is_kept_and_is_no_event(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    since = integrated.state()["health"]["since"]
    fakes.once["one"] = [BROKEN]
    eventually(lambda: [check for check in integrated.state()["health"]["checks"] if not check["isGood"]])
    assert integrated.health() == ("HEALTHY", None)
    integrated.wait_for_probe()
    state = integrated.state()["health"]
    assert [check["isGood"] for check in state["checks"]].count(False) == 1
    assert (state["status"], state["since"]) == ("HEALTHY", since)
    assert integrated.health_events() == []


def test_one_that_flaps_is_an_event_each_time(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    for _ in range(2):
        fakes.instead["one"] = BROKEN
        integrated.wait_for_health("UNHEALTHY", "COMPONENT_UNHEALTHY")
        fakes.instead["one"] = WEB_PAGE
        integrated.wait_for_health("UNHEALTHY", "UNEXPECTED_ANSWER")
        del fakes.instead["one"]
        integrated.wait_for_health("HEALTHY")
    once = [("UNHEALTHY", "COMPONENT_UNHEALTHY"), ("UNHEALTHY", "UNEXPECTED_ANSWER"), ("HEALTHY", None)]
    assert integrated.health_events() == once * 2
    changes = integrated.events("HEALTH_CHANGED")
    previous = [(change["previous"]["status"], change["previous"]["reason"]) for change in changes]
    assert previous == [("HEALTHY", None), *(once * 2)[:-1]]


def test_a_web_page_in_front_is_named_and_not_quoted(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    fakes.instead["one"] = WEB_PAGE
    integrated.wait_for_health("UNHEALTHY", "UNEXPECTED_ANSWER")
    state = integrated.state()["health"]
    assert "Welcome" not in f"{state['message']}{state['registryMessage']}"


@pytest.mark.usefixtures("short_deadlines")
def test_silence_is_known_two_deadlines_later(fakes: FakeRegistries, quick_server: RunningServer) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    with fakes.holding("one"):
        integrated.wait_for_health("UNHEALTHY", "TIMED_OUT", deadline_seconds=1 + 5 + 2 * 1)
    integrated.wait_for_health("HEALTHY")
    assert integrated.health_events() == [("UNHEALTHY", "TIMED_OUT"), ("HEALTHY", None)]


def test_an_expired_certificate_is_named(quick_server: RunningServer) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with running_fake_registries(tls) as fakes:
        integrated = integrate(
            quick_server, fakes.url("one"), tls={"caCertificatePem": authority.cert_pem.bytes().decode()}
        )
        yesterday = datetime.now(UTC) - timedelta(days=1)
        authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=1), not_after=yesterday).configure_cert(
            tls
        )
        integrated.wait_for_health("UNHEALTHY", "CERTIFICATE_EXPIRED")
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        integrated.wait_for_health("HEALTHY")


def test_a_refused_credential_is_left_alone(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"), username="robot", password="old")
    fakes.instead["one"] = REFUSED
    integrated.wait_for_health("UNHEALTHY", "UNAUTHORIZED", deadline_seconds=1 + 5 + 5)
    first, second = (datetime.fromisoformat(at) for at in refused_at(integrated))
    assert 5 <= (second - first).total_seconds() < 6.5
    asked = fakes.pings["one"]

    # Not by itself: whatever else is probed meanwhile, every second.
    other = integrate(quick_server, fakes.url("other"), name="another")
    eventually(lambda: fakes.pings["other"] >= 5)
    assert fakes.pings["one"] == asked

    # When somebody asks: once.
    assert integrated.mutate("checkIntegration")["errors"] == []
    assert len(refused_at(integrated)) == 3
    assert integrated.health() == ("UNHEALTHY", "UNAUTHORIZED")

    # When the credential changes: at once.
    del fakes.instead["one"]
    asked = fakes.pings["one"]
    assert integrated.health() == ("UNHEALTHY", "UNAUTHORIZED")
    payload = integrated.mutate("rotateIntegrationCredential", username="robot", password="new")
    assert payload["errors"] == []
    integrated.wait_for_health("HEALTHY", deadline_seconds=5)
    assert integrated.health_events() == [("UNHEALTHY", "UNAUTHORIZED"), ("HEALTHY", None)]
    assert other.health() == ("HEALTHY", None)


def refused_at(integrated: Integrated) -> list[str]:
    """Return when the credential was refused, oldest first."""
    checks = integrated.state()["health"]["checks"][::-1]
    return [check["checkedAt"] for check in checks if check["reason"] == "UNAUTHORIZED"]


def test_a_401_that_passes_is_a_blip(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"), username="robot", password="right")
    # Without the credential, then with it: one probe.
    fakes.once["one"] = [REFUSED, REFUSED]
    eventually(lambda: refused_at(integrated))
    eventually(lambda: integrated.state()["health"]["checks"][0]["isGood"])
    assert len(refused_at(integrated)) == 1
    assert integrated.health() == ("HEALTHY", None)
    assert integrated.health_events() == []


def test_a_check_that_was_asked_for_waits_for_the_second_probe(
    quick_server: RunningServer, fakes: FakeRegistries
) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    fakes.instead["one"] = BROKEN
    assert integrated.mutate("checkIntegration")["errors"] == []
    assert integrated.health() == ("UNHEALTHY", "COMPONENT_UNHEALTHY")
    del fakes.instead["one"]
    assert integrated.mutate("checkIntegration")["errors"] == []
    assert integrated.health() == ("HEALTHY", None)


def test_a_check_never_runs_beside_a_probe(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    with ThreadPoolExecutor(3) as threads:
        with fakes.holding("one"):
            eventually(lambda: fakes.waiting("one") == 1)
            asked = fakes.pings["one"]
            checks = [threads.submit(integrated.mutate, "checkIntegration") for _ in range(3)]
            # An interval passes by for the others, and nothing more is asked of this one.
            other = integrate(quick_server, fakes.url("other"), name="another")
            eventually(lambda: fakes.pings["other"] >= 4)
            assert (fakes.pings["one"], fakes.waiting("one")) == (asked, 1)
        assert [check.result(20)["errors"] for check in checks] == [[], [], []]
    assert fakes.pings["one"] >= asked + 3
    assert other.health() == integrated.health() == ("HEALTHY", None)


def test_one_that_changes_while_it_is_probed(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("old"))
    with fakes.holding("old"):
        eventually(lambda: fakes.waiting("old"))
        fakes.instead["old"] = BROKEN
        assert integrated.mutate("updateIntegration", url=fakes.url("new"))["errors"] == []
        asked_of_old = fakes.pings["old"]
        asked_of_new = fakes.pings["new"]
        # Not after the lease of the probe that is under way: now.
        eventually(lambda: fakes.pings["new"] > asked_of_new, deadline_seconds=5)
    integrated.wait_for_probe()
    assert integrated.health() == ("HEALTHY", None)
    assert [check["isGood"] for check in integrated.state()["health"]["checks"]].count(False) == 0
    assert fakes.pings["old"] == asked_of_old
    assert integrated.health_events() == []


def test_one_that_is_only_renamed_keeps_its_connections(quick_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(quick_server, fakes.url("one"))
    integrated.wait_for_probe()
    clients = quick_server.services.monitor._connections._clients
    before = clients[integrated.key].client
    assert integrated.mutate("updateIntegration", name="another name")["errors"] == []
    integrated.wait_for_probe()
    assert clients[integrated.key].client is before
    assert integrated.mutate("updateIntegration", url=fakes.url("new"))["errors"] == []
    integrated.wait_for_probe()
    assert clients[integrated.key].client is not before


def test_one_that_is_removed_while_it_is_probed(watching_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(watching_server, fakes.url("one"))
    other = integrate(watching_server, fakes.url("other"), name="another")
    with fakes.holding("one"):
        eventually(lambda: fakes.waiting("one"))
        assert integrated.mutate("removeIntegration")["errors"] == []
    fetch = watching_server.services.database.fetch
    other.wait_for_probe()
    rows = watching_server.run(fetch('SELECT DISTINCT "integration_id" FROM "health_check"'))
    assert [row["integration_id"] for row in rows] == [other.key]
    # Its client is gone as well, with its sockets.
    connections = watching_server.services.monitor._connections
    assert list(connections._clients) == [other.key]
    assert other.health() == ("HEALTHY", None)


def test_a_server_that_stops_leaves_no_claim_behind(fakes: FakeRegistries, tmp_path: Path) -> None:
    with running_server(tmp_path / "data", probe_interval_seconds=1) as server:
        integrate(server, fakes.url("one"))
        with fakes.holding("one"):
            eventually(lambda: fakes.waiting("one"))
            server.stop()
    asked = fakes.pings["one"]
    with running_server(tmp_path / "data", probe_interval_seconds=1):
        eventually(lambda: fakes.pings["one"] > asked, deadline_seconds=5)
