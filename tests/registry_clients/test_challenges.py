"""The header WWW-Authenticate, as registries and proxies write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.docker_registry.challenges import Challenge, parse_challenges
from tests.recordings.recording import recorded_response


@pytest.mark.parametrize("version", ["distribution-2.8.2", "distribution-3.1.2"])
def test_recorded_challenges(version: str) -> None:
    catalogue = recorded_response(f"{version}/token_challenges", "GET /v2/_catalog without a token")
    assert parse_challenges(catalogue.headers.getall("WWW-Authenticate")) == (
        Challenge(
            "bearer",
            {
                "realm": "https://auth.registry.test/token",
                "service": "registry.test",
                "scope": "registry:catalog:*",
            },
        ),
    )
    basic = recorded_response(f"{version}/htpasswd", "/v2/ without credentials")
    assert parse_challenges(basic.headers.getall("WWW-Authenticate")) == (Challenge("basic", {"realm": "basic-realm"}),)


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ("BASIC REALM=bare", [("basic", {"realm": "bare"})]),
        (
            'Bearer realm="https://a/t", service="s",scope="repository:team/app:pull,push"',
            [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:team/app:pull,push"})],
        ),
        (r'Basic realm="say \"hi\", \\ you"', [("basic", {"realm": r'say "hi", \ you'})]),
        (
            'Basic realm="one", Bearer realm="two",service=three',
            [("basic", {"realm": "one"}), ("bearer", {"realm": "two", "service": "three"})],
        ),
        ('Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Negotiate YWJj==, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        (', ,Basic realm = "x" ,', [("basic", {"realm": "x"})]),
        ('Basic realm="never closed', [("basic", {})]),
        ('Basic realm="", charset="UTF-8"', [("basic", {"realm": "", "charset": "UTF-8"})]),
    ],
)
def test_written_challenges(header: str, challenges: list[tuple[str, dict[str, str]]]) -> None:
    assert [(found.scheme, found.parameters) for found in parse_challenges([header])] == challenges


def test_several_headers_follow_each_other() -> None:
    assert [found.scheme for found in parse_challenges(["Basic", "Bearer"])] == ["basic", "bearer"]


@given(st.text(alphabet='Basicer ="\\,\t;1', max_size=200))
def test_any_header_is_read_to_an_end(header: str) -> None:
    parse_challenges([header])
