"""The one-time code of the printed link, exchanged for a token."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from services.access_tokens import AccessTokens, TokenRejected
from tests.serving import HttpAnswer, RunningServer

JSON = {"Content-Type": "application/json"}


def redeem(server: RunningServer, code: object) -> HttpAnswer:
    return server.request("POST", "/sign-in", json.dumps({"code": code}).encode(), JSON)


def token_count(server: RunningServer) -> int:
    return int(server.run(server.services.database.fetch('SELECT count(*) FROM "access_token"'))[0][0])


def test_a_code_becomes_a_token_of_twelve_hours_once(server: RunningServer) -> None:
    code = server.sign_in_code()
    before = datetime.now(UTC)
    answer = redeem(server, code)
    assert answer.status == 200
    assert answer.json.keys() == {"token", "expiresAt"}
    expires_at = datetime.fromisoformat(answer.json["expiresAt"])
    assert timedelta(0) <= expires_at - before - timedelta(hours=12) < timedelta(minutes=1)
    assert server.graphql("{ viewer { name role } }", token=answer.json["token"]) == {
        "viewer": {"name": "sign-in link", "role": "PLATFORM_ADMIN"}
    }
    again = redeem(server, code)
    assert again.status == 401
    assert again.json["error"]["code"] == "UNAUTHENTICATED"
    # The administrator's of first start, and this one.
    assert token_count(server) == 2


def test_a_code_is_good_for_ten_minutes(running_server: RunningServer) -> None:
    now = datetime.now(UTC)
    tokens = AccessTokens(running_server.services.database, lambda: now)

    async def redeem_after(age: timedelta) -> str:
        nonlocal now
        code = tokens.new_sign_in_code()
        now += age
        record, _ = await tokens.redeem_sign_in_code(code)
        return record.name

    assert running_server.run(redeem_after(timedelta(minutes=9, seconds=59))) == "sign-in link"
    before = token_count(running_server)
    with pytest.raises(TokenRejected, match="older than ten minutes"):
        running_server.run(redeem_after(timedelta(minutes=10)))
    assert token_count(running_server) == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"code": "wrong"}', JSON, 401),
        (b'{"code": ""}', JSON, 401),
        (b'{"code": "\xc3\xbc"}', JSON, 401),
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"null", JSON, 400),
        (b"[]", JSON, 400),
        (b'"text"', JSON, 400),
        (b"{}", JSON, 400),
        (b'{"code": null}', JSON, 400),
        (b'{"code": 5}', JSON, 400),
        (b'{"code": ["x"]}', JSON, 400),
        (b'{"code": "\xff"}', JSON, 400),
        (b'{"code": "\\ud800"}', JSON, 400),
        (b'{"code": "' + b"x" * 1000 + b'"}', JSON, 400),
        (b"[" * 900, JSON, 400),
        (b'{"code": "wrong"}', {"Content-Type": "text/plain"}, 415),
        (b"code=wrong", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_what_is_no_code_is_refused_and_a_good_one_stays_good(
    running_server: RunningServer, body: bytes, headers: dict[str, str], status: int
) -> None:
    code = running_server.sign_in_code()
    before = token_count(running_server)
    answer = running_server.request("POST", "/sign-in", body, headers)
    assert answer.status == status
    assert answer.json["error"]["message"]
    assert answer.headers["cache-control"] == "no-store"
    assert token_count(running_server) == before
    assert redeem(running_server, code).status == 200


def test_a_code_is_no_access_token_and_the_reverse(running_server: RunningServer) -> None:
    code = running_server.sign_in_code()
    body = json.dumps({"query": "{ viewer { name } }"}).encode()
    assert running_server.request("POST", "/graphql", body, {**JSON, "Authorization": f"Bearer {code}"}).status == 401
    assert redeem(running_server, running_server.admin_token).status == 401
    assert running_server.request("GET", "/sign-in").status == 405
