"""The tags of a repository, as both versions of a Docker Registry list them."""

import asyncio
import json
from collections.abc import Callable

import pytest

from registry_clients.errors import ComponentUnhealthy, RegistryError, StorageUnreadable, UnexpectedAnswer
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import BOTH, HOST, client_over, failure_of
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response

LIST = "/v2/team/app/tags/list"


def tags_at(answers: dict[str, RegistryResponse | Exception], name: str = "team/app") -> tuple[str, ...] | None:
    return asyncio.run(client_over(by_path(answers)).list_tags(name))


def page(tags: list[str] | None, link: str | None = None) -> RegistryResponse:
    headers = {} if link is None else {"Link": link}
    return response(200, json.dumps({"name": "team/app", "tags": tags}).encode(), **headers)


@BOTH
def test_all_tags_are_sorted_and_come_in_one_call(version: str) -> None:
    four = recorded_response(f"{version}/tags", "four tags: the order")
    assert tags_at({"/v2/team-a/app/web/tags/list": four}, "team-a/app/web") == ("latest", "v1.10", "v1.9", "v2.0")
    transport = by_path({"/v2/many/tags/tags/list": recorded_response(f"{version}/tags", "130 tags")})
    many = asyncio.run(client_over(transport).list_tags("many/tags"))
    assert many == tuple(f"t{number:03}" for number in range(130))
    assert transport.asked == ["GET /v2/many/tags/tags/list"]


@BOTH
@pytest.mark.parametrize(
    "what",
    [
        "a repository that was never there",
        "a folder that is only part of names",
        "a repository with manifests pushed by digest only",
        "a repository with a blob and nothing else",
    ],
)
def test_no_repository_is_none(version: str, what: str) -> None:
    assert tags_at({LIST: recorded_response(f"{version}/tags", what)}) is None


@BOTH
def test_a_repository_whose_tags_are_gone_has_none(version: str) -> None:
    assert tags_at({LIST: recorded_response(f"{version}/delete", "no tags left")}) == ()


@pytest.mark.parametrize(
    "link",
    [
        '</v2/team/app/tags/list?last=b&n=2>; rel="next"',
        '<https://elsewhere.test/v2/other/tags/list?last=b>; rel="next"',
    ],
)
def test_pages_are_followed_at_the_same_place(link: str) -> None:
    transport = by_path({LIST: page(["b", "a"], link), f"{LIST}?last=b": page(["c"])})
    assert asyncio.run(client_over(transport).list_tags("team/app")) == ("a", "b", "c")
    assert transport.asked == [f"GET {LIST}", f"GET {LIST}?last=b"]
    assert {request.url.host for request in transport.requests} == {"registry.test"}


def test_a_repository_that_goes_between_two_pages_is_none() -> None:
    gone = recorded_response("distribution-3.1.2/tags", "a repository that was never there")
    assert tags_at({LIST: page(["a"], '<?last=a>; rel="next"'), f"{LIST}?last=a": gone}) is None


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (lambda _: page(["a"], '<?last=a>; rel="next"'), "in a circle"),
        (
            lambda asked: page(["a"], f'<?last={"b" if asked.url.query.get("last") == "a" else "a"}>; rel="next"'),
            "in a circle",
        ),
        (lambda _: page(["a"], '<?n=5>; rel="next"'), "in a way that can't be followed"),
        (lambda asked: page(["a"], f'<?last={asked.url.query.get("last", "")}a>; rel="next"'), "without an end"),
    ],
)
def test_a_list_without_an_end(
    pages: Callable[[RegistryRequest], RegistryResponse], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.tags.MAX_TAG_PAGES", 20)
    error = failure_of(lambda client: client.list_tags("team/app"), client_over(ScriptedTransport(pages)))
    assert type(error) is UnexpectedAnswer
    assert message in error.message


def test_too_many_tags_are_an_error_not_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.tags.MAX_TAGS", 2)
    client = client_over(by_path({LIST: page(["a", "b", "c"])}))
    assert type(failure_of(lambda client: client.list_tags("team/app"), client)) is UnexpectedAnswer


def test_what_can_be_no_tag_is_passed_over() -> None:
    names = ["1.0", "_x", "A-b.c_d", "x" * 128, "x" * 129, "", ".a", "-a", "a/b", "a:b", "ä", "a b", "1.0"]
    assert tags_at({LIST: page(names)}) == tuple(sorted(["1.0", "_x", "A-b.c_d", "x" * 128]))


@pytest.mark.parametrize("name", ["", "Team/app", "team//app", "../app", "team/app/", "team/app?x", "x" * 256])
def test_what_can_be_no_repository_is_not_asked_for(name: str) -> None:
    assert tags_at({}, name) is None


@pytest.mark.parametrize("name", ["web", "a__b/c--d/e.f", "0/1_2", "x" * 255])
def test_every_name_that_the_grammar_allows(name: str) -> None:
    assert tags_at({f"/v2/{name}/tags/list": page(["1"])}, name) == ("1",)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (response(404, b"<html>not found</html>", Content_Type="text/html"), UnexpectedAnswer, "answers 404 as no"),
        (response(404, b"404 page not found\n"), UnexpectedAnswer, "answers 404 as no registry does"),
        (response(404), UnexpectedAnswer, "answers 404 as no registry does"),
        (response(200, b"<html>"), UnexpectedAnswer, "answers with a web page"),
        (response(200, b"{}"), UnexpectedAnswer, "a list of tags that no registry sends"),
        (response(200, b'{"tags":"a"}'), UnexpectedAnswer, "a list of tags that no registry sends"),
        (response(200, b'{"tags":[1]}'), UnexpectedAnswer, "a list of tags that no registry sends"),
        (response(500, b'{"errors":[{"code":"UNKNOWN","message":"m"}]}'), StorageUnreadable, "can't read its storage"),
        (response(502), ComponentUnhealthy, "answers 502"),
    ],
)
def test_what_is_no_list_of_tags(answer: RegistryResponse, kind: type[RegistryError], message: str) -> None:
    error = failure_of(lambda client: client.list_tags("team/app"), client_over(by_path({LIST: answer})))
    assert type(error) is kind
    assert error.message.startswith(f"{HOST} ")
    assert message in error.message


def test_those_are_found_that_have_a_list_of_tags() -> None:
    missing = recorded_response("distribution-2.8.2/tags", "a repository that was never there")
    answers: dict[str, RegistryResponse | Exception] = {
        LIST: page(["1"]),
        "/v2/web/tags/list": page(None),
        "/v2/team/gone/tags/list": missing,
    }
    transport = by_path(answers)
    found = asyncio.run(client_over(transport).find_repositories(["web", "team/gone", "team/app", "Nonsense"]))
    assert [repository.name for repository in found.repositories] == ["team/app", "web"]
    assert [(space.name, space.repository_names) for space in found.spaces] == [
        ("library", ("web",)),
        ("team", ("team/app",)),
    ]
    assert sorted(transport.asked) == [f"GET {path}" for path in sorted(answers)]


def test_one_that_can_not_be_asked_for_hides_no_other() -> None:
    transport = by_path({LIST: page(["1"]), "/v2/web/tags/list": response(500, b"broken")})
    found = asyncio.run(client_over(transport).find_repositories(["web", "team/app"]))
    assert [repository.name for repository in found.repositories] == ["team/app"]
    with pytest.raises(RegistryError):
        asyncio.run(client_over(transport).find_repositories(["web"]))
