"""Who loses access to what, before something is taken away: computed in the transaction that takes it.

Access is lost by image prefix. What still gives it, another way, is named: then nothing is lost there after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from models.database import Transaction
from models.enums import RegistryKind, SpaceState, Visibility
from models.integration import PLATFORM_SCOPE
from models.queries.workspaces import NAMESPACES
from models.reading import Statement
from models.records import NamespaceRecord
from services.image_names import DEFAULT_SPACE

MOST_LISTED = 1000
"""More are counted, and not listed: a public space of a large platform is lost to everybody."""

Conditions = Callable[[Statement], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Loss:
    """A namespace that can no longer pull images whose names begin with a prefix, unless something keeps its access."""

    namespace: NamespaceRecord
    image_prefix: str
    keeps_access_by_id: int | None = None
    """The binding that still gives it."""

    keeps_access_as_public: bool = False


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost: how much in all, and the first of it by prefix, cluster and name."""

    count: int
    listed: tuple[Loss, ...]


NOTHING = Losses(0, ())


async def losses_of_bindings(transaction: Transaction, where: Conditions) -> Losses:
    """Return what is lost with bindings (`b`, of spaces `s`, to the workspaces of namespaces `n`) that meet conditions.

    Those of public spaces are listed as kept: who is bound may pull from them anyway.
    """
    source = (
        f' FROM "binding" b JOIN "space" s ON s."id" = b."space_id"{_PREFIXES_OF_SPACES}'
        ' JOIN "namespace" n ON n."workspace_id" = b."workspace_id"'
    )
    return await _losses(
        transaction, source, lambda statement: ['b."revoked_at" IS NULL', *where(statement)], stays_public=True
    )


async def losses_of_namespaces(transaction: Transaction, ids: Sequence[int]) -> Losses:
    """Return what namespaces lose that are taken from their workspaces.

    What a workspace brought is public to its own namespaces alone, so that goes too; the rest that is public stays.
    """

    def bound(statement: Statement) -> Sequence[str]:
        own = f'i."workspace_id" IS NOT NULL AND s."visibility" = {statement.bind(Visibility.PUBLIC)}'
        return [statement.is_one_of('n."id"', ids), f"NOT ({own})"]

    def own_public(statement: Statement) -> Sequence[str]:
        return [statement.is_one_of('n."id"', ids), f's."visibility" = {statement.bind(Visibility.PUBLIC)}']

    by_bindings = await losses_of_bindings(transaction, bound)
    source = f' FROM "space" s{_PREFIXES_OF_SPACES} JOIN "namespace" n ON n."workspace_id" = i."workspace_id"'
    brought = await _losses(transaction, source, own_public, stays_public=False)
    return Losses(by_bindings.count + brought.count, _first((*by_bindings.listed, *brought.listed)))


async def losses_of_spaces(transaction: Transaction, where: Conditions, *, bindings_stay: bool) -> Losses:
    """Return what is lost with spaces (`s`) that meet conditions: public ones to all, private ones to the bound.

    With `bindings_stay` they are closed only: then private ones lose nothing, and a binding keeps who is bound.
    """
    public = await _losses_of_public_spaces(transaction, where, bindings_stay=bindings_stay)
    if bindings_stay:
        return public
    private = await losses_of_bindings(
        transaction,
        lambda statement: [*where(statement), f's."visibility" = {statement.bind(Visibility.PRIVATE)}'],
    )
    return Losses(public.count + private.count, _first((*public.listed, *private.listed)))


async def _losses(transaction: Transaction, source: str, where: Conditions, *, stays_public: bool) -> Losses:
    """Return what is lost, a row of the source for each: a namespace `n`, a space `s` and one of its prefixes."""
    statement = Statement(transaction.dialect)
    source = f"{source} WHERE {' AND '.join([*_reached(statement), *where(statement)])}"
    counted = await transaction.fetch(f"SELECT COUNT(*) AS count{source}", *statement.values)
    rows = await transaction.fetch(
        f'SELECT {NAMESPACES.select_list}, {_PREFIX} AS image_prefix, s."visibility"{source}'
        f' ORDER BY image_prefix, n."cluster", n."name" LIMIT {MOST_LISTED}',
        *statement.values,
    )
    losses = tuple(
        Loss(
            namespace,
            row["image_prefix"],
            keeps_access_as_public=stays_public and row["visibility"] == Visibility.PUBLIC,
        )
        for row, namespace in zip(rows, NAMESPACES.read(transaction.dialect, rows), strict=True)
    )
    return Losses(int(counted[0]["count"]), losses)


async def _losses_of_public_spaces(transaction: Transaction, where: Conditions, *, bindings_stay: bool) -> Losses:
    source = f' FROM "space" s{_PREFIXES_OF_SPACES}'

    def conditions(statement: Statement) -> list[str]:
        public = f's."visibility" = {statement.bind(Visibility.PUBLIC)}'
        return [public, *_reached(statement), *where(statement)]

    statement = Statement(transaction.dialect)
    scopes = await transaction.fetch(
        f'SELECT i."workspace_id", COUNT(*) AS prefix_count{source} WHERE {" AND ".join(conditions(statement))}'
        ' GROUP BY i."workspace_id"',
        *statement.values,
    )
    count, losses = 0, []
    for scope in scopes:
        workspace_id = scope["workspace_id"]
        namespaces = await _namespaces(transaction, workspace_id)
        count += int(scope["prefix_count"]) * namespaces.count
        if not namespaces.count:
            continue
        statement = Statement(transaction.dialect)
        whose = "IS NULL" if workspace_id is None else f"= {statement.bind(workspace_id)}"
        # The first of all are pairs of the first spaces and the first namespaces.
        spaces = await transaction.fetch(
            f'SELECT s."id", {_PREFIX} AS image_prefix{source} WHERE i."workspace_id" {whose}'
            f" AND {' AND '.join(conditions(statement))} ORDER BY image_prefix LIMIT {MOST_LISTED}",
            *statement.values,
        )
        kept = await _keeping(transaction, [row["id"] for row in spaces], namespaces.first) if bindings_stay else {}
        losses += [
            Loss(namespace, space["image_prefix"], keeps_access_by_id=kept.get((space["id"], namespace.workspace_id)))
            for space, namespace in islice(product(spaces, namespaces.first), MOST_LISTED)
        ]
    return Losses(count, _first(losses))


@dataclass(frozen=True, slots=True)
class _Namespaces:
    count: int
    first: list[NamespaceRecord]


async def _namespaces(transaction: Transaction, workspace_id: int | None) -> _Namespaces:
    """Return the namespaces of a workspace, None: of all, in order and as many as can be listed."""
    statement = Statement(transaction.dialect)
    source = ' FROM "namespace" n'
    if workspace_id is not None:
        source += f' WHERE n."workspace_id" = {statement.bind(workspace_id)}'
    counted = await transaction.fetch(f"SELECT COUNT(*) AS count{source}", *statement.values)
    rows = await transaction.fetch(
        f'SELECT {NAMESPACES.select_list}{source} ORDER BY n."cluster", n."name" LIMIT {MOST_LISTED}',
        *statement.values,
    )
    return _Namespaces(int(counted[0]["count"]), NAMESPACES.read(transaction.dialect, rows))


async def _keeping(
    transaction: Transaction, space_ids: Sequence[int], namespaces: Sequence[NamespaceRecord]
) -> dict[tuple[int, int], int]:
    """Return the bindings that go on giving access, by space and workspace."""
    statement = Statement(transaction.dialect)
    spaces = statement.is_one_of('"space_id"', sorted(set(space_ids)))
    workspaces = statement.is_one_of('"workspace_id"', sorted({namespace.workspace_id for namespace in namespaces}))
    rows = await transaction.fetch(
        'SELECT "id", "space_id", "workspace_id" FROM "binding"'
        f' WHERE "revoked_at" IS NULL AND {spaces} AND {workspaces}',
        *statement.values,
    )
    return {(row["space_id"], row["workspace_id"]): row["id"] for row in rows}


_PREFIXES_OF_SPACES = (
    ' JOIN "integration" i ON i."id" = s."integration_id" JOIN "image_host" h ON h."integration_id" = i."id"'
    " JOIN (SELECT 0 AS is_short UNION ALL SELECT 1) x ON x.is_short = 0"
    f""" OR i."kind" = '{RegistryKind.DOCKER_REGISTRY.value}' AND s."name" = '{DEFAULT_SPACE}'"""
)
_PREFIX = """h."host" || '/' || CASE WHEN x.is_short = 1 THEN '' ELSE s."name" || '/' END"""
"""A row for each of the prefixes that `image_prefixes` returns, at each of the registry's image hosts."""


def _reached(statement: Statement) -> Sequence[str]:
    """Return which spaces can be pulled from at all: those that stand, by hosts that lead to their registry.

    Where the platform has a host, it leads nobody to what a workspace brought.
    """
    return [
        f's."state" <> {statement.bind(SpaceState.VANISHED)}',
        f'(h."scope" = {PLATFORM_SCOPE} OR NOT EXISTS (SELECT 1 FROM "image_host" ph'
        f' WHERE ph."host" = h."host" AND ph."scope" = {PLATFORM_SCOPE}))',
    ]


def _first(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    def place(loss: Loss) -> tuple[str, str, str]:
        return loss.image_prefix, loss.namespace.cluster, loss.namespace.name

    return tuple(sorted(losses, key=place)[:MOST_LISTED])
