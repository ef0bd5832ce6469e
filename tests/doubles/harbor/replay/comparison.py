"""Whether two answers are alike: the recorded one, and the double's to the same request."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TIME = re.compile(r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UPLOAD_STATE = re.compile(r"_state=[^&]+")
_ALLOWED_METHODS = re.compile(r"\[([A-Z,]+)\]")
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")

# Of these only that they are there is compared: they are made anew for every answer.
_MADE_ANEW = frozenset({"x-request-id", "x-harbor-csrf-token", "docker-upload-uuid", "content-length"})


@dataclass(frozen=True)
class ReplayedAnswer:
    """What came back from the double."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


def differences(recorded: Mapping[str, Any], actual: ReplayedAnswer, kept: frozenset[str]) -> list[str]:
    """Return in what an answer differs from the recorded one: nothing when they are alike.

    Status, headers and bodies are compared as a whole; of times, secrets, tokens and the like only the shape.
    ``kept`` names the headers that this recording kept.
    """
    found = []
    if recorded["status"] != actual.status:
        found.append(f"status {actual.status}, recorded {recorded['status']}")
    for name in sorted(kept):
        expected, given = _header(name, recorded["headers"].get(name)), _header(name, actual.header(name))
        if expected != given:
            found.append(f"{name}: {given}, recorded {expected}")
    return found + _unlike("body", _normalised(_read(actual.body, recorded["body"])), _normalised(recorded["body"]))


def _unlike(place: str, actual: Any, recorded: Any) -> list[str]:
    if isinstance(actual, dict) and isinstance(recorded, dict):
        names = sorted(actual.keys() | recorded.keys())
        return [
            line
            for name in names
            for line in _unlike(f"{place}.{name}", actual.get(name, "<absent>"), recorded.get(name, "<absent>"))
        ]
    if isinstance(actual, list) and isinstance(recorded, list) and len(actual) == len(recorded):
        pairs = enumerate(zip(actual, recorded, strict=True))
        return [line for number, (one, other) in pairs for line in _unlike(f"{place}[{number}]", one, other)]
    return [] if actual == recorded else [f"{place}: {actual!r}, recorded {recorded!r}"]


def _header(name: str, value: str | list[str] | None) -> list[str]:
    values = [] if value is None else [value] if isinstance(value, str) else value
    if name in _MADE_ANEW:
        return ["is there"] if values else []
    if name == "set-cookie":
        return sorted(one.partition("=")[0] for one in values)
    return [_normalised_text(one) for one in values]


def _read(body: bytes, recorded: Any) -> Any:
    if not body:
        return None
    text = body.decode()
    return text if isinstance(recorded, str) else json.loads(text)


def _normalised(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        if "jwt_claims" in value:
            return _token(value["jwt_header"], value["jwt_claims"])
        return {name: _normalised(one, name) for name, one in value.items()}
    if isinstance(value, list):
        items = [_normalised(one) for one in value]
        # Harbor gives these in no order.
        return sorted(items, key=json.dumps) if key in ("permissions", "repository") else items
    if key == "secret":
        return "a secret"
    if key == "expires_at" and value > 0:
        return "a time"
    if isinstance(value, str):
        if key == "token" and _JWT.fullmatch(value):
            header, claims, _ = value.split(".")
            return _token(_decoded(header), _decoded(claims))
        return _normalised_text(value)
    return value


def _normalised_text(text: str) -> str:
    text = _TIME.sub("<time>", text)
    text = _UPLOAD_STATE.sub("_state=<state>", _UUID.sub("<uuid>", text))
    return _ALLOWED_METHODS.sub(lambda match: ",".join(sorted(match[1].split(","))), text)


def _token(header: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    varying = {"exp": "", "nbf": "", "iat": "", "jti": ""}
    return {
        "header": header | {"kid": ""},
        "claims": claims | varying,
        "life_seconds": claims["exp"] - claims["iat"],
        "waits_seconds": claims["nbf"] - claims["iat"],
    }


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded
