"""The three registries of the demonstration, and what lies in them at the beginning."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.certificates import certificate_for_this_machine
from demo.docker_registry import DockerRegistry
from demo.images import push_image

USERNAME: Final = "demo"
PASSWORD: Final = "demo-password"  # noqa: S105 (printed on the screen; it protects nothing)

_REPOSITORIES: Final = {
    "workshop": ("payments/api", "payments/worker", "search/indexer", "tools/linter", "sandbox/hello"),
    "archive": ("releases/payments", "releases/search", "audit/reports"),
    "vault": ("base/debian", "base/python", "signing/keys", "compliance/scanner"),
}


@dataclass(frozen=True, slots=True)
class DemoRegistry:
    """One registry, with its name and what there is to say of it."""

    name: str
    description: str
    server: DockerRegistry
    has_users: bool

    @property
    def username(self) -> str | None:
        """Who may pull and push; None where everybody may."""
        return USERNAME if self.has_users else None

    @property
    def password(self) -> str | None:
        """The password of that user."""
        return PASSWORD if self.has_users else None

    def fill(self) -> None:
        """Push the first images. Raises PushFailed, OSError."""
        for repository in _REPOSITORIES[self.name]:
            push_image(self.server, repository, "1.0")

    def push(self, repository: str) -> None:
        """Push one image. Raises PushFailed, OSError."""
        push_image(self.server, repository, "1.0")

    def forget_space(self, space: str) -> None:
        """Delete all images of a space where they lie: the registry itself has no way to do so."""
        shutil.rmtree(self.server.storage / "docker" / "registry" / "v2" / "repositories" / space)


def demo_registries(executable: str, folder: Path) -> list[DemoRegistry]:
    """Return the registries, not started yet, each in a folder of its own."""
    users = {USERNAME: PASSWORD}
    return [
        DemoRegistry("workshop", "open to everybody", DockerRegistry(executable, folder / "workshop"), False),
        DemoRegistry(
            "archive",
            f"asks for user {USERNAME} with password {PASSWORD}",
            DockerRegistry(executable, folder / "archive", users=users),
            True,
        ),
        DemoRegistry(
            "vault",
            "the same user, and TLS with a certificate authority of its own",
            DockerRegistry(executable, folder / "vault", users=users, certificate=certificate_for_this_machine()),
            True,
        ),
    ]
