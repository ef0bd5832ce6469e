"""An audit row whose end can't be written leaves the mutation done, and says that it was."""

import pytest

from models.event import AuditEvent
from tests.serving import RunningServer

CREATE = """mutation {
  createAccessToken(input: {name: "kept", role: PLATFORM_ADMIN, expiresAt: "2030-01-01T00:00:00Z"}) {
    token
    errors { code }
  }
}"""


def test_a_mutation_whose_end_cannot_be_written_is_answered(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(AuditEvent, "filter", no_room)
        answer = server.graphql(CREATE)["createAccessToken"]

    assert answer["errors"] == []
    assert server.graphql("{ viewer { name } }", token=answer["token"]) == {"viewer": {"name": "kept"}}
    audit = server.graphql("{ auditEvents { nodes { mutation outcome } } }")["auditEvents"]["nodes"]
    assert audit == [{"mutation": "createAccessToken", "outcome": "STARTED"}]
