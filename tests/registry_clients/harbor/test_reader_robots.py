"""The reader robot: what it may do, what becomes of it, and whose robots are left alone."""

import asyncio
from base64 import b64encode
from collections.abc import Callable

import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import CredentialRejected, TimedOut
from registry_clients.harbor import robots
from registry_clients.harbor.api import HarborApi
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.reader_robots import ReaderRobots, make_secret
from registry_clients.records import ReaderFlaw, ReaderState
from registry_clients.refusals import NoReader, NoReaderCredential
from registry_clients.transport import AiohttpTransport, RegistryRequest, RegistryResponse, TransportSettings
from tests.doubles.harbor.server import HarborDouble
from tests.recordings.recording import read_recording, recorded_response
from tests.registry_clients.harbor.harbor_client import MARKER, asked, done, failure
from tests.registry_clients.scripted_transport import ScriptedTransport, response

ADMINISTRATOR = Credential("admin", "Harbor12345")


def refusal(harbor: HarborDouble) -> NoReaderCredential:
    with pytest.raises(NoReaderCredential) as caught:
        done(harbor, lambda client: client.make_reader(MARKER))
    return caught.value


def test_a_reader_is_made_with_a_secret_of_our_own(harbor: HarborDouble) -> None:
    made = done(harbor, lambda client: client.make_reader(MARKER))
    assert asked(harbor) == ["GET /permissions user", "POST /robots user", "PATCH /robots/{robot_id} user"]
    robot = harbor.robots()[made.credential.username]
    assert str(robot.id) == made.external_id
    assert robot.secret == made.credential.password
    assert MARKER in robot.description
    assert "Integrated Registry" in robot.description
    assert (robot.level, robot.duration_days, robot.is_disabled) == ("system", -1, False)
    assert robots.marker_of(made.credential.username) == MARKER


def test_a_reader_reads_everything_that_we_read(harbor: HarborDouble) -> None:
    reader = done(harbor, lambda client: client.make_reader(MARKER)).credential
    harbor.create_project("team")
    harbor.push("team/app", "1")
    harbor.calls.reset()

    async def read(client: HarborClient) -> None:
        contents = await client.list_contents()
        assert len(contents.spaces) == 2
        team = contents.spaces[1]
        assert await client.look_at_space("team") == team
        assert len(await client.look_at_repositories(team)) == 1
        summary, artifacts = await client.summarize_space(team), await client.list_artifacts("team/app")
        assert summary is not None
        assert summary.quota_used_bytes
        assert artifacts is not None
        assert len(artifacts.artifacts) == 1
        newest = await client.newest_change()
        assert newest is not None
        assert (await client.changes_after(newest)).newest_id == newest
        await client.probe()

    done(harbor, read, reader)
    assert harbor.calls.count(credential="user") == 0


def test_a_reader_can_not_pull(harbor: HarborDouble) -> None:
    reader = done(harbor, lambda client: client.make_reader(MARKER)).credential
    harbor.create_project("team")
    harbor.push("team/app", "1")

    async def pull() -> int:
        endpoint = RegistryEndpoint(URL(harbor.url))
        transport = await AiohttpTransport.open(endpoint.tls, AddressPolicy(), TransportSettings())
        try:
            basic = b64encode(f"{reader.username}:{reader.password}".encode()).decode()
            url = endpoint.url.joinpath("v2", "team", "app", "manifests", "1")
            answer = await transport.send(RegistryRequest("GET", url, {"Authorization": f"Basic {basic}"}))
            return answer.status
        finally:
            await transport.aclose()

    assert asyncio.run(pull()) == 401


def test_the_grants_are_those_recorded_without_the_right_to_pull() -> None:
    recording = read_recording("harbor-2.16.0/audit_tail")["reader_robot_permissions"]
    recorded = {
        robots.Grant(place["kind"], place["namespace"], access["resource"], access["action"])
        for place in recording
        for access in place["access"]
    }
    assert recorded > robots.READER_GRANTS
    assert not any(grant.action in ("pull", "push", "create", "update", "delete") for grant in robots.READER_GRANTS)
    body = robots.permissions_body(robots.READER_GRANTS)
    assert [(place["kind"], place["namespace"]) for place in body] == [("system", "/"), ("project", "*")]
    offered = robots.parse_offered(
        recorded_response("harbor-2.16.0/permissions", "as the administrator").body, "harbor.test"
    )
    assert offered > robots.READER_GRANTS


@pytest.mark.parametrize(
    ("flaw", "harm"),
    [
        (ReaderFlaw.GONE, lambda harbor, name: harbor.delete_robot(name)),
        (ReaderFlaw.DISABLED, lambda harbor, name: harbor.disable_robot(name)),
        (ReaderFlaw.EXPIRED, lambda harbor, name: harbor.expire_robot(name)),
        (ReaderFlaw.CUT, lambda harbor, name: harbor.set_robot_permissions(name, {"/": "project:list"})),
    ],
)
def test_what_was_done_to_a_reader_is_named(
    harbor: HarborDouble, flaw: ReaderFlaw, harm: Callable[[HarborDouble, str], None]
) -> None:
    made = done(harbor, lambda client: client.make_reader(MARKER))
    name = made.credential.username
    assert done(harbor, lambda client: client.look_at_reader(made.external_id)) == ReaderState(name, None)
    assert done(harbor, lambda client: client.refresh_reader(made.external_id)) == name
    harm(harbor, name)
    state = done(harbor, lambda client: client.look_at_reader(made.external_id))
    assert state == ReaderState(None if flaw is ReaderFlaw.GONE else name, flaw)
    assert done(harbor, lambda client: client.refresh_reader(made.external_id)) is None


def test_a_reader_has_another_name_after_a_change_of_prefix(harbor: HarborDouble) -> None:
    made = done(harbor, lambda client: client.make_reader(MARKER))
    harbor.change_prefix("bot-")
    assert type(failure(harbor, HarborClient.probe, reader=made.credential)) is CredentialRejected
    name = done(harbor, lambda client: client.refresh_reader(made.external_id), made.credential)
    assert name == "bot-" + made.credential.username.removeprefix("robot$")
    assert done(harbor, HarborClient.list_spaces, Credential(name, made.credential.password))


def test_a_second_reader_serves_while_the_first_is_replaced(harbor: HarborDouble) -> None:
    first = done(harbor, lambda client: client.make_reader(MARKER))
    second = done(harbor, lambda client: client.make_reader(MARKER))
    for made in (first, second):
        assert done(harbor, HarborClient.list_spaces, made.credential)
    done(harbor, lambda client: client.remove_reader(first.external_id), second.credential)
    assert list(harbor.robots()) == [second.credential.username]
    # And once more: it is gone, which is fine.
    done(harbor, lambda client: client.remove_reader(first.external_id), second.credential)
    done(harbor, lambda client: client.remove_reader(second.external_id))
    assert not harbor.robots()


def test_strays_are_removed_and_nobody_elses(harbor: HarborDouble) -> None:
    kept = done(harbor, lambda client: client.make_reader(MARKER))
    for _ in range(2):
        done(harbor, lambda client: client.make_reader(MARKER))
    others = [
        done(harbor, lambda client: client.make_reader(f"{MARKER}-2")),
        done(harbor, lambda c: c.make_reader("ff")),
    ]
    foreign = [
        harbor.create_robot(name, {"/": "project:list"})[0]
        for name in (f"integrated-registry-reader-{MARKER}", f"integrated-registry-reader-{MARKER}-0123456", "ci")
    ]
    assert done(harbor, lambda client: client.remove_stray_readers(MARKER, kept.external_id)) == 2
    expected = {kept.credential.username, *foreign, *(other.credential.username for other in others)}
    assert set(harbor.robots()) == expected
    assert done(harbor, lambda client: client.remove_stray_readers(MARKER, None)) == 1
    assert set(harbor.robots()) == expected - {kept.credential.username}


def test_a_robot_that_is_not_ours_is_neither_looked_at_nor_removed(harbor: HarborDouble) -> None:
    ours = done(harbor, lambda client: client.make_reader(MARKER))
    theirs = done(harbor, lambda client: client.make_reader("ffff"))
    name, _ = harbor.create_robot("ci", {"/": "project:list"})

    async def look_and_remove(client: HarborClient) -> None:
        for external_id in (theirs.external_id, str(harbor.robots()[name].id)):
            assert await client.look_at_reader(external_id) == ReaderState(None, ReaderFlaw.GONE)
            await client.remove_reader(external_id)

    done(harbor, look_and_remove, ours.credential)
    assert len(harbor.robots()) == 3


def test_read_only_mode_says_why_there_is_none(harbor: HarborDouble) -> None:
    harbor.set_read_only(True)
    error = refusal(harbor)
    assert error.reason is NoReader.READ_ONLY
    assert not harbor.robots()


def test_a_user_who_may_make_none() -> None:
    transport = ScriptedTransport(lambda _: recorded_response("harbor-2.16.0/permissions", "as a normal user"))
    with pytest.raises(NoReaderCredential) as caught:
        asyncio.run(made_over(transport))
    assert caught.value.reason is NoReader.REFUSED


@pytest.mark.parametrize(
    "permissions",
    [
        response(404, b'{"errors":[{"code":"NOT_FOUND","message":"path /api/v2.0/permissions was not found"}]}'),
        response(200, b'{"system":[{"resource":"project","action":"list"}],"project":[]}'),
    ],
)
def test_an_older_harbor_is_asked_before_one_is_made(permissions: RegistryResponse) -> None:
    transport = ScriptedTransport(lambda _: permissions)
    with pytest.raises(NoReaderCredential) as caught:
        asyncio.run(made_over(transport))
    assert caught.value.reason is NoReader.NOT_OFFERED
    assert "too old" in caught.value.message
    assert [request.method for request in transport.requests] == ["GET"]


def test_a_wrong_password_is_no_matter_of_robots(harbor: HarborDouble) -> None:
    error = failure(harbor, lambda client: client.make_reader(MARKER), Credential("admin", "wrong"))
    assert (type(error), error.http_status) == (CredentialRejected, 401)


def scripted(patch: RegistryResponse | Exception) -> ScriptedTransport:
    """Return a Harbor that makes robot 7 and then answers so when it is given its secret."""

    def script(request: RegistryRequest) -> RegistryResponse:
        match request.method:
            case "GET":
                return recorded_response("harbor-2.16.0/permissions", "as the administrator")
            case "POST":
                return response(201, b'{"id":7,"name":"robot$x","secret":"Harbors0wn"}')
            case "DELETE":
                return response(200)
        if isinstance(patch, Exception):
            raise patch
        return patch

    return ScriptedTransport(script)


async def made_over(transport: ScriptedTransport) -> object:
    api = HarborApi(RegistryEndpoint(URL("https://harbor.test")), ADMINISTRATOR, transport, TransportSettings(), None)
    return await ReaderRobots(api).make(MARKER)


@pytest.mark.parametrize("patch", [response(500), TimedOut("no answer"), response(400)])
def test_a_robot_that_did_not_get_its_secret_is_removed(patch: RegistryResponse | Exception) -> None:
    transport = scripted(patch)
    with pytest.raises(Exception, match=r"harbor\.test|no answer"):
        asyncio.run(made_over(transport))
    assert transport.asked[-1] == "DELETE /api/v2.0/robots/7 basic admin:Harbor12345"


def test_one_that_is_cancelled_half_way_leaves_nothing() -> None:
    transport = scripted(response(200))
    waiting = asyncio.Event()
    send = transport.send

    async def hold_secret(request: RegistryRequest) -> RegistryResponse:
        if request.method == "PATCH":
            waiting.set()
            await asyncio.Event().wait()
        return await send(request)

    async def cancel() -> None:
        transport.send = hold_secret  # type: ignore[method-assign]
        task = asyncio.create_task(made_over(transport))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert transport.asked[-1] == "DELETE /api/v2.0/robots/7 basic admin:Harbor12345"


@pytest.mark.parametrize("marker", ["", "A", "a--b", "-a", "a b", "a" * 101, "ä"])
def test_a_marker_that_can_not_be_in_a_name_is_refused_before_a_call(harbor: HarborDouble, marker: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        done(harbor, lambda client: client.make_reader(marker))
    assert asked(harbor) == []


def test_secrets_are_what_harbor_takes_and_never_twice_the_same() -> None:
    made = {make_secret() for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        assert 8 <= len(secret) <= 128
        assert any(letter.isupper() for letter in secret)
        assert any(letter.islower() for letter in secret)
        assert any(letter.isdigit() for letter in secret)


def test_a_credential_shows_no_secret(harbor: HarborDouble) -> None:
    made = done(harbor, lambda client: client.make_reader(MARKER))
    assert made.credential.password not in repr(made)
