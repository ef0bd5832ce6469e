"""A person who opened the printed link, with nothing but plain HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.e2e.terminal import Terminal

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Where the server is, and a token that the link was exchanged for."""

    url: str
    token: str

    def graphql(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Send an operation that must succeed and return its data."""
        status, result = post(
            f"{self.url}/graphql",
            {"query": query, "variables": variables or {}},
            {"Authorization": f"Bearer {self.token}"},
        )
        assert status == 200, result
        assert "errors" not in result, result
        return result["data"]


def sign_in(terminal: Terminal) -> SignedIn:
    """Exchange the code of the link on the screen, as the console does."""
    url, code = link_on(terminal)
    status, answer = post(f"{url}/sign-in", {"code": code})
    assert status == 200, answer
    return SignedIn(url, answer["token"])


def link_on(terminal: Terminal) -> tuple[str, str]:
    """Return the server's address and the one-time code in the link on the screen."""
    link = terminal.wait_for(r"Sign in: (http://127\.0\.0\.1:\d+)/#code=(\S+)\n")
    return link[1], link[2]


def post(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Send JSON and return the status and the decoded answer."""
    request = urllib.request.Request(  # noqa: S310 - http, as the pattern of the link says
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
