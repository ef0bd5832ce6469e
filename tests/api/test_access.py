"""Who gets in at all; who may use what is in `test_matrix`."""

from __future__ import annotations

import pytest

from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface
from tests.serving import RunningServer


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer irat_unknown", "Basic YTpi", "Bearer ir\xe9"])
def test_without_a_good_token_nothing_is_read(
    surface: Surface, registry: FakeRegistry, authorization: str | None
) -> None:
    stored, audited = surface.stored(), surface.audit()
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})

    # Not even JSON: who asks comes first.
    answer = surface.server.request("POST", "/graphql", b"{", headers)

    assert answer.status == 401
    assert [error["extensions"]["code"] for error in answer.json["errors"]] == ["UNAUTHENTICATED"]
    assert (surface.stored(), surface.audit(), registry.requests) == (stored, audited, [])


def test_an_expired_or_revoked_token_is_none(quiet_server: RunningServer, surface: Surface) -> None:
    token = surface.new_token("WORKSPACE_MEMBER")
    assert surface.server.graphql("{ viewer { role } }", token=token) == {"viewer": {"role": "WORKSPACE_MEMBER"}}
    (newest,) = surface.server.graphql("{ accessTokens(first: 1) { nodes { id } } }")["accessTokens"]["nodes"]
    assert surface.errors_of("revokeAccessToken", {"id": newest["id"]}) == []

    answer = quiet_server.request(
        "POST", "/graphql", b'{"query": "{ viewer { role } }"}',
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip

    assert answer.status == 401
