"""An administrator's credential that is refused: no alarm while we read all the same, and none of our doing."""

from __future__ import annotations

import base64
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from services.health import ADMINISTRATOR_REFUSED
from services.readers import AGAIN_AFTER_REFUSALS, CHECK_INTERVAL
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import WatchedHarbor, integrate_harbor, readers
from tests.serving import RunningServer, answer_of, running_server
from tests.waiting import eventually


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        double.create_project("team")
        yield double


@pytest.fixture
def probing_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that probes every second."""
    with running_server(tmp_path / "data", probe_interval_seconds=1) as server:
        yield server


def pause_until_next_check(watched: WatchedHarbor) -> timedelta:
    """Return after which time the administrator's credential is tried again."""
    database = watched.server.services.database
    due = database.dialect.datetime(watched.row("reader_credential")["next_check_at"])
    return due - watched.server.services.clock()


def is_about(pause: timedelta, expected: timedelta) -> bool:
    """Return whether a pause that began a moment ago was of that length."""
    return expected - timedelta(seconds=10) < pause <= expected


def test_it_is_tried_again_and_only_then_counts(probing_server: RunningServer, harbor: HarborDouble) -> None:
    assert [pause.total_seconds() / 60 for pause in AGAIN_AFTER_REFUSALS] == [1, 5, 15]
    watched = integrate_harbor(probing_server, harbor)
    watched.wait_until_followed()
    good = harbor.administrator[1]
    harbor.set_admin_password("Another12345")
    for number, pause in enumerate(AGAIN_AFTER_REFUSALS, 1):
        harbor.calls.reset()
        watched.check_reader_now()
        assert watched.row("reader_credential")["administrator_refusals"] == number
        assert is_about(pause_until_next_check(watched), pause)
        # One call tells, and nothing else is tried with it.
        assert harbor.calls.count(credential="refused admin") == 1
        watched.wait_for_probe()
        assert (watched.health(), watched.health_events()) == (("HEALTHY", None), [])
    watched.check_reader_now()
    watched.wait_for_health("UNHEALTHY", "UNAUTHORIZED", 10)
    assert watched.state()["health"]["message"] == ADMINISTRATOR_REFUSED
    # It goes on being probed, as the reader.
    watched.wait_for_probe()
    assert watched.routine()["kind"] == "READER_ROBOT"
    # Accepted again, it recovers by itself.
    harbor.set_admin_password(good)
    watched.check_reader_now()
    watched.wait_for_health("HEALTHY", None, 10)
    assert watched.row("reader_credential")["administrator_refusals"] == 0
    assert is_about(pause_until_next_check(watched), CHECK_INTERVAL)
    assert watched.health_events() == [("UNHEALTHY", "UNAUTHORIZED"), ("HEALTHY", None)]


def test_a_rotation_ends_it(probing_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(probing_server, harbor)
    harbor.set_admin_password("Another12345")
    for _ in range(len(AGAIN_AFTER_REFUSALS) + 1):
        watched.check_reader_now()
    watched.wait_for_health("UNHEALTHY", "UNAUTHORIZED", 10)
    payload = watched.mutate("rotateIntegrationCredential", username="admin", password="Another12345")
    assert payload["errors"] == []
    watched.wait_for_health("HEALTHY", None, 10)
    assert watched.row("reader_credential")["administrator_refusals"] == 0


def test_one_who_is_no_administrator_any_more_is_refused_too(
    probing_server: RunningServer, harbor: HarborDouble
) -> None:
    watched = integrate_harbor(probing_server, harbor)
    with harbor.paused() as state:
        state.users["admin"].is_administrator = False
    watched.check_reader_now()
    assert watched.row("reader_credential")["administrator_refusals"] == 1
    assert is_about(pause_until_next_check(watched), AGAIN_AFTER_REFUSALS[0])


def test_hammering_with_wrong_passwords_changes_nothing(probing_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(probing_server, harbor)
    watched.wait_until_followed()
    reader = next(iter(readers(harbor)))
    harbor.hold_wrong_passwords(0.3)
    is_over = threading.Event()

    def hammer() -> None:
        while not is_over.is_set():
            answer_of(_wrong_login(harbor))

    hammers = [threading.Thread(target=hammer) for _ in range(2)]
    for thread in hammers:
        thread.start()
    try:
        # Locked from here on: the right password fails as well.
        eventually(lambda: harbor.calls.count(credential="refused admin") >= 4)
        watched.check_reader_now()
        assert watched.row("reader_credential")["administrator_refusals"] == 1
        with_password = [call for call in harbor.calls.all if _is_ours(call.headers) and "admin" in call.credential]
        for _ in range(2):
            watched.wait_for_probe()
        assert (watched.health(), watched.health_events()) == (("HEALTHY", None), [])
        # No further call of ours with the password, however often it was probed and read meanwhile.
        now = [call for call in harbor.calls.all if _is_ours(call.headers) and "admin" in call.credential]
        assert now == with_password
        assert harbor.calls.count(credential=f"robot {reader}") > 0
    finally:
        is_over.set()
        for thread in hammers:
            thread.join()


def _wrong_login(harbor: HarborDouble) -> urllib.request.Request:
    token = base64.b64encode(b"admin:wrong").decode()
    headers = {"Authorization": f"Basic {token}", "User-Agent": "hammer"}
    return urllib.request.Request(f"{harbor.url}/api/v2.0/users/current", headers=headers)  # noqa: S310


def _is_ours(headers: Mapping[str, str]) -> bool:
    return headers["User-Agent"] != "hammer"


def test_at_rest_nothing_is_asked_with_the_password(probing_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(probing_server, harbor)
    watched.wait_until_followed()
    harbor.calls.reset()
    for _ in range(2):
        watched.wait_for_probe()
    assert watched.synchronize()["errors"] == []
    assert harbor.calls.count(credential="user") == 0
