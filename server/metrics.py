"""What is counted, as Prometheus reads it.

Every label has few values, known beforehand: a name from outside (of a registry, an operation, a path) never
becomes one, so that nobody can fill the memory of who counts, and `/metrics` tells nobody's business.
"""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from models.enums import HealthReason, HealthStatus
from registry_clients.kind import RegistryKind

PREFIX = "integrated_registry_"

_REGISTRY_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class NotificationOutcome(StrEnum):
    """What became of a notification of a registry."""

    TAKEN = "TAKEN"
    IGNORED = "IGNORED"
    REJECTED = "REJECTED"
    INVALID = "INVALID"
    FAILED = "FAILED"


class Metrics:
    """The counters of this process, in a registry of their own; observes the services (`Observer`)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = self._histogram(
            "http_request_seconds", "HTTP requests, by method, path and status.", "method", "path", "status"
        )
        self.sockets_open = self._gauge("websockets_open", "WebSockets that are open.")
        self.unauthenticated = self._counter(
            "unauthenticated_requests", "Requests without a credential, or with a wrong one."
        )
        self.operations = self._histogram(
            "graphql_operation_seconds",
            "GraphQL operations, by type and outcome; a subscription's time is that until its end.",
            "type",
            "outcome",
        )
        self.subscriptions_open = self._gauge("graphql_subscriptions_open", "Subscriptions that are open.")
        self.subscription_answers = self._counter("graphql_subscription_answers", "Answers sent to subscriptions.")
        self.registry_calls = self._histogram(
            "registry_call_seconds",
            "Calls to registries, by kind and outcome: a class of status, or why there was no answer.",
            "kind",
            "outcome",
            buckets=_REGISTRY_SECONDS,
        )
        self.probes = self._histogram(
            "probe_seconds",
            "Probes of registries, by what they found: OK or a reason.",
            "outcome",
            buckets=_REGISTRY_SECONDS,
        )
        self.work_failures = self._counter(
            "background_failures", "Background work that failed unforeseen; the log has each.", "work"
        )
        self.notifications = self._counter(
            "notifications",
            "Notifications of registries: TAKEN, IGNORED for telling of nothing that matters here, REJECTED for a"
            " wrong secret, INVALID, or FAILED and to come again.",
            "outcome",
        )
        self.integrations = self._gauge("integrations", "Integrations, by health.", "health")
        self.events_unread = self._gauge(
            "events_unread", "Events that were written and not read by this process yet: how far it lags behind."
        )
        for status in HealthStatus:
            self.integrations.labels(status.value)
        for outcome in NotificationOutcome:
            self.notifications.labels(outcome.value)

    def registry_called(self, kind: RegistryKind, outcome: str, seconds: float) -> None:
        """Count a call to a registry."""
        self.registry_calls.labels(kind.value, outcome).observe(seconds)

    def probed(self, reason: HealthReason | None, seconds: float) -> None:
        """Count a probe."""
        self.probes.labels("OK" if reason is None else reason.value).observe(seconds)

    def work_failed(self, work: str) -> None:
        """Count a failure of background work."""
        self.work_failures.labels(work).inc()

    def notified(self, outcome: NotificationOutcome) -> None:
        """Count a notification of a registry."""
        self.notifications.labels(outcome.value).inc()

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, *labels: str, buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS
    ) -> Histogram:
        return Histogram(PREFIX + name, what + " In seconds.", labels, registry=self.registry, buckets=buckets)
