"""As many servers on one database as it takes: one on SQLite, two on PostgreSQL."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.serving import RunningServer, running_server

HOUR_SECONDS = 3600
SETTINGS: dict[str, Any] = {
    # What happens is what is asked for.
    "probe_interval_seconds": HOUR_SECONDS,
    "synchronization_interval_seconds": HOUR_SECONDS,
    "allow_loopback_workspace_registries": True,
    "encryption_keys": f"test:{base64.b64encode(bytes(32)).decode()}",
}


@contextmanager
def running_replicas(folder: Path, database_settings: dict[str, Any]) -> Iterator[list[RunningServer]]:
    """Run them as long as the block. The first has made the administrator's token, which is good at each."""
    count = 2 if database_settings else 1
    with ExitStack() as stack:
        yield [
            stack.enter_context(running_server(folder / str(number), **SETTINGS, **database_settings))
            for number in range(count)
        ]
