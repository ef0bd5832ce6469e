"""Every recorded error of a Docker Registry, read for people and for administrators."""

import pytest

from registry_clients.docker_registry.refusals import Call, refusal_of
from registry_clients.error_bodies import registry_message
from tests.recordings.recording import read_recording, recorded_response

BOTH = pytest.mark.parametrize("version", ["distribution-2.8.2", "distribution-3.1.2"])


@BOTH
@pytest.mark.parametrize("call", Call)
def test_no_recorded_error_shows_a_path_of_the_server(version: str, call: Call) -> None:
    names = [entry["what"] for entry in read_recording(f"{version}/errors")["exchanges"] if entry.get("response")]
    assert len(names) > 10
    for name in names:
        answer = recorded_response(f"{version}/errors", name)
        error = refusal_of(answer, call, "registry.test")
        shown = f"{error.message} {error.registry_message}"
        assert error.http_status == answer.status
        assert "/docker/registry" not in shown
        assert "DriverName" not in shown
        assert "team-a" not in shown


@BOTH
def test_a_registrys_words_are_code_and_message(version: str) -> None:
    missing = recorded_response(f"{version}/errors", "missing repository")
    assert refusal_of(missing, Call.CATALOGUE, "registry.test").registry_message == "MANIFEST_UNKNOWN: manifest unknown"
    plain = recorded_response(f"{version}/errors", "upper case in the name")
    assert refusal_of(plain, Call.PING, "registry.test").registry_message == "404 page not found"


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", "", None),
        (b"<html>secret</html>", "text/html", None),
        (b"<html>", "text/plain", "<html>"),
        (b"\xff\x00no", "text/plain", "� no"),
        (b'{"errors":[]}', "application/json", None),
        (b'{"errors":[{}]}', "application/json", None),
        (b'{"errors":["x",{"code":"A"},{"message":"b"}]}', "application/json", "A; b"),
        (b'{"errors":[{"code":"A","message":"b","detail":"secret"}]}', "application/json", "A: b"),
        (b'{"errors":[{"code":5,"message":{"a":1}}]}', "application/json", "5: {'a': 1}"),
        (b'{"errors":', "application/json", None),
    ],
)
def test_words_of_any_shape(body: bytes, content_type: str, words: str | None) -> None:
    assert registry_message(body, content_type) == words
