"""Registry tokens: JWTs that say which repositories their holder may pull or push."""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The registry takes a token for a minute past its end.
LEEWAY_SECONDS = 60


@dataclass(frozen=True)
class TokenGrant:
    """What a good token gives: actions by repository."""

    subject: str
    actions: dict[str, tuple[str, ...]]

    def allows(self, project: str, action: str) -> bool:
        """Tell whether it reaches a project: a token for one repository reaches all of its project."""
        return any(name.partition("/")[0] == project and action in actions for name, actions in self.actions.items())


class TokenIssuer:
    """Makes tokens and takes them back. They are remembered, not signed: only this Harbor reads them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[float, TokenGrant]] = {}

    def issue(self, subject: str, access: list[dict[str, Any]] | None, life_seconds: int) -> str:
        """Return a new token; an empty subject is nobody."""
        now = int(self._clock().timestamp())
        claims: dict[str, Any] = {"iss": "harbor-token-issuer"}
        if subject:
            claims["sub"] = subject
        claims |= {
            "aud": "harbor-registry",
            "exp": now + life_seconds,
            "nbf": now,
            "iat": now,
            "jti": secrets.token_urlsafe(12),
            "access": access,
        }
        header = {"alg": "RS256", "kid": "DOUB:LE00", "typ": "JWT"}
        token = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        token = f"{token}.{_encoded(secrets.token_bytes(32))}"
        grant = TokenGrant(
            subject, {one["name"]: tuple(one["actions"]) for one in access or [] if one["type"] == "repository"}
        )
        self._issued[token] = (now + life_seconds + LEEWAY_SECONDS, grant)
        return token

    def grant_of(self, token: str) -> TokenGrant | None:
        """Return what a token gives, None when it is none of ours or too old."""
        ends_at, grant = self._issued.get(token, (0.0, None))
        return grant if self._clock().timestamp() < ends_at else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
