"""What one client may ask for: the numbers, and the error that names the one passed."""

from dataclasses import dataclass

from graphql import GraphQLError

from server.graphql.document_shape import DocumentShape


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the GraphQL endpoint. All are inclusive: the number itself is still allowed."""

    max_tokens: int = 2_000
    """Lexical tokens of a document, comments apart."""
    max_comments: int = 200
    """Comments of a document: the parser keeps them all."""
    max_depth: int = 20
    """Nested fields. GraphiQL's introspection needs 15."""
    max_selections: int = 5_000
    """Fields and fragment spreads, a fragment's counted again wherever it is spread."""
    max_root_fields: int = 50
    """Fields of one operation's root: what a batch in one document is."""
    max_aliases: int = 100
    """Aliased fields, counted as selections are."""
    max_directives: int = 100
    """Directives as written."""
    max_same_name_pairs: int = 40_000
    """The sum over the field names of a document of the square of how often each is written: what the
    validation rule OverlappingFieldsCanBeMerged works through. 200 times one name reaches it."""
    max_list_cost: int = 100_000
    """Items that all lists of an operation could hold: see `DocumentShape.list_cost`."""

    operation_timeout_seconds: float = 30.0
    """For a query, a mutation, the start of a subscription, and each of its events."""
    init_timeout_seconds: float = 5.0
    """From the opening of a WebSocket to its acknowledged `connection_init`."""
    body_timeout_seconds: float = 30.0
    """For a client to send the body of its HTTP request."""
    send_timeout_seconds: float = 60.0
    """For a client to take one message; a stuck one is let go."""
    keep_alive_seconds: float = 12.0
    """Between the comments that keep a Server-Sent Events stream open."""

    max_body_bytes: int = 1024 * 1024
    max_websocket_message_bytes: int = 256 * 1024
    """Also to be given to the ASGI server as its `ws_max_size`, which refuses longer ones unread."""
    max_connections_per_viewer: int = 50
    """WebSockets and Server-Sent Events streams together."""
    max_operations_per_connection: int = 100
    """Operations under way on one WebSocket."""

    max_cached_documents: int = 1_000
    max_cached_document_bytes: int = 256 * 1024
    """UTF-8 bytes of the cached documents' texts; their trees take some 200 times as much."""

    max_kept_answers_bytes: int = 64 * 1024 * 1024
    """Answers that are given again while nothing has changed."""
    max_kept_answer_bytes: int = 4 * 1024 * 1024
    """One of them."""


def limit_exceeded(limit: str, what: str, allowed: int, found: int | None = None) -> GraphQLError:
    """Return the error of a passed limit; `what` says what is counted, `limit` is the machine's word for it.

    `found` is None where counting stopped at the limit.
    """
    number = "" if found is None else f", this one has {found:,}"
    extensions: dict[str, str | int] = {"code": "LIMIT_EXCEEDED", "limit": limit, "allowed": allowed}
    if found is not None:
        extensions["found"] = found
    return GraphQLError(f"An operation may have at most {allowed:,} {what}{number}.", extensions=extensions)


def check_shape(shape: DocumentShape, limits: Limits) -> list[GraphQLError]:
    """Return an error for each limit that the document passes, whatever the values of its variables."""
    checks = (
        ("depth", "levels of nested fields", limits.max_depth, shape.depth),
        ("selections", "fields and fragment spreads", limits.max_selections, shape.selections),
        ("rootFields", "fields at its root", limits.max_root_fields, shape.root_fields),
        ("aliases", "aliases", limits.max_aliases, shape.aliases),
        ("directives", "directives", limits.max_directives, shape.directives),
        (
            "sameNamePairs",
            "pairs of fields of the same name",
            limits.max_same_name_pairs,
            shape.same_name_pairs,
        ),
    )
    return [limit_exceeded(limit, what, allowed, found) for limit, what, allowed, found in checks if found > allowed]


def check_list_cost(list_cost: int, limits: Limits) -> list[GraphQLError]:
    """Return the error of an operation whose lists could hold too many items, if they could."""
    if list_cost <= limits.max_list_cost:
        return []
    return [limit_exceeded("listCost", "items in all its lists together", limits.max_list_cost, list_cost)]
