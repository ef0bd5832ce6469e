"""The server as a whole answers."""

from tests.serving import RunningServer


def test_viewer_is_the_admin_of_first_start(server: RunningServer) -> None:
    assert server.graphql("{ viewer { name role } }") == {"viewer": {"name": "admin", "role": "PLATFORM_ADMIN"}}
