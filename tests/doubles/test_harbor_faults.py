"""The double away, slow, behind something, or lying."""

import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from tests.doubles.asking import api, ask
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor

FOLDER = Path(__file__).parent / "harbor"


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as started:
        yield started


def test_it_is_away_and_comes_back_on_the_same_port_with_all_that_it_knew(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    url = harbor.url
    with harbor.dead():
        with pytest.raises(ConnectionRefusedError):
            api(harbor, "/projects")
        harbor.create_project("made-meanwhile")
    assert harbor.url == url
    assert [one["name"] for one in api(harbor, "/projects").json] == ["library", "made-meanwhile", "team"]


def test_a_port_that_another_has_is_an_error(harbor: HarborDouble) -> None:
    with running_harbor() as other:
        other.stop()
        other.port, port = harbor.port, other.port
        with pytest.raises(OSError, match="in use"):
            other.start()
        other.port = port
        other.start()
        assert api(other, "/projects").status == 200


def test_two_doubles_know_nothing_of_each_other(harbor: HarborDouble) -> None:
    with running_harbor() as other:
        harbor.create_project("team")
        assert [one["name"] for one in api(other, "/projects").json] == ["library"]
        assert other.port != harbor.port
        assert other.calls.count() == 1
    assert harbor.calls.count() == 0


def test_its_challenge_names_its_own_address(harbor: HarborDouble) -> None:
    challenge = ask(harbor, "GET", "/v2/").headers["Www-Authenticate"]
    assert challenge == f'Bearer realm="{harbor.url}/service/token",service="harbor-registry"'
    assert api(harbor, "/systeminfo").json["registry_url"] == f"127.0.0.1:{harbor.port}"


def test_a_request_id_is_given_back_or_made(harbor: HarborDouble) -> None:
    given = ask(harbor, "GET", "/api/v2.0/ping", headers={"X-Request-Id": "of-mine"})
    made = {ask(harbor, "GET", "/api/v2.0/ping").headers["X-Request-Id"] for _ in range(2)}
    assert given.headers["X-Request-Id"] == "of-mine"
    assert len(made) == 2


def test_tls_is_trusted_by_its_authority_alone() -> None:
    with running_harbor(tls=trustme.CA()) as harbor:
        assert harbor.url == f"https://127.0.0.1:{harbor.port}"
        assert api(harbor, "/users/current").status == 200
        with running_harbor(tls=trustme.CA()) as other:
            other.port, port = harbor.port, other.port
            with pytest.raises(ssl.SSLCertVerificationError):
                api(other, "/users/current")
            other.port = port


def test_it_can_stand_behind_a_path() -> None:
    with running_harbor(path_prefix="/harbor") as harbor:
        assert harbor.url.endswith("/harbor")
        assert ask(harbor, "GET", "/harbor/api/v2.0/ping").body == b"Pong"
        assert ask(harbor, "GET", "/api/v2.0/ping").status == 404
        assert ask(harbor, "GET", "/harbor/v2/").status == 401


def test_it_can_be_slow(harbor: HarborDouble) -> None:
    harbor.slow(0.3)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert [one.status for one in pool.map(lambda _: api(harbor, "/projects"), range(4))] == [200] * 4
    assert time.monotonic() - started >= 0.3
    assert harbor.calls.most_at_once > 1
    harbor.slow(0)
    harbor.calls.reset()
    assert api(harbor, "/projects").status == 200
    assert harbor.calls.most_at_once == 1


def test_a_web_page_in_front_answers_for_it(harbor: HarborDouble) -> None:
    harbor.lie(Lie.HTML_IN_FRONT)
    page = api(harbor, "/projects")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"Sign in" in page.body
    harbor.tell_the_truth()
    assert [one["name"] for one in api(harbor, "/projects").json] == ["library"]


def test_a_body_can_be_huge(harbor: HarborDouble) -> None:
    harbor.lie(Lie.HUGE_BODY, "/api/v2.0/statistics")
    assert len(api(harbor, "/statistics").body) > 50_000_000
    assert len(api(harbor, "/projects").body) < 1000


@pytest.mark.parametrize(
    ("lie", "total"),
    [(Lie.TOTAL_COUNT_MISSING, None), (Lie.TOTAL_COUNT_WRONG, "1000000"), (Lie.TOTAL_COUNT_ZERO, "0")],
)
def test_the_total_can_be_missing_or_wrong(harbor: HarborDouble, lie: Lie, total: str | None) -> None:
    harbor.lie(lie, "/api/v2.0/projects")
    listed = api(harbor, "/projects")
    assert listed.headers.get("X-Total-Count") == total
    assert len(listed.json) == 1


def test_json_can_be_cut(harbor: HarborDouble) -> None:
    harbor.lie(Lie.TRUNCATED_JSON)
    cut = api(harbor, "/projects")
    assert cut.status == 200
    with pytest.raises(json.JSONDecodeError):
        assert cut.json


@pytest.mark.parametrize(("lie", "is_done"), [(Lie.EMPTY_BAD_GATEWAY, False), (Lie.ANSWER_LOST, True)])
def test_a_gateway_can_fail_with_nothing_before_or_after_harbor(harbor: HarborDouble, lie: Lie, is_done: bool) -> None:
    harbor.lie(lie)
    failed = api(harbor, "/projects", method="POST", body={"project_name": "team"})
    assert (failed.status, failed.body) == (502, b"")
    assert (harbor.state.project_named("team") is not None) is is_done
    assert harbor.calls.count("POST", "/projects", "user admin") == 1


@pytest.mark.parametrize(
    ("lie", "failure"), [(Lie.CONNECTION_CUT, ConnectionResetError), (Lie.NO_ANSWER, TimeoutError)]
)
def test_an_answer_can_stay_away_though_it_was_done(
    harbor: HarborDouble, lie: Lie, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.doubles.asking._TIMEOUT_SECONDS", 0.5)
    harbor.lie(lie, "/api/v2.0/projects", "POST")
    with pytest.raises(failure):
        api(harbor, "/projects", method="POST", body={"project_name": "team"})
    # Other methods are answered as ever.
    assert [one["name"] for one in api(harbor, "/projects").json] == ["library", "team"]
    assert harbor.calls.count("POST", "/projects", "user admin") == 1


def test_a_list_can_shrink_while_it_is_paged(harbor: HarborDouble) -> None:
    for number in range(4):
        harbor.create_project(f"team-{number}")

    def shrink(request: HarborRequest) -> None:
        if "page=2" in request.raw_query:
            harbor.delete_project("team-0")

    harbor.before_each_call(shrink)
    pages = [api(harbor, f"/projects?page={page}&page_size=2") for page in (1, 2)]
    assert [one["name"] for page in pages for one in page.json] == ["library", "team-0", "team-2", "team-3"]
    assert [page.headers["X-Total-Count"] for page in pages] == ["5", "4"]


def test_what_goes_wrong_within_it_fails_the_test() -> None:
    with pytest.raises(KeyError, match="name"), running_harbor() as harbor:  # noqa: PT012
        harbor.push("library/web", "1")
        tags = "/projects/library/repositories/web/artifacts/1/tags"
        assert api(harbor, tags, method="POST", body={}).error == (500, "UNKNOWN")


def test_it_is_written_without_the_clients_that_it_tests() -> None:
    files = list(FOLDER.rglob("*.py"))
    assert files
    assert [path.name for path in files if "registry_clients" in path.read_text()] == []
