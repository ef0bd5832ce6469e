"""`integrated-registry check URL` as a process."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.server.commands import run_command
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.servers.misbehaving import answering, http_answer, misbehaving_server

PASSWORD = "marker-password"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_docker_registry(folder, htpasswd={"user": PASSWORD}, tls=trustme.CA()) as started:
        push_image(started, "team/web", "1")
        yield started


@pytest.fixture
def ca_file(tmp_path: Path, registry: DockerRegistryServer) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text(registry.ca_certificate_pem or "")
    return file


def check(
    folder: Path, *arguments: str, given: bytes = b"", settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = run_command("check", *arguments, data=folder / "data", given=given, settings=settings)
    assert PASSWORD not in done.stdout + done.stderr
    # No server, no database: a look and nothing else.
    assert not (folder / "data").exists()
    return done


def test_a_good_registry_is_described(tmp_path: Path, registry: DockerRegistryServer, ca_file: Path) -> None:
    for kind in ([], ["--kind", "DOCKER_REGISTRY"]):
        done = check(
            tmp_path,
            registry.url,
            *kind,
            "--username",
            "user",
            "--ca-file",
            str(ca_file),
            given=PASSWORD.encode() + b"\n",
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "DOCKER_REGISTRY\nspaces: 1\ncredential verified: yes\n"


def test_what_is_wrong_with_a_registry_is_said_in_a_word_and_a_sentence(
    tmp_path: Path, registry: DockerRegistryServer, ca_file: Path
) -> None:
    trusted = ["--ca-file", str(ca_file)]
    cases: list[tuple[list[str], bytes, str]] = [
        ([registry.url], b"", "TLS_NOT_TRUSTED: "),
        ([registry.url, *trusted], b"", "UNAUTHORIZED: "),
        ([registry.url, "--insecure", "--username", "user"], b"wrong\n", "UNAUTHORIZED: "),
        ([registry.url, *trusted, "--username", "user"], b"", "INVALID_INPUT: Give both username and password"),
        ([registry.url, *trusted, "--kind", "HARBOR", "--username", "user"], b"x\n", "OTHER_KIND: "),
        ([registry.url.replace("https", "http")], b"", "OTHER_KIND: "),
        (["http://127.0.0.1:1"], b"", "CONNECTION_REFUSED: "),
        (["http://no-such-host.invalid"], b"", "NAME_NOT_RESOLVED: "),
        (["http://169.254.169.254"], b"", "ADDRESS_REFUSED: "),
        (["registry.example.com"], b"", "INVALID_INPUT: "),
        ([f"https://user:{PASSWORD}@127.0.0.1"], b"", "INVALID_INPUT: "),
        ([f"https://user:{PASSWORD}@127.0.0.1:port"], b"", "INVALID_INPUT: "),
        (["ftp://127.0.0.1"], b"", "INVALID_INPUT: "),
    ]
    for arguments, given, beginning in cases:
        done = check(tmp_path, *arguments, given=given)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert done.stderr.startswith(beginning), (arguments, done.stderr)


def test_what_is_wrong_with_the_command_line_is_said(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\x00\xfe")
    large = tmp_path / "large"
    large.write_bytes(b"x" * (1024 * 1024 + 1))
    url = "https://127.0.0.1:1"
    missing = check(tmp_path, url, "--ca-file", str(tmp_path / "missing"))
    assert (missing.returncode, missing.stderr) == (2, f"{tmp_path / 'missing'}: No such file or directory\n")
    assert check(tmp_path, url, "--ca-file", str(tmp_path)).returncode == 2
    assert check(tmp_path, url, "--ca-file", str(large)).returncode == 2
    no_certificate = check(tmp_path, url, "--ca-file", str(binary))
    assert no_certificate.returncode == 1
    assert no_certificate.stderr.startswith("INVALID_INPUT: ")
    not_text = check(tmp_path, url, "--username", "user", given=b"\xff\xfe\n")
    assert not_text.returncode == 2
    assert not_text.stderr == "The password on standard input is not UTF-8.\n"
    assert check(tmp_path, url, "--kind", "OTHER").returncode == 2
    assert check(tmp_path).returncode == 2


def test_an_answer_that_is_no_json_is_said(tmp_path: Path) -> None:
    async def look() -> subprocess.CompletedProcess[str]:
        said = http_answer(200, b"{not json", (("Docker-Distribution-Api-Version", "registry/2.0"),))
        async with misbehaving_server(answering(said)) as server:
            return await asyncio.to_thread(check, tmp_path, server.url)

    done = asyncio.run(look())
    assert done.returncode == 1
    assert done.stderr.startswith("UNEXPECTED_ANSWER: ")


def test_a_web_page_is_no_registry(tmp_path: Path) -> None:
    async def look() -> subprocess.CompletedProcess[str]:
        page = http_answer(200, b"<!doctype html><title>Hello</title>", (("Content-Type", "text/html"),))
        async with misbehaving_server(answering(page)) as server:
            return await asyncio.to_thread(check, tmp_path, server.url)

    done = asyncio.run(look())
    assert done.returncode == 1
    assert done.stderr.partition(":")[0] in ("OTHER_KIND", "UNEXPECTED_ANSWER")


def test_loopback_can_be_forbidden(tmp_path: Path, registry: DockerRegistryServer) -> None:
    done = check(tmp_path, registry.url, settings={"ALLOW_LOOPBACK_REGISTRIES": "false"})
    assert done.returncode == 1
    assert done.stderr.startswith("ADDRESS_REFUSED: ")
