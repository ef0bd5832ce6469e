"""What mutations answer: the thing, and what is to be put right. Here what all have in common, and access tokens."""

from __future__ import annotations

import strawberry

from schema.access_token import AccessToken
from schema.user_error import UserError


@strawberry.interface(description="What every mutation answers.")
class Payload:
    """The errors beside the thing."""

    errors: list[UserError] = strawberry.field(
        default_factory=list, description="What is to be put right; empty when it was done."
    )


@strawberry.type(description="What createAccessToken answers.")
class CreateAccessTokenPayload(Payload):
    """createAccessToken."""

    access_token: AccessToken | None = strawberry.field(default=None, description="What is known of the token.")
    token: str | None = strawberry.field(
        default=None, description="The token itself. It is shown here and never again."
    )


@strawberry.type(description="What revokeAccessToken answers.")
class RevokeAccessTokenPayload(Payload):
    """revokeAccessToken."""

    access_token: AccessToken | None = strawberry.field(default=None, description="The token, as it is now.")
