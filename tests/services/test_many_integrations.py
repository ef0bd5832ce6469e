"""Hundreds of integrations, many of them dead: the living ones notice nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.seeding import seed_integrations
from tests.servers.fake_registries import FakeRegistries, black_hole, refused_port
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

_OVERVIEW = """
query ($statuses: [HealthStatus!]) {
  integrations(first: 100, filter: { healthStatuses: $statuses }) {
    totalCount
    nodes { name health { status reason } }
  }
}"""


@pytest.mark.usefixtures("short_deadlines")
def test_a_hundred_of_which_one_in_five_is_dead(tmp_path: Path, fakes: FakeRegistries) -> None:
    live_among_dead(tmp_path, fakes, count=100, interval_seconds=2, intervals=3, settling_seconds=15)


@pytest.mark.soak
def test_a_thousand_of_which_one_in_five_is_dead(tmp_path: Path, fakes: FakeRegistries) -> None:
    live_among_dead(tmp_path, fakes, count=1000, interval_seconds=15, intervals=8, settling_seconds=90)


def live_among_dead(
    folder: Path, fakes: FakeRegistries, *, count: int, interval_seconds: float, intervals: int, settling_seconds: float
) -> None:
    """One in ten accepts and never answers, one in ten refuses; the others are probed in each interval."""
    with (
        black_hole() as hole,
        refused_port() as refused,
        running_server(folder / "data", probe_interval_seconds=interval_seconds) as server,
    ):
        living = [f"r{number}" for number in range(count) if number % 10 not in (0, 1)]
        urls = [
            (f"{hole}/r{number}", f"{refused}/r{number}", *[fakes.url(f"r{number}")] * 8)[number % 10]
            for number in range(count)
        ]
        server.run(seed_integrations(server.services.database, urls))

        # From the first moment on, with all of them unseen: the first turn of the living waits for no deadline.
        eventually(lambda: all(fakes.pings[name] for name in living), deadline_seconds=interval_seconds + 2)
        eventually(lambda: total(server, "UNHEALTHY") == 2 * (count // 10), settling_seconds)
        assert total(server, "HEALTHY") == len(living)

        before, began = dict(fakes.pings), time.monotonic()
        eventually(
            lambda: time.monotonic() - began >= intervals * interval_seconds,
            deadline_seconds=intervals * interval_seconds + 5,
        )
        probed = {fakes.pings[name] - before[name] for name in living}
        assert probed <= {intervals - 1, intervals, intervals + 1}
        assert total(server, "UNKNOWN") == 0
        dead = server.graphql(_OVERVIEW, {"statuses": ["UNHEALTHY"]})["integrations"]["nodes"]
        reasons = {(int(node["name"][-1]), node["health"]["reason"]) for node in dead}
        assert reasons == {(0, "TIMED_OUT"), (1, "CONNECTION_REFUSED")}


def total(server: RunningServer, status: str) -> int:
    """Return how many integrations have that health."""
    return int(server.graphql(_OVERVIEW, {"statuses": [status]})["integrations"]["totalCount"])
