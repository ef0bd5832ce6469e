"""No cookie ever goes out: with one among them Harbor takes a write for a browser's, and refuses it."""

import asyncio

import pytest
from yarl import URL

from registry_clients.harbor.urls import api_url, project_segment, repository_segment
from registry_clients.records import FoundSpace
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import asked, client_of


def test_a_write_after_a_read_carries_no_session(harbor: HarborDouble) -> None:
    cookies: list[str | None] = []

    def keep(request: HarborRequest) -> None:
        cookies.append(request.headers.get("Cookie"))

    harbor.before_each_call(keep)

    async def read_then_write() -> FoundSpace:
        async with client_of(harbor) as client:
            await client.list_spaces()
            return await client.create_space("team", is_public=False)

    assert asyncio.run(read_then_write()).name == "team"
    assert asked(harbor) == ["GET /projects user", "POST /projects user"]
    assert cookies == [None, None]


@pytest.mark.parametrize(
    ("registry", "segments", "query", "address"),
    [
        ("https://h.test", ("health",), None, "https://h.test/api/v2.0/health"),
        ("https://h.test:8443/a/b", ("projects",), None, "https://h.test:8443/a/b/api/v2.0/projects"),
        (
            "http://h.test",
            ("auditlog-exts",),
            {"sort": "-id", "q": "id=[5~],operation={create delete update}"},
            "http://h.test/api/v2.0/auditlog-exts?sort=-id"
            "&q=id%3D%5B5~%5D%2Coperation%3D%7Bcreate%20delete%20update%7D",
        ),
        (
            "http://h.test",
            ("projects", project_segment("team/app/web"), "repositories", repository_segment("team/app/web")),
            None,
            "http://h.test/api/v2.0/projects/team/repositories/app%252Fweb",
        ),
        ("http://h.test", ("projects", "a/../b?c#d"), None, "http://h.test/api/v2.0/projects/a%2F..%2Fb%3Fc%23d"),
    ],
)
def test_addresses_are_escaped_as_recorded(
    registry: str, segments: tuple[str, ...], query: dict[str, str] | None, address: str
) -> None:
    assert str(api_url(URL(registry), segments, query)) == address
