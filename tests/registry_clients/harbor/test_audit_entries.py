"""Entries of the audit log, read as changes."""

import pytest

from registry_clients.harbor.audit_entries import entry_of
from registry_clients.harbor.json_fields import Fields, parse_objects
from registry_clients.records import ChangeKind
from tests.recordings.recording import recorded_response

TAIL = "harbor-2.16.0/audit_tail"


def test_recorded_entries_one_by_one() -> None:
    entries = parse_objects(recorded_response(TAIL, "changes since the beginning").body, "harbor.test")
    digest = "sha256:f95c21d463bbc0aff8be3c365800d1558f6e37025283d17ba5edd0753650e379"
    assert [
        (change.kind, change.space_name, change.repository_name, change.reference)
        for change in (entry_of(fields).change for fields in entries)
    ] == [
        (ChangeKind.SPACE_CREATED, "rec-tail", None, None),
        (ChangeKind.SPACE_CHANGED, "rec-tail", None, None),
        (ChangeKind.ARTIFACT_PUSHED, "rec-tail", "rec-tail/hello", "1"),
        (ChangeKind.TAG_CHANGED, "rec-tail", "rec-tail/hello", "2"),
        (ChangeKind.TAG_DELETED, "rec-tail", "rec-tail/hello", "2"),
        (ChangeKind.ARTIFACT_DELETED, "rec-tail", "rec-tail/hello", digest),
        (ChangeKind.REPOSITORY_DELETED, "rec-tail", "rec-tail/hello", None),
        (ChangeKind.SPACE_DELETED, "rec-tail", None, None),
    ]


@pytest.mark.parametrize(
    ("resource_type", "resource", "place"),
    [
        ("artifact", "team/a:5000/b", ("team", "team/a:5000/b", None)),
        ("artifact", "team/app", ("team", "team/app", None)),
        ("artifact", "app:1", (None, None, None)),
        ("artifact", "/app:1", (None, None, None)),
        ("artifact", "", (None, None, None)),
        ("project", "", (None, None, None)),
        ("member", "dev", (None, None, None)),
    ],
)
def test_what_an_entry_does_not_name_is_none(resource_type: str, resource: str, place: tuple[str | None, ...]) -> None:
    fields = {"id": 1, "operation": "create", "resource_type": resource_type, "resource": resource}
    change = entry_of(Fields(fields, "harbor.test")).change
    assert (change.space_name, change.repository_name, change.reference) == place
    assert change.occurred_at is None
