"""The messages of graphql-transport-ws, parsed at the edge, and its close codes.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import orjson

from server.graphql.requests import GraphQLRequest, InvalidRequest, parse_json, parse_parameters

SUBPROTOCOL = "graphql-transport-ws"


class CloseCode(IntEnum):
    """Why a socket is closed: the codes of the protocol, and one of RFC 6455's registry."""

    TRY_AGAIN_LATER = 1013
    """The client took nothing for too long. Public clients connect again."""
    INVALID_MESSAGE = 4400
    UNAUTHORIZED = 4401
    """An operation before the acknowledgement."""
    FORBIDDEN = 4403
    """No credential, a wrong one, or one that has ended."""
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY = 4429
    """A second `connection_init`; also a viewer's connection too many, for which the protocol has no code of
    its own: public clients don't connect again by themselves after this one."""
    INTERNAL_ERROR = 4500


class CloseSocket(Exception):
    """The socket must be closed, with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # A close frame has room for 123 bytes of reason (RFC 6455, 5.5), cut between characters.
        self.reason = reason.encode()[:123].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The client's first message; its payload carries the credential."""

    payload: dict[str, Any] = field(repr=False)

    @property
    def authorization(self) -> str | None:
        """The Authorization of the payload, whatever the case of its key."""
        for key, value in self.payload.items():
            if key.lower() == "authorization" and isinstance(value, str):
                return value
        return None


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a Pong."""

    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a Ping, or comes unasked; nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Begins an operation of any type."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """The client has no more interest in an operation."""

    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def parse_message(text: str | None) -> ClientMessage:
    """Return what a client sent; None stands for a binary message. Raises CloseSocket for what is none."""
    if text is None:
        raise _invalid("Binary messages are not part of the protocol.")
    try:
        message = parse_json(text)
        if not isinstance(message, dict):
            raise _invalid("A message must be a JSON object.")
        return _parse(message)
    except InvalidRequest as error:
        raise _invalid(error.message) from None


def _parse(message: dict[str, Any]) -> ClientMessage:
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_payload(message) or {})
        case "ping":
            return Ping(_payload(message))
        case "pong":
            _payload(message)
            return Pong()
        case "subscribe":
            payload = message.get("payload")
            if not isinstance(payload, dict):
                raise _invalid("'subscribe' needs a payload, an object.")
            return Subscribe(_id(message), parse_parameters(payload))
        case "complete":
            return Complete(_id(message))
        case _:
            raise _invalid("A message needs a 'type' that a client may send.")


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _invalid("'payload' must be an object.")
    return payload


def _id(message: dict[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not operation_id:
        raise _invalid("'id' must be a string that isn't empty.")
    return operation_id


def _invalid(reason: str) -> CloseSocket:
    return CloseSocket(CloseCode.INVALID_MESSAGE, f"Invalid message: {reason}")


ServerMessageType = Literal["connection_ack", "pong", "next", "error", "complete"]


def server_message(type_: ServerMessageType, operation_id: str | None = None, payload: object = None) -> str:
    """Return a message to the client; a payload of bytes is JSON already."""
    message: dict[str, object] = {"type": type_}
    if operation_id is not None:
        message["id"] = operation_id
    if payload is not None:
        message["payload"] = orjson.Fragment(payload) if isinstance(payload, bytes) else payload
    return orjson.dumps(message).decode()


def next_message_around(operation_id: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind the payload of an operation's `next`, which is JSON."""
    return b'{"type":"next","id":' + orjson.dumps(operation_id) + b',"payload":', b"}"
