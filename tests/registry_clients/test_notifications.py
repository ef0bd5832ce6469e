"""What a Docker Registry posts unasked, read: what may matter stays, what can't is passed over."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.docker_registry.notifications import (
    SECRET_PLACEHOLDER,
    NotNotifications,
    configuration_for,
    parse_notifications,
)
from registry_clients.kind import Ability
from registry_clients.kinds import KIND_DESCRIPTIONS
from registry_clients.notifications import NOTIFICATION_FORMATS
from registry_clients.records import NotifiedChange
from tests.recordings.recording import read_recording
from tests.registry_clients.docker_registry_answers import BOTH

APP = "sha256:0552ab8ab5268d2ee1237a9a3863104ace05d576b08d719803af431f0cd7ef03"
INDEX = "sha256:66090da7b32263e113e9f7f82bca306cd04e51d9b83cce5fa9f947a2e11712fc"
TAGGED = {"repository": "team/app", "tag": "1", "digest": APP}


def told(version: str, name: str, *whats: str) -> dict[str, list[NotifiedChange]]:
    """Return what was told by each thing that was done, in order."""
    found: dict[str, list[NotifiedChange]] = {}
    for exchange in read_recording(f"{version}/{name}")["exchanges"]:
        request = exchange.get("request") or {}
        if request.get("method") == "POST":
            changes = parse_notifications(json.dumps(request["body"]).encode())
            found.setdefault(exchange["what"], []).extend(changes)
    return found


def parsed(*events: Any) -> tuple[NotifiedChange, ...]:
    return parse_notifications(json.dumps({"events": events}).encode())


@BOTH
def test_what_changes_tags_is_taken_and_nothing_else(version: str) -> None:
    found = told(version, "notifications")
    if version == "distribution-3.1.2":
        assert found.pop("delete of a tag") == [NotifiedChange("team/multi", "team")]
    assert found == {
        "a push by skopeo: three blobs and a manifest": [NotifiedChange("team/app", "team", "v1", APP)],
        "GET of a manifest by tag": [],
        "HEAD of a manifest": [],
        "GET of a manifest by digest": [],
        "GET of a layer": [],
        "HEAD of a layer": [],
        "a mount": [],
        "an index": [NotifiedChange("team/multi", "team", "latest", INDEX)],
        "a second tag on the same digest": [NotifiedChange("team/app", "team", "v1.0", APP)],
        # Of the digest, and of each of its tags.
        "delete of a manifest with two tags": [NotifiedChange("team/app", "team")] * 3,
        "delete of a blob": [NotifiedChange("team/copy", "team")],
    }


@BOTH
def test_with_what_the_snippet_leaves_out_the_pushes_still_come(version: str) -> None:
    recorded = read_recording(f"{version}/notifications_narrowed")["configuration"]["notifications"]["endpoints"][0]
    assert recorded["ignore"] == {"actions": ["pull"], "mediatypes": ["application/octet-stream"]}
    (changes,) = told(version, "notifications_narrowed").values()
    assert changes == [NotifiedChange("team/app", "team", "v1", APP)]


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"<html>", b'{"events": [', b"null", b"[]", b'"events"', b"{}", b'{"events": null}',
     b'{"events": {}}', b'{"events": [1]}', b'{"events": [null]}', b'{"events": [[]]}', b"\xff\xfe", b"[" * 5000],
)  # fmt: skip
def test_what_is_no_post_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(NotNotifications):
        parse_notifications(body)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "push"},
        {"action": "push", "target": None},
        {"action": "push", "target": []},
        {"action": "push", "target": {}},
        {"action": ["push"], "target": TAGGED},
        {"action": "PUSH", "target": TAGGED},
        {"action": "mount", "target": TAGGED},
        {"action": "pull", "target": TAGGED},
        {"action": "push", "target": {**TAGGED, "repository": 1}},
        {"action": "push", "target": {**TAGGED, "repository": "Team/App"}},
        {"action": "push", "target": {**TAGGED, "repository": "team/../app"}},
        {"action": "push", "target": {**TAGGED, "repository": "a" * 256}},
        {"action": "push", "target": {**TAGGED, "tag": None}},
        {"action": "push", "target": {**TAGGED, "tag": ""}},
        {"action": "push", "target": {**TAGGED, "tag": "a b"}},
        {"action": "push", "target": {**TAGGED, "tag": "a" * 129}},
        {"action": "push", "target": {**TAGGED, "digest": ""}},
        {"action": "push", "target": {**TAGGED, "digest": "sha256:1"}},
        {"action": "push", "target": {**TAGGED, "digest": {"sha256": APP}}},
        {"action": "delete", "target": {"repository": "team/app:1"}},
        {"action": "delete", "target": {"repository": "team/\x00app"}},
    ],
)
def test_an_event_that_makes_no_sense_keeps_no_other_from_being_read(event: dict[str, Any]) -> None:
    assert parsed(event, {"action": "push", "target": TAGGED}) == (NotifiedChange("team/app", "team", "1", APP),)


def test_a_name_of_one_segment_belongs_to_the_library() -> None:
    event = {"action": "push", "target": {**TAGGED, "repository": "web"}}
    assert parsed(event) == (NotifiedChange("web", "library", "1", APP),)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(NotNotifications):
        parse_notifications(body)


_json = st.sampled_from([None, True, 0, -1.5, "", "team/app", "a b", APP, [], ["push"], {}, {"a": 1}])
_target = st.dictionaries(st.sampled_from(["repository", "tag", "digest", "mediaType"]), _json)
_event = st.fixed_dictionaries({}, optional={"action": st.sampled_from(["push", "delete"]) | _json, "target": _target})


@given(st.lists(_event, max_size=3))
def test_events_of_any_shape_are_read(events: list[dict[str, Any]]) -> None:
    assert all(isinstance(change, NotifiedChange) for change in parsed(*events))


def test_the_snippet_names_the_address_and_a_placeholder_alone() -> None:
    address = "https://registries.example/hooks/distribution/ab12"
    snippet = configuration_for(address)
    assert f'      url: "{address}"\n' in snippet
    assert f'        Authorization: ["Bearer {SECRET_PLACEHOLDER}"]\n' in snippet
    assert "        actions: [pull]\n" in snippet


def test_every_kind_that_sends_notifications_has_its_format() -> None:
    sending = {kind for kind, of in KIND_DESCRIPTIONS.items() if Ability.NOTIFICATIONS in of.abilities}
    assert set(NOTIFICATION_FORMATS) == sending
