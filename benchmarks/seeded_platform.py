"""A platform of middling size: what the queries of several benchmarks are asked of."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.application import OpenApplication
from models.enums import HealthStatus
from tests.seeding import seed_integrations, seed_spaces
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

INTEGRATIONS = 50
SPACES_EACH = 20
BINDINGS_EACH = 2
WORKSPACES = 100


async def seed_platform(application: OpenApplication) -> None:
    """Fill an empty database: integrations, their spaces, and bindings of these to workspaces."""
    database = application.services.database
    urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
    ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
    await seed_spaces(database, {id_: [f"space-{number:03}" for number in range(SPACES_EACH)] for id_ in ids})
    workspaces = await seed_workspaces(database, WORKSPACES)
    pairs = [
        (space_id, workspaces[(BINDINGS_EACH * space_id + number) % WORKSPACES])
        for space_id in await space_ids(database)
        for number in range(BINDINGS_EACH)
    ]
    await seed_bindings(database, pairs)
