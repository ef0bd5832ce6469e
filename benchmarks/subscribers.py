"""One event to thousands of WebSockets, against an ASGI application that does nothing but send them the same bytes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.raw_subscribers import RawSubscribers, Subscription, raw_subscribers
from benchmarks.report import Finding, milliseconds
from benchmarks.servers_apart import ServerApart, bare_sender_apart, product_apart

VIEWERS = 100
SOCKETS_EACH = 50
"""As many as one viewer may have."""

WARM_UP_EVENTS = 3
EVENTS = 20
DEAF_PERCENT = 10
FILLING_EVENTS = 10
FILLING_CHARACTERS = 100_000
"""Enough that the buffers of those that don't read are full, and what is sent to them has to wait."""

QUERY = "subscription { events { type occurredAt ... on IntegrationUpdated { integrationName } } }"
SUBSCRIBING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fanout:
    """What a run found. Times are from the beginning of the event's transaction until the last one has the message."""

    subscribers: int
    seconds: list[float]
    bare_seconds: list[float]
    """Of the bare sender, which took turns with us."""
    seconds_with_deaf: list[float]
    """With some that don't read, until the last of the others has it."""
    bytes_each: float
    bare_bytes_each: float
    owed_answers: int
    """What those that don't read hadn't been sent in the end: they were waited for, and nobody else."""

    @property
    def ratios(self) -> list[float]:
        """Our time by that of the bare sender, of each turn, in order."""
        return sorted(ours / bare for ours, bare in zip(self.seconds, self.bare_seconds, strict=True))


async def run() -> list[Finding]:
    """Return how long it takes until the last of them has it, and what each costs."""
    found = await asyncio.to_thread(fan_out, VIEWERS, SOCKETS_EACH, EVENTS)
    ours, bare, with_deaf = (
        statistics.median(each) for each in (found.seconds, found.bare_seconds, found.seconds_with_deaf)
    )
    ratios = found.ratios
    return [
        Finding(
            f"An event to {found.subscribers:,} WebSockets, until the last has it (ratio: {ratios[0]:.2f} to"
            f" {ratios[-1]:.2f})",
            milliseconds(ours),
            "a bare ASGI sender of the same bytes",
            milliseconds(bare),
            statistics.median(ratios),
        ),
        Finding(
            f"The same, while {DEAF_PERCENT} % of them don't read",
            milliseconds(with_deaf),
            "all reading",
            milliseconds(ours),
            with_deaf / ours,
        ),
        Finding(
            "Memory for each of them",
            f"{found.bytes_each / 1000:.1f} kB",
            "the bare sender",
            f"{found.bare_bytes_each / 1000:.1f} kB",
            found.bytes_each / found.bare_bytes_each,
        ),
    ]


def fan_out(viewers: int, sockets_each: int, events: int) -> Fanout:
    """Subscribe them all at a server and at a bare sender, send each event to both in turn, and measure."""
    count = viewers * sockets_each
    deaf = count * DEAF_PERCENT // 100
    with ExitStack() as resources:
        product = resources.enter_context(product_apart(viewers))
        bare = resources.enter_context(bare_sender_apart())
        tokens = [token for token in product.tokens for _ in range(sockets_each)]
        with (
            _subscribed(bare, Subscription(bare.port, tokens, QUERY)) as (bare_listeners, bare_bytes),
            _subscribed(product, Subscription(product.port, tokens, QUERY)) as (listeners, product_bytes),
        ):
            seconds, bare_seconds = [], []
            for _ in range(WARM_UP_EVENTS + events):
                seconds.append(_delivery_seconds(product, listeners))
                bare_seconds.append(_delivery_seconds(bare, bare_listeners))
        _wait_for_subscriptions(product, 0)
        before = product.usage().answers
        with _subscribed(product, Subscription(product.port, tokens, QUERY, deaf)) as (listeners, _):
            for _ in range(FILLING_EVENTS):
                _delivery_seconds(product, listeners, FILLING_CHARACTERS)
            with_deaf = [_delivery_seconds(product, listeners) for _ in range(WARM_UP_EVENTS + events)]
            answers = product.usage().answers - before
    return Fanout(
        count,
        seconds[WARM_UP_EVENTS:],
        bare_seconds[WARM_UP_EVENTS:],
        with_deaf[WARM_UP_EVENTS:],
        product_bytes / count,
        bare_bytes / count,
        count * (FILLING_EVENTS + WARM_UP_EVENTS + events) - answers,
    )


@contextmanager
def _subscribed(server: ServerApart, subscription: Subscription) -> Iterator[tuple[RawSubscribers, int]]:
    """Yield the clients once all are subscribed, and the memory that they take at the server, in bytes."""
    before = server.usage()
    with raw_subscribers(subscription) as subscribers:
        subscribers.wait_until_subscribed()
        _wait_for_subscriptions(server, len(subscription.tokens))
        yield subscribers, server.usage().resident_bytes - before.resident_bytes


def _wait_for_subscriptions(server: ServerApart, count: int) -> None:
    give_up_at = time.perf_counter() + SUBSCRIBING_SECONDS
    while server.usage().subscriptions != count:
        assert time.perf_counter() < give_up_at, f"there are not {count} subscriptions"
        time.sleep(0.05)


def _delivery_seconds(server: ServerApart, subscribers: RawSubscribers, size_characters: int = 16) -> float:
    subscribers.expect()
    began_at = server.tell(size_characters)
    return subscribers.last_had_it_at() - began_at
