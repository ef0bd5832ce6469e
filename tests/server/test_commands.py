"""`integrated-registry token`, `key`, `migrate` and `schema` as processes."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from schema.schema import build_schema
from tests.server.commands import run_command
from tests.server.live_clients import messages_until_closed, open_socket, open_stream, subscribe
from tests.server.processes import running_process, wait_until
from tests.servers.docker_registry import running_docker_registry

VIEWER = "{ viewer { name role workspace { name } } }"
CREATE_WORKSPACE = 'mutation { createWorkspace(input: { name: "Shop" }) { workspace { id } } }'


def test_a_token_made_beside_a_running_server_works_at_once_and_a_revoked_one_ends_its_connections(
    tmp_path: Path,
) -> None:
    with running_process(tmp_path) as server:
        server.post(CREATE_WORKSPACE)
        role = ("--role", "WORKSPACE_MEMBER", "--workspace", "SHOP")
        made = run_command("token", "create", "robot", *role, "--days", "3", data=server.data)
        token = made.stdout.strip()
        assert made.returncode == 0
        assert made.stdout == token + "\n"
        assert server.post(VIEWER, token=token).json == {
            "data": {"viewer": {"name": "robot", "role": "WORKSPACE_MEMBER", "workspace": {"name": "Shop"}}}
        }
        listed = run_command("token", "list", data=server.data).stdout.splitlines()
        assert [line.split("\t")[1:3] + line.split("\t")[4:] for line in listed] == [
            ["WORKSPACE_MEMBER", "active", "robot"],
            ["PLATFORM_ADMIN", "active", "admin"],
        ]
        assert token not in "".join(listed)
        token_id = listed[0].partition("\t")[0]
        with open_socket(server.port, token) as socket, open_stream(server.port, token) as stream:
            subscribe(socket)
            revoked = run_command("token", "revoke", token_id, data=server.data)
            assert (revoked.returncode, revoked.stdout) == (0, "Revoked.\n")
            with pytest.raises(ConnectionClosed) as closed:
                messages_until_closed(socket)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "The access token was revoked.")
            assert b"UNAUTHENTICATED" in stream.read()
        assert server.post(VIEWER, token=token).status == 401
        assert server.post(VIEWER).status == 200
        states = [line.split("\t")[2] for line in run_command("token", "list", data=server.data).stdout.splitlines()]
        assert states == ["revoked", "active"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("revoke", "12345"), "There is no access token with this id."),
        (("revoke", str(2**63 - 1)), "There is no access token with this id."),
        (("revoke", str(2**63)), "Invalid value"),
        (("create", ""), "name"),
        (("create", "x", "--role", "WORKSPACE_MEMBER"), "WORKSPACE_MEMBER is a role in one workspace: name it."),
        (("create", "x", "--role", "WORKSPACE_ADMIN", "--workspace", "none"), "There is no workspace “none”."),
        (("create", "x", "--workspace", "none"), "There is no workspace “none”."),
        (("create", "x" * 10_000), "name"),
        (("create", "\x1b[2J"), "name"),
    ],
)
def test_a_token_that_cannot_be_made_or_revoked_is_said(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run_command("token", *arguments, data=tmp_path / "data")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert run_command("token", "list", data=tmp_path / "data").stdout == ""


def test_a_token_made_before_first_start_is_enough(tmp_path: Path) -> None:
    token = run_command("token", "create", "mine", data=tmp_path / "data").stdout.strip()
    with running_process(tmp_path) as server:
        assert server.post(VIEWER, token=token).status == 200
        assert not (server.data / "admin-token").exists()
        assert "integrated-registry token create" in server.stdout


def test_schema_is_printed_and_nothing_is_made(tmp_path: Path) -> None:
    done = run_command("schema", data=tmp_path / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == build_schema().as_str() + "\n"
    assert not (tmp_path / "data").exists()


def test_migrate_makes_a_database_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = run_command("migrate", data=data)
    assert (first.returncode, first.stdout) == (0, "The database is up to date.\n")
    keys = (data / "encryption-keys").read_bytes()
    second = run_command("migrate", data=data)
    assert (second.returncode, second.stdout, second.stderr) == (0, "The database is up to date.\n", "")
    assert (data / "encryption-keys").read_bytes() == keys
    assert not (data / "admin-token").exists()


def test_migrate_leaves_a_folder_in_use_alone(tmp_path: Path) -> None:
    with running_process(tmp_path) as server:
        for arguments in (("migrate",), ("key", "rotate")):
            done = run_command(*arguments, data=server.data)
            assert done.returncode == 2
            assert done.stderr.startswith(f"Another server is running on the data folder {server.data}.")


def test_a_generated_key_is_one_that_the_setting_takes(tmp_path: Path) -> None:
    first, second = (run_command("key", "generate", data=tmp_path / "data").stdout.strip() for _ in range(2))
    assert first != second
    key_id, _, encoded = first.partition(":")
    assert len(base64.b64decode(encoded)) == 32
    assert not (tmp_path / "data").exists()
    done = run_command("migrate", data=tmp_path / "data", settings={"ENCRYPTION_KEYS": first})
    assert done.returncode == 0
    assert not (tmp_path / "data" / "encryption-keys").exists()
    assert key_id


INTEGRATE = """
mutation ($url: URL!) {
  integrateRegistry(input: {name: "one", kind: DOCKER_REGISTRY, url: $url, username: "u", password: "pass word"}) {
    integration { id } errors { message }
  }
}
"""
CHECK = "mutation ($id: ID!) { checkIntegration(input: {id: $id}) { integration { health { status } } } }"


def test_keys_are_rotated_and_the_stored_password_still_works(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with running_docker_registry(tmp_path / "registry", htpasswd={"u": "pass word"}) as registry:
        with running_process(tmp_path) as server:
            answer = server.post(INTEGRATE, {"url": registry.url}).json["data"]["integrateRegistry"]
            assert answer["errors"] == []
            integration_id = answer["integration"]["id"]
            assert server.stop() == 0
        old_key = (server.data / "encryption-keys").read_text()
        done = run_command("key", "rotate", data=server.data)
        assert (done.returncode, done.stdout) == (0, "Encrypted 1 credential(s) with a new key.\n")
        new_key = (server.data / "encryption-keys").read_text()
        assert new_key != old_key
        assert len(new_key.split()) == 1
        with running_process(tmp_path) as server:
            answer = server.post(CHECK, {"id": integration_id}).json["data"]["checkIntegration"]
            assert answer == {"integration": {"health": {"status": "HEALTHY"}}}
            assert server.stop() == 0
        (server.data / "encryption-keys").write_text(old_key)
        assert run_command("migrate", data=server.data).returncode == 2
        (server.data / "encryption-keys").write_text(new_key)
        assert run_command("migrate", data=server.data).returncode == 0


def test_keys_from_the_environment_are_changed_there_and_reencrypted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    old, new = (run_command("key", "generate", data=data).stdout.strip() for _ in range(2))
    assert run_command("migrate", data=data, settings={"ENCRYPTION_KEYS": old}).returncode == 0
    refused = run_command("key", "rotate", data=data, settings={"ENCRYPTION_KEYS": old})
    assert refused.returncode == 2
    assert "key reencrypt" in refused.stderr
    assert old not in refused.stderr
    both = {"ENCRYPTION_KEYS": f"{new},{old}"}
    assert run_command("key", "reencrypt", data=data, settings=both).stdout == "Encrypted 0 credential(s).\n"
    assert run_command("migrate", data=data, settings={"ENCRYPTION_KEYS": new}).returncode == 0
    assert run_command("migrate", data=data, settings={"ENCRYPTION_KEYS": old}).returncode == 2


def test_an_admin_token_whose_row_was_never_written_is_made_anew(tmp_path: Path) -> None:
    """What a kill between the file and the row leaves behind: a file, and no token."""
    data = tmp_path / "data"
    assert run_command("migrate", data=data).returncode == 0
    (data / "admin-token").write_text("irat_of_a_start_that_was_killed\n")
    with running_process(tmp_path) as server:
        first = server.admin_token
        assert first != "irat_of_a_start_that_was_killed"
        assert server.post(VIEWER).status == 200
        server.stop()
    with running_process(tmp_path) as server:
        assert server.admin_token == first
        wait_until(lambda: server.post(VIEWER).status == 200, "the same token worked")
        server.stop()
    shutil.rmtree(data)
