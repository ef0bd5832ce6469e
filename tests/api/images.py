"""Searching for images, as tests ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import Transaction
from services.clock import utc_now
from tests.api.tenants import Tenants, key_of

SEARCH = """
query ($text: String!, $namespace: NamespaceRef, $first: Int, $after: Cursor) {
  images(query: $text, namespace: $namespace, first: $first, after: $after) {
    totalCount nodes { image } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


def push(tenants: Tenants, space: str, names: Sequence[str]) -> None:
    """Store repositories of a space."""

    async def work(transaction: Transaction) -> None:
        now = utc_now()
        place = transaction.dialect.placeholder
        await transaction.execute_many(
            f'INSERT INTO "repository" ("space_id", "name", "created_at") VALUES ({place(1)}, {place(2)}, {place(3)})',
            [(key_of(space), name, now) for name in names],
        )

    tenants.server.run(tenants.database.transact(work))


def found(tenants: Tenants, text: str, token: str | None = None, **given: object) -> list[str]:
    """Return the images on the first page of a search, which must be the whole, in their order."""
    page = tenants.server.graphql(SEARCH, {"text": text, "first": 100, **given}, token)["images"]
    images = [node["image"] for node in page["nodes"]]
    assert page["totalCount"] == len(images) == len(page["edges"])
    assert page["pageInfo"]["hasNextPage"] is False
    return images
