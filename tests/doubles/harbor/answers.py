"""Answers as Harbor writes them: bodies, content types, and its many refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.harbor.recorded import recorded_body

JSON = "application/json"
JSON_UTF8 = "application/json; charset=utf-8"
REGISTRY_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


@dataclass(frozen=True)
class Answer:
    """What goes back. Without a content type nothing says what the body is."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ("sid",)


class Refused(Exception):
    """Harbor says no; the answer says why."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.answer = Answer(
            status,
            _encoded({"errors": [{"code": code, "message": message}]}),
            JSON_UTF8,
            headers or {},
        )


def json_answer(value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return 200 with a value."""
    return Answer(200, _encoded(value), JSON, headers or {})


def registry_json(value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return 200 with a value, as the registry side writes it."""
    return Answer(200, _encoded(value), JSON_UTF8, headers or {})


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a status with nothing in it."""
    return Answer(status, headers=headers or {})


def created(location: str) -> Answer:
    """Return 201 with a Location and an empty body."""
    return empty(201, {"Location": location})


def unauthorized(message: str = "unauthorized") -> Refused:
    """Return the refusal of who has no good credential."""
    return Refused(401, "UNAUTHORIZED", message)


def forbidden(message: str = "forbidden") -> Refused:
    """Return the refusal of who may not; for the system's own things the message is the caller's name."""
    return Refused(403, "FORBIDDEN", message)


def denied(message: str) -> Refused:
    """Return a refusal by policy: read-only, quota, a robot that gives more than it has."""
    return Refused(403, "DENIED", message)


def not_found(what: str) -> Refused:
    """Return 404 for something."""
    return Refused(404, "NOT_FOUND", f"{what} not found")


def bad_request(message: str) -> Refused:
    """Return 400."""
    return Refused(400, "BAD_REQUEST", message)


def conflict(message: str) -> Refused:
    """Return 409."""
    return Refused(409, "CONFLICT", message)


def unprocessable(message: str) -> Refused:
    """Return 422, for what does not parse or validate."""
    return Refused(422, "UNPROCESSABLE_ENTITY", f"validation failure list:\n{message}")


def internal_error() -> Refused:
    """Return the masked 500."""
    return Refused(500, "UNKNOWN", "internal server error")


def bad_gateway() -> Answer:
    """Return what comes while the registry component is down: 502 and not a byte."""
    return empty(502)


def page_not_found(*, from_portal: bool) -> Answer:
    """Return the web page that stands for what is no API; the portal's own has another cookie in front."""
    cookies = ("_gorilla_csrf", "sid") if from_portal else ("sid",)
    headers = {"Vary": "Cookie", "X-Harbor-Csrf-Token": "c" * 88} if from_portal else {}
    page = recorded_body("search_and_errors", "old API path")
    return Answer(404, page.encode(), "text/html; charset=utf-8", headers, cookies)


def read_only_refusal() -> Answer:
    """Return what every write gets in read-only mode: it comes before sessions, so there is no cookie."""
    refused = denied("The system is in read only mode. Any modification is prohibited.").answer
    return Answer(refused.status, refused.body, refused.content_type, cookies=())


def csrf_refusal() -> Answer:
    """Return what a write with any session cookie gets."""
    refused = forbidden("CSRF token not found in request").answer
    return Answer(
        refused.status,
        refused.body,
        refused.content_type,
        {"X-Harbor-Csrf-Token": "c" * 88},
        cookies=("_gorilla_csrf",),
    )


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
