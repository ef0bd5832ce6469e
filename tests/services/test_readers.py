"""A robot of our own reads: made, mended, replaced and removed, and nobody else's is touched."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from models.database import Transaction
from models.reader_credential import ReaderCredential
from server.data_folder import KEY_FILE
from services.credential_cipher import CredentialCipher, EncryptionKey, WrongKey, parse_keys
from services.installation import credential_purpose, reencrypt
from services.reader_claims import ReaderClaim, ReaderClaims
from tests.api.live import over_websocket
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import LIVE_EVENTS, WatchedHarbor, integrate_harbor, readers
from tests.serving import RunningServer, answer_of, running_server
from tests.waiting import eventually


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        double.create_project("team")
        double.push("team/app", "1")
        yield double


@pytest.fixture
def still_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that probes only when it is asked to."""
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        yield server


def only_reader(harbor: HarborDouble) -> str:
    """Return the name of the one reader there is."""
    (name,) = readers(harbor)
    return name


def test_it_is_made_marked_and_cannot_pull(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    name = only_reader(harbor)
    assert watched.routine() == {"kind": "READER_ROBOT", "username": name, "reason": None}
    assert f"-{_uid(server)}-{watched.key}-" in name
    stored = watched.row("reader_credential")
    secret = readers(harbor)[name].secret
    assert stored["external_id"] == str(readers(harbor)[name].id)
    assert secret not in str(stored)
    # Harbor would answer 404 to one that may pull.
    assert _head_manifest(harbor, name, secret) == 401
    assert _head_manifest(harbor, *harbor.administrator) == 404


def _uid(server: RunningServer) -> str:
    return str(server.run(server.services.database.fetch('SELECT "uid" FROM "installation"'))[0]["uid"])


def _head_manifest(harbor: HarborDouble, username: str, password: str) -> int:
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310
        f"{harbor.url}/v2/team/app/manifests/no-such-tag", headers={"Authorization": f"Basic {token}"}, method="HEAD"
    )
    return answer_of(request).status


DAMAGES: dict[str, Callable[[HarborDouble, str], None]] = {
    "deleted": lambda harbor, name: harbor.delete_robot(name),
    "disabled": lambda harbor, name: harbor.disable_robot(name),
    "expired": lambda harbor, name: harbor.expire_robot(name),
    "renamed": lambda harbor, name: harbor.change_prefix("bot+"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_mended_by_the_next_probe(
    damage: str, still_server: RunningServer, harbor: HarborDouble
) -> None:
    watched = integrate_harbor(still_server, harbor)
    before = only_reader(harbor)
    DAMAGES[damage](harbor, before)
    watched.mutate("checkIntegration")
    now = only_reader(harbor)
    assert now != before
    assert watched.routine()["username"] == now
    assert watched.health() == ("HEALTHY", None)
    assert watched.health_events() == []
    watched.mutate("checkIntegration")
    assert (only_reader(harbor), watched.health()) == (now, ("HEALTHY", None))


def test_one_whose_permissions_were_cut_is_replaced(still_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(still_server, harbor)
    watched.wait_until_followed()
    before = only_reader(harbor)
    harbor.set_robot_permissions(before, {"/": "robot:list robot:read", "*": "project:read"})
    # The last check was longer ago than that a doubt is heard.
    watched.write('UPDATE "reader_credential" SET "next_check_at" = \'' + _in_minutes(watched, 5) + "'")
    with over_websocket(still_server, LIVE_EVENTS, {}) as live:
        harbor.create_project("new")
        assert live.next()["data"]["events"]["spaceName"] == "new"
    assert only_reader(harbor) != before
    assert sorted(watched.mirror()) == ["library", "new", "team"]


def _in_minutes(watched: WatchedHarbor, minutes: int) -> str:
    return (watched.server.services.clock() + timedelta(minutes=minutes)).isoformat(sep=" ")


def test_other_installations_and_integrations_are_left_alone(
    tmp_path: Path, still_server: RunningServer, harbor: HarborDouble
) -> None:
    one = integrate_harbor(still_server, harbor)
    mine = only_reader(harbor)
    # As integration 11 of the same installation would call its own, and as others do.
    beside = {
        harbor.create_robot(name, {"/": "project:list"})[0]
        for name in (
            f"integrated-registry-reader-{_uid(still_server)}-{one.key}1-0123abcd",
            f"integrated-registry-reader-{_uid(still_server)}1-{one.key}-0123abcd",
            f"x-integrated-registry-reader-{_uid(still_server)}-{one.key}-0123abcd-mine",
            "ci",
        )
    }
    with running_server(tmp_path / "other", probe_interval_seconds=3600) as other:
        two = integrate_harbor(other, harbor)
        theirs = two.routine()["username"]
        one.check_reader_now()
        assert set(harbor.robots()) == {mine, theirs, *beside}
        _remove(one)
        assert set(harbor.robots()) == {theirs, *beside}
        two.mutate("checkIntegration")
        assert two.health() == ("HEALTHY", None)
        _remove(two)
    assert set(harbor.robots()) == beside


def _remove(watched: WatchedHarbor) -> None:
    query = """mutation ($input: RemoveIntegrationInput!) {
      removeIntegration(input: $input) { errors { __typename message } }
    }"""
    payload = watched.server.graphql(query, {"input": {"id": watched.id}})["removeIntegration"]
    assert payload["errors"] == []


def test_rotation_replaces_it(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    before = only_reader(harbor)
    harbor.set_admin_password("Another12345")
    rotated = watched.mutate("rotateIntegrationCredential", username="admin", password="Another12345")
    assert rotated["errors"] == []
    now = only_reader(harbor)
    assert now != before
    assert watched.routine() == {"kind": "READER_ROBOT", "username": now, "reason": None}


def test_a_good_one_is_kept_where_none_can_be_made(still_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(still_server, harbor)
    before = only_reader(harbor)
    harbor.set_read_only(True)
    rotated = watched.mutate("rotateIntegrationCredential", username="admin", password=harbor.administrator[1])
    assert rotated["errors"] == []
    assert watched.routine() == {"kind": "READER_ROBOT", "username": before, "reason": None}


def test_without_one_the_administrator_reads_and_it_says_why(still_server: RunningServer, harbor: HarborDouble) -> None:
    harbor.set_read_only(True)
    watched = integrate_harbor(still_server, harbor)
    routine = watched.routine()
    assert (routine["kind"], routine["username"]) == ("ADMINISTRATOR", None)
    assert "read-only" in routine["reason"]
    assert readers(harbor) == {}
    watched.mutate("checkIntegration")
    assert watched.health() == ("HEALTHY", None)
    assert watched.state()["labels"] == ["INTEGRATED", "HEALTHY", "READ_ONLY"]
    harbor.set_read_only(False)
    watched.check_reader_now()
    assert watched.routine() == {"kind": "READER_ROBOT", "username": only_reader(harbor), "reason": None}


def test_what_was_made_and_not_stored_is_removed_at_once(
    still_server: RunningServer, harbor: HarborDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ReaderClaims.write

    async def fail(claims: ReaderClaims, claim: ReaderClaim, changes: Mapping[str, object]) -> bool:
        if "external_id" in changes:
            raise OSError("the database is away")
        return await write(claims, claim, changes)

    monkeypatch.setattr(ReaderClaims, "write", fail)
    watched = integrate_harbor(still_server, harbor)
    assert readers(harbor) == {}
    assert watched.routine()["kind"] == "ADMINISTRATOR"


def test_killed_between_making_and_storing_nothing_is_left_over(tmp_path: Path, harbor: HarborDouble) -> None:
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        watched = integrate_harbor(server, harbor)

        async def as_if_killed(_: Transaction) -> None:
            now = server.services.clock()
            await ReaderCredential.filter(integration_id=watched.key).update(
                external_id=None, username=None, password_encrypted=None, next_check_at=now, lease_until=now
            )

        left_over = only_reader(harbor)
        server.run(server.services.database.transact(as_if_killed))
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        again = WatchedHarbor(server, watched.id)
        eventually(lambda: len(readers(harbor)) == 1 and left_over not in readers(harbor))
        assert again.routine()["username"] == only_reader(harbor)


def test_a_check_that_was_overtaken_writes_nothing(still_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(still_server, harbor)
    before = watched.row("reader_credential")
    harbor.delete_robot(only_reader(harbor))
    harbor.before_each_call(
        lambda request: (
            watched.write(
                'UPDATE "reader_credential" SET "lease_until" = NULL, "next_check_at" = \'2035-01-01 00:00:00+00:00\''
            )
            if request.method == "POST" and "/robots" in request.raw_path
            else None
        )
    )
    watched.write('UPDATE "reader_credential" SET "next_check_at" = \'2000-01-01 00:00:00+00:00\'')
    eventually(lambda: harbor.calls.count(method="PATCH", template="/robots/{robot_id}") >= 2)
    eventually(lambda: readers(harbor) == {})
    now = watched.row("reader_credential")
    assert (now["external_id"], now["password_encrypted"]) == (before["external_id"], before["password_encrypted"])


def test_its_secret_goes_over_to_new_keys(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    secret = readers(harbor)[only_reader(harbor)].secret
    old = CredentialCipher(parse_keys((server.settings.data / KEY_FILE).read_text()))
    new = CredentialCipher((EncryptionKey.generate(),))
    server.run(reencrypt(server.services.database, old, new))
    stored = watched.row("reader_credential")["password_encrypted"]
    assert new.decrypt(stored, credential_purpose(harbor.url)) == secret
    with pytest.raises(WrongKey):
        old.decrypt(stored, credential_purpose(harbor.url))
