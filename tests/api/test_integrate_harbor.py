"""integrateRegistry and checkRegistry with a Harbor: what is taken, and what is refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.fake_registry import FakeRegistry
from tests.api.harbors import harbor_input, integrate_harbor
from tests.api.surface import Surface
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble, running_harbor

WHOLE = """
integration {
  kind url imageHost labels username version spaceCount
  routineCredential { kind username reason }
  health { status reason }
  spaces { nodes {
    name visibility isVisibilityEnforced state imagePrefixes
    repositories { nodes { name image artifactCount pullCount } }
  } }
}
"""
CHECK = "check { kind version isCredentialVerified spaceCount } errors { message }"
VERSION = "v2.16.0"


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with a project and an image."""
    with running_harbor() as running:
        running.create_project("team")
        running.push("team/app", "1.0")
        yield running


def robot_ids(harbor: HarborDouble) -> list[int]:
    return sorted(robot.id for robot in harbor.robots().values())


def refused(surface: Surface, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the errors of both mutations, which must be the same, and leave nothing behind here."""
    stored = surface.stored()
    audited = len(surface.audit())
    integrating = surface.mutate("integrateRegistry", {**given, "name": surface.new_name()}, "errors { message }")
    checking = surface.mutate("checkRegistry", given, CHECK)
    assert integrating["errors"] == checking["errors"]
    assert checking["check"] is None
    assert surface.stored() == stored
    assert [(row["mutation"], row["outcome"]) for row in surface.audit()[audited:]] == [
        ("integrateRegistry", "REFUSED"),
        ("checkRegistry", "REFUSED"),
    ]
    errors: list[dict[str, Any]] = integrating["errors"]
    return errors


def test_a_harbor_is_integrated_with_its_projects(harbor: HarborDouble, surface: Surface) -> None:
    harbor.create_project("open", is_public=True)
    events, audited, robots = surface.events(), surface.audit(), robot_ids(harbor)
    given = harbor_input(harbor, name=surface.new_name())

    payload = surface.mutate("integrateRegistry", given, WHOLE)

    (reader,) = [name for name, robot in harbor.robots().items() if robot.id not in robots]
    host = f"127.0.0.1:{harbor.port}"
    standing = {"isVisibilityEnforced": True, "state": "PRESENT"}
    app = {"name": "team/app", "image": f"{host}/team/app", "artifactCount": 1, "pullCount": 0}
    assert payload["errors"] == []
    assert payload["integration"] == {
        "kind": "HARBOR",
        "url": harbor.url,
        "imageHost": host,
        "labels": ["INTEGRATED", "HEALTHY"],
        "username": "admin",
        "version": VERSION,
        "spaceCount": 3,
        "routineCredential": {"kind": "READER_ROBOT", "username": reader, "reason": None},
        "health": {"status": "HEALTHY", "reason": None},
        "spaces": {
            "nodes": [
                # Each Harbor has it from the beginning.
                {
                    "name": "library",
                    "visibility": "PUBLIC",
                    "imagePrefixes": [f"{host}/library/"],
                    "repositories": {"nodes": []},
                    **standing,
                },
                {
                    "name": "open",
                    "visibility": "PUBLIC",
                    "imagePrefixes": [f"{host}/open/"],
                    "repositories": {"nodes": []},
                    **standing,
                },
                {
                    "name": "team",
                    "visibility": "PRIVATE",
                    "imagePrefixes": [f"{host}/team/"],
                    "repositories": {"nodes": [app]},
                    **standing,
                },
            ]
        },
    }
    assert [(type_, data.get("space_name")) for type_, data in surface.events()[len(events) :]] == [
        ("INTEGRATION_ADDED", None),
        ("SPACE_ADDED", "library"),
        ("SPACE_ADDED", "open"),
        ("SPACE_ADDED", "team"),
    ]
    (row,) = surface.audit()[len(audited) :]
    assert (row["mutation"], row["outcome"], row["input"]["password"]) == ("integrateRegistry", "SUCCEEDED", "•••")


def test_the_reader_goes_with_the_integration(harbor: HarborDouble, surface: Surface) -> None:
    harbor.create_robot("theirs", {"team": "repository:pull"})
    robots = robot_ids(harbor)
    key = integrate_harbor(surface, harbor)
    assert len(robot_ids(harbor)) == len(robots) + 1

    assert surface.errors_of("removeIntegration", {"id": key}) == []

    assert robot_ids(harbor) == robots
    assert surface.rows('SELECT 1 FROM "reader_credential"') == surface.rows('SELECT 1 FROM "repository"') == []


@pytest.mark.parametrize("prefix", ["", "/registry/harbor"])
@pytest.mark.parametrize("kind", ["HARBOR", None])
def test_a_check_knows_a_harbor_and_leaves_nothing_there(surface: Surface, prefix: str, kind: str | None) -> None:
    with running_harbor(path_prefix=prefix) as harbor:
        stored, robots = surface.stored(), robot_ids(harbor)

        assert surface.mutate("checkRegistry", harbor_input(harbor, kind=kind), CHECK) == {
            "errors": [],
            "check": {"kind": "HARBOR", "version": VERSION, "isCredentialVerified": True, "spaceCount": 1},
        }

        assert (surface.stored(), robot_ids(harbor)) == (stored, robots)
        assert {call.method for call in harbor.calls.all} == {"GET"}


def test_a_harbor_behind_a_path_is_integrated(surface: Surface) -> None:
    with running_harbor(path_prefix="/registry/harbor") as harbor:
        harbor.create_project("team")
        key = integrate_harbor(surface, harbor)
        query = "query ($id: ID!) { integration(id: $id) { imageHost spaces { nodes { imagePrefixes } } } }"

        host = f"127.0.0.1:{harbor.port}"
        assert surface.server.graphql(query, {"id": key})["integration"] == {
            "imageHost": host,
            "spaces": {"nodes": [{"imagePrefixes": [f"{host}/library/"]}, {"imagePrefixes": [f"{host}/team/"]}]},
        }
        surface.errors_of("removeIntegration", {"id": key})


def robot(harbor: HarborDouble) -> dict[str, Any]:
    name, secret = harbor.create_robot("builder", {"/": "project:list", "team": "repository:pull"})
    return {"username": name, "password": secret}


def normal_user(harbor: HarborDouble) -> dict[str, Any]:
    harbor.add_user("jo", "Somebody1")
    harbor.add_member("team", "jo")
    return {"username": "jo", "password": "Somebody1"}


def wrong_password(harbor: HarborDouble) -> dict[str, Any]:
    return {"password": "Wrong12345"}


def web_page(harbor: HarborDouble) -> dict[str, Any]:
    harbor.lie(Lie.HTML_IN_FRONT)
    return {}


def proxy_alone(harbor: HarborDouble) -> dict[str, Any]:
    harbor.lie(Lie.EMPTY_BAD_GATEWAY)
    return {}


@pytest.mark.parametrize(
    ("given", "reason", "http_status", "said"),
    [
        (wrong_password, "UNAUTHORIZED", 401, "password"),
        (normal_user, "NOT_AN_ADMINISTRATOR", 200, "Set as Admin"),
        (robot, "NOT_AN_ADMINISTRATOR", 412, "robot account"),
        (web_page, "UNEXPECTED_ANSWER", None, "There is no Harbor"),
        (proxy_alone, "COMPONENT_UNHEALTHY", 502, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_harbor_is_not_integrated_with(
    harbor: HarborDouble,
    surface: Surface,
    given: Callable[[HarborDouble], dict[str, Any]],
    reason: str,
    http_status: int | None,
    said: str,
) -> None:
    what = harbor_input(harbor, **given(harbor))
    robots = robot_ids(harbor)

    (error,) = refused(surface, what)

    message = error.pop("message")
    assert error == {
        "__typename": "RegistryRefused",
        "code": "REGISTRY_REFUSED",
        "path": ["input", "url"],
        "reason": reason,
        "httpStatus": http_status,
    }
    assert said in message
    assert what["password"] not in message
    assert robot_ids(harbor) == robots
    assert {call.method for call in harbor.calls.all} == {"GET"}


def test_a_harbor_given_as_docker_registry_is_told_from_it(harbor: HarborDouble, surface: Surface) -> None:
    (error,) = refused(surface, harbor_input(harbor, kind="DOCKER_REGISTRY"))

    assert (error["code"], error["reason"], error["path"]) == ("REGISTRY_REFUSED", "OTHER_KIND", ["input", "url"])
    assert "is a Harbor, not a Docker Registry" in error["message"]
    # The administrator's credential did not leave.
    assert {call.credential for call in harbor.calls.all} == {"anonymous"}


def test_a_docker_registry_given_as_harbor_is_told_from_it(surface: Surface, guarded_registry: FakeRegistry) -> None:
    what = {"kind": "HARBOR", "url": guarded_registry.url, "username": "robot", "password": "right"}

    (error,) = refused(surface, what)

    assert (error["code"], error["reason"], error["path"]) == ("REGISTRY_REFUSED", "OTHER_KIND", ["input", "url"])
    assert "is a Docker Registry, not a Harbor" in error["message"]
    assert guarded_registry.authorizations == []


def test_a_harbor_needs_a_credential(harbor: HarborDouble, surface: Surface) -> None:
    (error,) = refused(surface, {"kind": "HARBOR", "url": harbor.url})

    assert error == {
        "__typename": "InvalidInput",
        "code": "INVALID_INPUT",
        "path": ["input", "username"],
        "message": "Harbor needs a username and a password.",
    }
    assert harbor.calls.all == []


def test_a_harbor_that_was_recognised_needs_a_credential(harbor: HarborDouble, surface: Surface) -> None:
    payload = surface.mutate("checkRegistry", {"url": harbor.url}, CHECK)

    assert payload["check"] is None
    assert payload["errors"] == [
        {
            "__typename": "InvalidInput",
            "code": "INVALID_INPUT",
            "path": ["input", "username"],
            "message": "Harbor needs a username and a password.",
        }
    ]
    assert {call.credential for call in harbor.calls.all} == {"anonymous"}


def test_what_is_no_registry_is_not_recognised(harbor: HarborDouble, surface: Surface) -> None:
    harbor.lie(Lie.HTML_IN_FRONT)

    payload = surface.mutate("checkRegistry", harbor_input(harbor, kind=None), CHECK)

    assert payload["check"] is None
    assert [(error["code"], error["reason"]) for error in payload["errors"]] == [("REGISTRY_REFUSED", "OTHER_KIND")]
    assert {call.credential for call in harbor.calls.all} == {"anonymous"}
