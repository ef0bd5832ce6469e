"""`integrated-registry serve` as a process: it starts, says where it is, stops, and says why it can't."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
import time
import urllib.request
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from websockets.exceptions import ConnectionClosed

from server.assembly import DatabaseUnusable
from server.settings import read_settings
from tests.server.commands import run_command
from tests.server.live_clients import open_socket, open_stream, subscribe
from tests.server.processes import running_process
from tests.serving import answer_of

SECONDS_TO_STOP = 8.0
"""Less than uvicorn's own patience with connections that stay open."""

KEY = "one:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OTHER_KEY = "two:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_open_sockets_and_streams_and_the_server_in_good_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    with (
        running_process(tmp_path) as server,
        open_socket(server.port, server.admin_token) as socket_,
        open_stream(server.port, server.admin_token) as stream,
    ):
        subscribe(socket_)
        began = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - began < SECONDS_TO_STOP
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert b"event: complete" not in stream.read()
        assert [line["event"] for line in server.log_lines][-2:] == ["stopping", "stopped"]
        # SQLite's log is folded in by a connection that was closed, not by one that was cut off.
        assert not (server.data / "integrated-registry.sqlite3-wal").exists()


def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with running_process(tmp_path, is_first_start=True) as server:
            found = {file.name: stat.S_IMODE(file.stat().st_mode) for file in server.data.iterdir()}
            assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
            server.stop()
    finally:
        os.umask(before)
    assert {"admin-token", "encryption-keys", "integrated-registry.sqlite3"} <= found.keys()
    assert set(found.values()) == {0o600}


def test_without_a_terminal_the_token_file_is_told_and_no_code(tmp_path: Path) -> None:
    with running_process(tmp_path) as server:
        token_file = server.data / "admin-token"
        assert server.stdout == f"\n  http://127.0.0.1:{server.port} · the admin token is in {token_file}\n\n"
        assert "code" not in server.stderr
        assert server.admin_token not in server.stdout + server.stderr


def test_a_second_server_on_the_folder_says_so_and_the_first_goes_on(tmp_path: Path) -> None:
    with running_process(tmp_path) as server:
        second = run_command("serve", data=server.data, settings={"PORT": "0"})
        assert second.returncode == 2
        assert second.stderr == (
            f"Another server is running on the data folder {server.data}. Stop it, or give another folder.\n"
        )
        assert server.request("GET", "/readyz").status == 200


def test_a_port_in_use_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command("serve", "--port", str(port), data=tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr == (
        f"Can't listen on 127.0.0.1:{port}: Address already in use. Give another with HOST or PORT.\n"
    )
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["lock"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a..b", "256.1.1.1"])
def test_a_host_that_is_not_ours_is_said(tmp_path: Path, host: str) -> None:
    done = run_command("serve", "--host", host, "--port", "0", data=tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr.startswith(f"Can't listen on {host}:0: ")
    assert done.stderr.count("\n") == 1


def test_ipv6_is_listened_on_and_announced_in_brackets(tmp_path: Path) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").is_file():
        pytest.skip("this machine has no IPv6")
    with running_process(tmp_path, settings={"HOST": "::1"}) as server:
        assert f"http://[::1]:{server.port}" in server.stdout
        answer = answer_of(urllib.request.Request(f"http://[::1]:{server.port}/healthz"))
        assert answer.status == 200


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    done = run_command(command, data=tmp_path / "file" / "data")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"The data folder {tmp_path / 'file' / 'data'} can't be used: Not a directory. Give another folder.\n"
    )


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    if os.getuid() == 0:
        folder = Path("/proc/self")  # where even root can't write
    else:
        folder = tmp_path / "data"
        folder.mkdir(mode=0o500)
    done = run_command("serve", data=folder, settings={"PORT": "0"})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(folder) in done.stderr


def test_a_database_that_is_none_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "integrated-registry.sqlite3").write_bytes(b"something else altogether" * 1000)
    done = run_command("serve", data=data, settings={"PORT": "0"})
    assert done.returncode == 2
    assert done.stderr.startswith(f"The database {data / 'integrated-registry.sqlite3'} can't be used: ")
    assert not (data / "encryption-keys").exists()


def test_an_unreachable_database_is_said_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run_command(
        "serve",
        data=tmp_path / "data",
        settings={"PORT": "0", "DATABASE_URL": f"postgres://someone:marker-password@127.0.0.1:{port}/name"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"The database postgres://someone@127.0.0.1:{port}/name can't be used: ")
    assert "marker-password" not in done.stdout + done.stderr
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("options", ["sslmode=nonsense", "nothing=1", "minsize=many"])
def test_options_that_no_database_takes_are_said_without_the_password(tmp_path: Path, options: str) -> None:
    url = f"postgres://someone:marker-password@127.0.0.1:1/name?{options}"
    done = run_command("migrate", data=tmp_path / "data", settings={"DATABASE_URL": url})
    assert done.returncode == 2
    assert "marker-password" not in done.stdout + done.stderr
    assert done.stderr.startswith("The database postgres://someone@127.0.0.1:1/name can't be used: ")


def test_what_a_driver_says_is_told_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATED_REGISTRY_DATABASE_URL", "postgres://someone:marker%40password@host/name")
    quoting = ValueError("can't parse someone:marker%40password@host, or marker@password")
    assert str(DatabaseUnusable(read_settings(), quoting)) == (
        "The database postgres://someone@host/name can't be used: can't parse someone:•••@host, or •••"
    )


def test_a_wrong_key_is_found_before_anything_is_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run_command("migrate", data=data, settings={"ENCRYPTION_KEYS": KEY}).returncode == 0
    before = {file.name: file.read_bytes() for file in data.iterdir()}
    for keys in (OTHER_KEY, OTHER_KEY.replace("two", "one")):
        done = run_command("serve", data=data, settings={"PORT": "0", "ENCRYPTION_KEYS": keys})
        assert done.returncode == 2
        assert done.stderr == (
            "What is stored was encrypted with the key one, and the key given is another or missing.\n"
        )
    assert {file.name: file.read_bytes() for file in data.iterdir()} == before


def test_a_lost_key_file_is_asked_for_and_none_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run_command("migrate", data=data).returncode == 0
    keys = (data / "encryption-keys").read_text()
    (data / "encryption-keys").unlink()
    done = run_command("serve", data=data, settings={"PORT": "0"})
    assert done.returncode == 2
    assert "Put the file back" in done.stderr
    assert not (data / "encryption-keys").exists()
    for nonsense in (b"", b"\xff\xfe", b"one:short", "ü:AAAA".encode()):
        (data / "encryption-keys").write_bytes(nonsense)
        done = run_command("serve", data=data, settings={"PORT": "0"})
        assert done.returncode == 2
        assert done.stderr.startswith(f"{data / 'encryption-keys'} holds no encryption keys: ")
    (data / "encryption-keys").write_text(keys)
    assert run_command("migrate", data=data).returncode == 0


def test_a_setting_that_cannot_be_taken_is_named(tmp_path: Path) -> None:
    done = run_command("serve", data=tmp_path / "data", settings={"PORT": "99999", "ALOWED_HOSTS": "x"})
    assert (done.returncode, done.stderr) == (2, "There is no setting INTEGRATED_REGISTRY_ALOWED_HOSTS.\n")
    done = run_command("serve", data=tmp_path / "data", settings={"PORT": "99999", "LOG_LEVEL": "loud"})
    assert done.returncode == 2
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "INTEGRATED_REGISTRY_PORT",
        "INTEGRATED_REGISTRY_LOG_LEVEL",
    ]
    assert not (tmp_path / "data").exists()


def test_tls_files_are_served_with(tmp_path: Path) -> None:
    authority = trustme.CA()
    settings = _written_certificate(authority, tmp_path)
    with running_process(tmp_path, settings=settings) as server:
        assert f"https://127.0.0.1:{server.port}" in server.stdout
        context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
        request = urllib.request.Request(f"https://127.0.0.1:{server.port}/healthz")
        assert answer_of(request, context).body == b"ok\n"


def test_tls_files_that_do_not_fit_are_said(tmp_path: Path) -> None:
    settings = _written_certificate(trustme.CA(), tmp_path)
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(other)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no PEM")
    cases = {
        "TLS_KEY_FILE": (str(other), "is not that of the certificate"),
        "TLS_CERTIFICATE_FILE": (str(nonsense), "they must be PEM"),
    }
    for name, (file, words) in cases.items():
        done = run_command("serve", data=tmp_path / "data", settings={**settings, name: file, "PORT": "0"})
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_key_with_a_passphrase_is_refused_instead_of_asked_for(tmp_path: Path) -> None:
    settings = _written_certificate(trustme.CA(), tmp_path, passphrase=b"secret")
    done = run_command("serve", data=tmp_path / "data", settings={**settings, "PORT": "0"})
    assert (done.returncode, done.stderr) == (
        2,
        f"The key in {settings['TLS_KEY_FILE']} has a passphrase: give one without.\n",
    )


def _written_certificate(authority: trustme.CA, folder: Path, passphrase: bytes | None = None) -> dict[str, str]:
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    content = certificate.private_key_pem.bytes()
    key.write_bytes(content if passphrase is None else _locked(content, passphrase))
    return {"TLS_CERTIFICATE_FILE": str(chain), "TLS_KEY_FILE": str(key)}


def _locked(key: bytes, passphrase: bytes) -> bytes:
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
