"""Bodies as recorded, and bodies that are wrong in one way each."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.errors import UnexpectedAnswer
from registry_clients.harbor import payloads, robots
from registry_clients.harbor.audit_entries import entry_of
from registry_clients.harbor.json_fields import Fields, parse_objects
from registry_clients.records import FoundRepository, FoundTag, PlatformManifest, SpaceSummary, StorageStatistics
from tests.recordings.recording import recorded_response

HOST = "harbor.test"


def recorded(name: str, what: str) -> bytes:
    return recorded_response(f"harbor-2.16.0/{name}", what).body


def test_summaries_as_recorded() -> None:
    assert payloads.parse_summary(recorded("projects_list", "summary, admin"), HOST) == SpaceSummary(3, 639751, None)
    limited = payloads.parse_summary(recorded("projects_create", "summary shows the limit"), HOST)
    assert limited == SpaceSummary(0, 0, 5368709120)
    without = payloads.parse_summary(recorded("quotas_off", "summary of an older project"), HOST)
    assert without == SpaceSummary(3, None, None)


def test_statistics_as_recorded() -> None:
    body = recorded("system", "statistics, admin")
    assert payloads.parse_statistics(body, HOST) == StorageStatistics(3327049, 4, 6)


def test_repositories_as_recorded() -> None:
    objects = parse_objects(recorded("repositories", "of a project"), HOST)
    assert payloads.repository_of(objects[0]) == FoundRepository(
        "team/app/api", "2", 1, 0, datetime(2026, 11, 24, 11, 55, 3, 18000, tzinfo=UTC)
    )


def test_an_index_as_recorded() -> None:
    artifact = payloads.artifact_of(
        parse_objects(b"[" + recorded("artifacts", "an index lists its platforms") + b"]", HOST)[0]
    )
    assert artifact.media_type == "application/vnd.oci.image.index.v1+json"
    assert artifact.artifact_type is None
    assert artifact.size_bytes == 137355
    assert artifact.platforms == (
        PlatformManifest(
            "sha256:d8a191d145ec34380905e2195d8fc8805188729d1adca17f51da90ebad4cd5dd", "linux", "amd64", None
        ),
        PlatformManifest(
            "sha256:3595915d83415c9aa8a8aa96341f2ac0e2dea700258b11fd50cc23c82bb55e15", "linux", "arm64", None
        ),
    )
    moment = datetime(2026, 11, 24, 11, 57, 44, 149000, tzinfo=UTC)
    pushed = datetime(2026, 11, 24, 11, 55, 3, 50000, tzinfo=UTC)
    assert artifact.tags == (FoundTag("2.0", pushed_at=pushed, pulled_at=moment, is_immutable=False),)


def test_unset_times_are_none_and_null_tags_none_at_all() -> None:
    artifact = payloads.artifact_of(parse_objects(recorded("artifacts", "untagged only"), HOST)[0])
    assert (artifact.tags, artifact.platforms, artifact.pulled_at) == ((), (), None)
    assert artifact.pushed_at is not None
    assert artifact.media_type == "application/vnd.oci.image.manifest.v1+json"


@pytest.mark.parametrize("is_old", [False, True])
def test_types_of_artifacts_as_recorded(is_old: bool) -> None:
    for what, artifact_type in (
        ("one by tag", None),
        ("an index lists its platforms", None),
        ("a Docker schema 2 image", None),
        ("a chart", "application/vnd.cncf.helm.config.v1+json"),
    ):
        body = json.loads(recorded("artifacts", what))
        values = body[0] if isinstance(body, list) else body
        if is_old:
            # As before 2.10.
            values.pop("artifact_type", None)
        assert payloads.artifact_of(Fields(values, HOST)).artifact_type == artifact_type


def test_sizes_past_two_to_the_31() -> None:
    body = json.dumps({"repo_count": 1, "quota": {"hard": {"storage": 2**60}, "used": {"storage": 2**53 + 1}}})
    assert payloads.parse_summary(body.encode(), HOST) == SpaceSummary(1, 2**53 + 1, 2**60)


def test_a_version_without_build_stays_as_it_is() -> None:
    body = b'{"auth_mode":"db_auth","harbor_version":"v2.9.1","read_only":true}'
    assert payloads.parse_system_information(body, HOST) == payloads.SystemInformation("v2.9.1", is_read_only=True)
    assert payloads.parse_system_information(b'{"auth_mode":"x"}', HOST).version is None


PROJECT = {"project_id": 7, "name": "team", "metadata": {"public": "true"}}
ARTIFACT = {
    "digest": "sha256:1",
    "media_type": "m",
    "size": 1,
    "tags": [{"name": "t"}],
    "references": [{"child_digest": "sha256:2", "platform": {"os": "linux"}}],
}


@pytest.mark.parametrize(
    ("whole", "parse", "field", "value"),
    [
        (PROJECT, lambda fields: payloads.space_of(fields, HOST), field, value)
        for field, value in (
            ("project_id", None),
            ("project_id", "7"),
            ("project_id", True),
            ("project_id", 1.5),
            ("project_id", 0),
            ("project_id", -7),
            ("name", ""),
            ("name", 7),
            ("metadata", "public"),
            ("metadata", {"public": True}),
        )
    ]
    + [
        (ARTIFACT, payloads.artifact_of, field, value)
        for field, value in (
            ("digest", None),
            ("media_type", None),
            ("size", -1),
            ("size", "1"),
            ("tags", {}),
            ("tags", [None]),
            ("tags", [{"name": None}]),
            ("references", [{"platform": {}}]),
            ("push_time", "yesterday"),
            ("push_time", 5),
            ("pull_time", "2026-13-01T00:00:00Z"),
        )
    ],
)
def test_each_field_that_is_wrong_is_an_unexpected_answer(
    whole: dict[str, Any], parse: Callable[[Fields], object], field: str, value: object
) -> None:
    parse(Fields(whole, HOST))
    with pytest.raises(UnexpectedAnswer) as caught:
        parse(Fields(whole | {field: value}, HOST))
    assert caught.value.message == "harbor.test answers with JSON that no Harbor sends."


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0001-01-01T00:00:00.000Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("", None),
        ("2026-11-24T12:00:00.123456789Z", datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-24T14:00:00+02:00", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("2026-11-24T12:00:00", datetime(2026, 11, 24, 12, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime | None) -> None:
    assert Fields({"at": text}, HOST).time("at") == moment


PARSERS: list[Callable[[bytes], object]] = [
    lambda body: payloads.parse_current_user(body, HOST),
    lambda body: payloads.parse_system_information(body, HOST),
    lambda body: payloads.parse_health(body, HOST),
    lambda body: payloads.parse_statistics(body, HOST),
    lambda body: payloads.parse_summary(body, HOST),
    lambda body: payloads.parse_audit_settings(body, HOST),
    lambda body: robots.parse_new_robot(body, HOST),
    lambda body: robots.parse_offered(body, HOST),
    lambda body: [entry_of(fields) for fields in parse_objects(body, HOST)],
    lambda body: [payloads.space_of(fields, HOST) for fields in parse_objects(body, HOST)],
    lambda body: [payloads.artifact_of(fields) for fields in parse_objects(body, HOST)],
    lambda body: [payloads.repository_of(fields) for fields in parse_objects(body, HOST)],
    lambda body: [robots.robot_of(fields) for fields in parse_objects(body, HOST)],
]

_KEYS = st.sampled_from(
    ["id", "name", "status", "components", "project_id", "quota", "hard", "storage", "permissions", "access", "value"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(_JSON)
def test_any_json_is_a_record_or_an_unexpected_answer(value: object) -> None:
    for parse in PARSERS:
        with suppress(UnexpectedAnswer):
            parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("body", "words"), [(b"", "empty page"), (b" \n<html>", "web page"), (b'{"a":', "broken"), (b"Pong", "broken")]
)
def test_what_is_no_json_says_what_it_is(body: bytes, words: str) -> None:
    for parse in PARSERS:
        with pytest.raises(UnexpectedAnswer, match=words):
            parse(body)
