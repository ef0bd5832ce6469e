"""`python -m benchmarks`: what the speed claims rest on, as one table."""

from __future__ import annotations

import argparse
import asyncio
import logging
import platform
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from benchmarks import (
    dashboard,
    dead_registries,
    failing_keys,
    harbor_watching,
    new_documents,
    paging,
    probing,
    pull_access,
    registry_watching,
    searching,
    small_queries,
    small_queries_over_http,
    subscribers,
    usage_history,
)
from benchmarks.report import Finding, printed

BENCHMARKS: dict[str, Callable[[], Coroutine[Any, Any, list[Finding]]]] = {
    "dashboard": dashboard.run,
    "small-queries": small_queries.run,
    "small-queries-over-http": small_queries_over_http.run,
    "new-documents": new_documents.run,
    "failing-keys": failing_keys.run,
    "dead-registries": dead_registries.run,
    "subscribers": subscribers.run,
    "paging": paging.run,
    "pull-access": pull_access.run,
    "searching": searching.run,
    "probing": probing.run,
    "harbor-watching": harbor_watching.run,
    "registry-watching": registry_watching.run,
    "usage-history": usage_history.run,
}


def main() -> None:
    """Run all benchmarks, or one, and print what they found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=list(BENCHMARKS), help="run this one alone")
    only = parser.parse_args().only
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    findings: list[Finding] = []
    for name, run in BENCHMARKS.items():
        if only in (None, name):
            findings += asyncio.run(run())
    print(
        f"Python {platform.python_version()}; SQLite where no database is named; each line measured against the other"
        " in one run.\n"
    )
    print(printed(findings))


if __name__ == "__main__":
    main()
