"""Spaces out of a Docker Registry's catalogue: all of them, or an error."""

import asyncio
import json
from collections.abc import Callable

import pytest

from registry_clients.docker_registry.catalogue import spaces_of
from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.errors import (
    UnexpectedAnswer,
)
from registry_clients.records import FoundRepository, FoundSpace
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import (
    BOTH,
    client_over,
    failure_of,
    open_registry,
)
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response


@pytest.mark.parametrize(("version", "number"), [("distribution-2.8.2", 135), ("distribution-3.1.2", 134)])
def test_the_whole_catalogue_in_one_page(version: str, number: int) -> None:
    transport = by_path(open_registry(version))
    spaces = asyncio.run(client_over(transport).list_spaces())
    assert transport.asked == ["GET /v2/_catalog?n=1000"]
    assert sum(len(space.repository_names) for space in spaces) == number
    named = {space.name: space.repository_names for space in spaces}
    assert named["team"] == ("team/app", "team/app/sub")
    assert set(named["library"]) >= {"team", "zebra"}


@BOTH
def test_a_lower_limit_of_the_page_is_lived_with(version: str) -> None:
    name = f"{version}/catalog_limit"
    transport = by_path(
        {
            "/v2/_catalog?n=1000": recorded_response(name, "catalogue ?n=1000"),
            "/v2/_catalog": recorded_response(name, "catalogue "),
            "/v2/_catalog?last=bulk/r019": response(200, b'{"repositories":["bulk/r020","z"]}'),
        }
    )
    spaces = asyncio.run(client_over(transport).list_spaces())
    assert transport.asked == [
        "GET /v2/_catalog?n=1000",
        "GET /v2/_catalog",
        "GET /v2/_catalog?last=bulk/r019",
    ]
    bulk = tuple(f"bulk/r{number:03}" for number in range(21))
    assert spaces == (
        FoundSpace("bulk", "bulk", None, bulk),
        FoundSpace("library", "library", None, ("z",)),
    )


def page(names: list[str], link: str | None = None) -> RegistryResponse:
    headers = {} if link is None else {"Link": link}
    return response(200, json.dumps({"repositories": names}).encode(), **headers)


@pytest.mark.parametrize(
    "link",
    [
        '</v2/_catalog?last=b%2Fx&n=1000>; rel="next"',
        "<https://inside.test:1/other/v2/_catalog?n=2&last=b%2Fx>;rel=next",
        '<?last=b/x>; title="more"; rel="next"',
    ],
)
def test_only_last_is_taken_out_of_a_link(link: str) -> None:
    transport = by_path(
        {
            "/v2/_catalog?n=1000": page(["a/x", "b/x"], link),
            "/v2/_catalog?n=1000&last=b/x": page(["b/x", "c/x"]),
        }
    )
    spaces = asyncio.run(client_over(transport).list_spaces())
    assert [space.name for space in spaces] == ["a", "b", "c"]
    assert [request.url.host for request in transport.requests] == ["registry.test"] * 2


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (lambda _: page(["a/x"], '<?last=a%2Fx>; rel="next"'), "in a circle"),
        (
            lambda request: page(
                ["a/x"],
                f'<?last={"b" if request.url.query.get("last") == "a" else "a"}>; rel="next"',
            ),
            "in a circle",
        ),
        (lambda _: page(["a/x"], '<?n=5>; rel="next"'), "in a way that can't be followed"),
        (
            lambda request: page(["a/x"], f'<?last={request.url.query.get("last", "")}a>; rel="next"'),
            "without an end",
        ),
    ],
)
def test_a_catalogue_without_an_end(
    pages: Callable[[RegistryRequest], RegistryResponse], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.catalogue.MAX_CATALOGUE_PAGES", 20)
    error = failure_of(DockerRegistryClient.list_spaces, client_over(ScriptedTransport(pages)))
    assert type(error) is UnexpectedAnswer
    assert message in error.message


def test_too_many_repositories_are_an_error_not_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.catalogue.MAX_REPOSITORIES", 2)
    transport = by_path({"/v2/_catalog?n=1000": page(["a/x", "b/x", "c/x"])})
    assert type(failure_of(DockerRegistryClient.list_spaces, client_over(transport))) is UnexpectedAnswer


def test_names_that_can_not_be_pulled_are_passed_over() -> None:
    names = [
        "good/one",
        "Bad/Name",
        "",
        "a//b",
        "/a",
        "a/",
        "../etc",
        "a b",
        "a___b",
        "a__b",
        "x" * 256,
        "x" * 255,
    ]
    transport = by_path({"/v2/_catalog?n=1000": page(names)})
    spaces = asyncio.run(client_over(transport).list_spaces())
    assert [name for space in spaces for name in space.repository_names] == ["good/one", "a__b", "x" * 255]


def test_bare_names_and_the_space_library_are_held_apart() -> None:
    assert spaces_of({"web", "library/web", "team", "team/app"}) == (
        FoundSpace("library", "library", None, ("library/web", "team", "web")),
        FoundSpace("team", "team", None, ("team/app",)),
    )


def test_contents_come_from_one_walk_of_the_catalogue() -> None:
    transport = by_path({"/v2/_catalog?n=1000": page(["web", "team/b", "team/a"])})
    contents = asyncio.run(client_over(transport).list_contents())
    assert transport.asked == ["GET /v2/_catalog?n=1000"]
    assert [space.name for space in contents.spaces] == ["library", "team"]
    assert contents.repositories == (
        FoundRepository("team/a", "team", None, None, None),
        FoundRepository("team/b", "team", None, None, None),
        FoundRepository("web", "library", None, None, None),
    )


def test_repositories_of_one_space() -> None:
    transport = by_path({"/v2/_catalog?n=1000": page(["web", "team/b", "library/web"])})
    client = client_over(transport)
    library = FoundSpace("library", "library", None)
    named = [found.name for found in asyncio.run(client.list_repositories(library))]
    assert named == ["library/web", "web"]
    assert [found.name for found in asyncio.run(client.list_repositories())] == ["library/web", "team/b", "web"]
