"""Images are found by their names, over HTTP: which, in which order, and what can be typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.database import Transaction
from models.enums import Visibility
from models.space import Repository
from services.clock import utc_now
from tests.api.images import SEARCH, found, push
from tests.api.tenants import Tenants, key_of, tenants_of
from tests.serving import RunningServer


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    """A server's tenants, gone at the end."""
    with tenants_of(quiet_server) as tenants:
        yield tenants


def test_the_best_come_first(tenants: Tenants) -> None:
    space = tenants.space(tenants.registry("h.example"), "shop", Visibility.PUBLIC)
    names = [
        "shop/my-web",
        "shop/cobweb",
        "web/x",
        "shop/webhook",
        "shop/web",
        "shop/web-app",
        "shop/web/api",
        "shop/a.webb",
        "webs/webs",
        "web-shop/x",
        "shop/a_web/b",
        "other/thing",
    ]
    push(tenants, space, names)

    assert found(tenants, "web") == [
        f"h.example/{name}"
        for name in [
            # Their last segments begin with it: that which it is, then by what follows.
            *("shop/web", "shop/web-app", "shop/webhook", "webs/webs"),
            # Their names begin with it.
            *("web-shop/x", "web/x"),
            # One of their words does, as they came.
            *("shop/my-web", "shop/web/api", "shop/a.webb", "shop/a_web/b"),
            # They hold it.
            "shop/cobweb",
        ]
    ]
    # Under three letters: not what only holds it.
    assert found(tenants, "eb") == []
    assert found(tenants, "we")[0] == "h.example/shop/web"
    assert found(tenants, "ob") == []
    assert found(tenants, "obw") == ["h.example/shop/cobweb"]
    assert found(tenants, "w") == found(tenants, "we")
    assert len(found(tenants, "w")) == 10
    # Whole names, parts over a slash, and case.
    assert found(tenants, "shop/web") == [f"h.example/shop/{name}" for name in ("web", "web-app", "web/api", "webhook")]
    assert found(tenants, " SHOP/Web/ ") == ["h.example/shop/web/api"]
    assert found(tenants, "op/we") == [f"h.example/shop/{name}" for name in ("webhook", "web", "web-app", "web/api")]


def test_what_is_copied_from_elsewhere(tenants: Tenants) -> None:
    first, second = tenants.registry("one.example:5000", "alias.example"), tenants.registry("two.example")
    for registry in (first, second):
        push(tenants, tenants.space(registry, "team", Visibility.PUBLIC), ["team/app", "team/app-2", "team/team-app"])
    everywhere = [f"{host}/team/{name}" for name in ("app", "app-2") for host in ("one.example:5000", "two.example")]

    for text in ("team/app", "team/app:1.0", f"team/app@sha256:{'0f' * 32}", "/team/app", "TEAM/APP:Latest"):
        assert found(tenants, text) == everywhere
    for host in ("one.example:5000", "alias.example", "ALIAS.example:443"):
        for rest in ("team/app", "team/app:1.0", f"team/app:1@sha256:{'0f' * 32}"):
            assert found(tenants, f"{host}/{rest}") == everywhere[::2]
        # It is the name that begins so: what is typed behind a host is no other part of it.
        assert found(tenants, f"{host}/app") == []
        assert len(found(tenants, f"{host}/")) == 3
    assert found(tenants, "two.example/team/app") == everywhere[1::2]
    assert found(tenants, "three.example/team/app") == []


def test_the_total_is_told_up_to_a_thousand(tenants: Tenants) -> None:
    space = tenants.space(tenants.registry("h.example"), "team", Visibility.PUBLIC)
    push(tenants, space, [f"team/app-{number:04}" for number in range(1000)])
    count = '{ images(query: "app", first: 1) { totalCount nodes { image } } }'

    def total() -> int | None:
        images = tenants.server.graphql(count)["images"]
        assert images["nodes"] == [{"image": "h.example/team/app-0000"}]
        number: int | None = images["totalCount"]
        return number

    assert total() == 1000
    push(tenants, space, ["other/app"])
    assert tenants.server.graphql(count)["images"] == {
        "totalCount": None,
        "nodes": [{"image": "h.example/other/app"}],
    }


@pytest.mark.parametrize(
    "text",
    [
        *('"', '""', "*", "app*", "app%", "a%p", "app OR web", "app AND", "NOT app", "NEAR(a b)", "{app}", "^app"),
        *("^^app", "app'", "app' OR '1'='1", "app;--", "\\", "app\\", "$1", "?1", ":app", "äpp", "ａｐｐ", "\u202eapp"),
        *("a\tb", "/", "//", "@", ":", "a" * 200, "-" * 200),
    ],
)
def test_what_means_something_elsewhere_means_nothing_here(tenants: Tenants, text: str) -> None:
    space = tenants.space(tenants.registry("h.example"), "team", Visibility.PUBLIC)
    push(tenants, space, ["team/app", "team/web"])

    assert found(tenants, text) == []


@pytest.mark.parametrize("text", ["_", "a_", "a_p", "__", ".", "-", "a-p", "%_"])
def test_a_sign_stands_for_itself(tenants: Tenants, text: str) -> None:
    space = tenants.space(tenants.registry("h.example"), "team", Visibility.PUBLIC)
    names = ["team/a_p", "team/a__p", "team/a-p", "team/a.p", "team/axp"]
    push(tenants, space, names)

    # Of one or two characters, only what stands at the beginning of a word is found.
    expected = {"_": ["a__p"], "a_": ["a__p", "a_p"], "a_p": ["a_p"], "a-p": ["a-p"]}
    assert found(tenants, text) == [f"h.example/team/{name}" for name in expected.get(text, [])]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"text": ""}, "BAD_USER_INPUT"),
        ({"text": " \t\n "}, "BAD_USER_INPUT"),
        ({"text": "a" * 201}, "BAD_USER_INPUT"),
        ({"text": "a\x00b"}, "BAD_USER_INPUT"),
        ({"text": "a", "first": 0}, "BAD_USER_INPUT"),
        ({"text": "a", "first": 101}, "BAD_USER_INPUT"),
        ({"text": "a", "namespace": {"name": "n" * 254}}, "BAD_USER_INPUT"),
        ({"text": "a", "namespace": {"cluster": "c" * 254, "name": "n"}}, "BAD_USER_INPUT"),
        ({"text": "a", "after": "nothing"}, "INVALID_CURSOR"),
        ({"text": "a", "after": "WyJpbWFnZSsiLCI0IiwxXQ"}, "INVALID_CURSOR"),
        ({"text": "a", "after": "WyJpbWFnZSsiLCIyeCIsMV0"}, "INVALID_CURSOR"),
        ({"text": "a", "after": "WyJpbWFnZSsiLDIsMV0"}, "INVALID_CURSOR"),
        ({"text": "a", "after": "WyJpbWFnZSsiLCIwYSIsImIiXQ"}, "INVALID_CURSOR"),
    ],
)
def test_what_cannot_be_taken_is_said(tenants: Tenants, given: dict[str, Any], code: str) -> None:
    result = tenants.server.post(SEARCH, given)

    [error] = result["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["images"], code)
    assert error["message"].endswith(".")
    assert result["data"] is None


def test_a_text_as_long_as_may_be_is_taken_with_blanks_around_it(tenants: Tenants) -> None:
    assert found(tenants, f"  {'a' * 200}  ") == []


def test_a_cursor_of_another_list_or_another_search(tenants: Tenants) -> None:
    space = tenants.space(tenants.registry("h.example"), "team", Visibility.PUBLIC)
    push(tenants, space, ["team/app", "team/web", "team/apple"])
    other = tenants.server.graphql("{ spaces(first: 1) { edges { cursor } } }")["spaces"]["edges"][0]["cursor"]
    assert tenants.server.post(SEARCH, {"text": "a", "after": other})["errors"][0]["extensions"]["code"] == (
        "INVALID_CURSOR"
    )
    [cursor, _] = [edge["cursor"] for edge in tenants.server.graphql(SEARCH, {"text": "app"})["images"]["edges"]]

    def behind(text: str) -> list[str]:
        page = tenants.server.graphql(SEARCH, {"text": text, "after": cursor})["images"]
        return [node["image"] for node in page["nodes"]]

    # It is a place in an order that all searches share.
    assert behind("app") == ["h.example/team/apple"]
    assert behind("web") == ["h.example/team/web"]
    assert behind("a") == ["h.example/team/apple"]


def test_a_repository_is_whole(tenants: Tenants) -> None:
    space = tenants.space(tenants.registry("h.example"), "team")

    async def work(_: Transaction) -> None:
        await Repository.create(
            space_id=key_of(space), name="team/app", artifact_count=3, pull_count=2**40, created_at=utc_now()
        )

    tenants.server.run(tenants.database.transact(work))
    fields = "id name image artifactCount pullCount updatedAt createdAt space { id name integration { imageHost } }"
    [image] = tenants.server.graphql(f'{{ images(query: "app") {{ nodes {{ image repository {{ {fields} }} }} }} }}')[
        "images"
    ]["nodes"]
    node = f"query ($id: ID!) {{ node(id: $id) {{ ... on Repository {{ {fields} }} }} }}"

    assert image["image"] == image["repository"]["image"] == "h.example/team/app"
    assert (image["repository"]["pullCount"], image["repository"]["space"]["id"]) == (2**40, space)
    assert tenants.server.graphql(node, {"id": image["repository"]["id"]})["node"] == image["repository"]
