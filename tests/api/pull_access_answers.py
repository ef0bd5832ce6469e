"""Images, and what the namespace `shop-web` is to be told of them at the platform of `pull_access_platform`."""

from __future__ import annotations

from typing import Any

DIGEST = "sha256:" + "0f" * 32
SHOP = "the namespace “shop-web” of the cluster “default”"
BANK = "the namespace “bank-web” of the cluster “default”"


def answer(
    reason: str,
    explanation: str,
    *,
    space: tuple[str, str, str] | None = None,
    binding: tuple[str, str] | None = None,
    workspace: str | None = None,
    understood: dict[str, str | None] | None = None,
) -> dict[str, Any]:
    """Return the whole answer: a space by registry, name and state, a binding by state and workspace."""
    return {
        "isAllowed": reason in ("SPACE_IS_PUBLIC", "BOUND"),
        "reason": reason,
        "explanation": explanation,
        "image": understood,
        "space": None if space is None else dict(zip(("name", "state", "integration"), _named(*space), strict=True)),
        "binding": None if binding is None else {"state": binding[0], "workspace": {"name": binding[1]}},
        "workspace": None if workspace is None else {"name": workspace},
    }


def _named(registry: str, name: str, state: str) -> tuple[str, str, dict[str, str]]:
    return name, state, {"name": registry}


def image(host: str, repository: str, tag: str | None = None, digest: str | None = None) -> dict[str, str | None]:
    """Return an image as it is understood."""
    text = f"{host}/{repository}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    return {"host": host, "repository": repository, "tag": tag, "digest": digest, "text": text}


IS_BOUND = f"The space “{{}}” of “{{}}” is bound to the workspace “Shop”, to which {SHOP} belongs."
IS_PUBLIC = "The space “{}” of “{}” is public: every namespace may pull from it."
IS_PUBLIC_TO_OWNERS = (
    "The space “{}” of “{}” is public: every namespace of the workspace that brought it may pull from it."
)

ANSWERS = {
    "bound": (
        f"plain.example/team/web:1.0@{DIGEST}",
        answer(
            "BOUND",
            IS_BOUND.format("team", "Plain"),
            space=("Plain", "team", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("plain.example", "team/web", tag="1.0", digest=DIGEST),
        ),
    ),
    "by an alias, in upper case, no tag": (
        "MIRROR.example:5000/team/web/deep",
        answer(
            "BOUND",
            IS_BOUND.format("team", "Plain"),
            space=("Plain", "team", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("mirror.example:5000", "team/web/deep"),
        ),
    ),
    "one segment at a plain registry": (
        "plain.example:443/nginx",
        answer(
            "BOUND",
            IS_BOUND.format("library", "Plain"),
            space=("Plain", "library", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("plain.example", "nginx"),
        ),
    ),
    "declared": (
        "plain.example/later/web",
        answer(
            "BOUND",
            IS_BOUND.format("later", "Plain"),
            space=("Plain", "later", "DECLARED"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("plain.example", "later/web"),
        ),
    ),
    "own registry": (
        "own.example/mine/web",
        answer(
            "BOUND",
            IS_BOUND.format("mine", "Own"),
            space=("Own", "mine", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("own.example", "mine/web"),
        ),
    ),
    "own registry, not bound": (
        "own.example/rest/web",
        answer(
            "NOT_BOUND",
            f"The space “rest” of “Own” is private and not bound to the workspace “Shop”, to which {SHOP} belongs: bind"
            " it to let them pull.",
            space=("Own", "rest", "PRESENT"),
            workspace="Shop",
            understood=image("own.example", "rest/web"),
        ),
    ),
    "own registry, public": (
        "own.example/open/web",
        answer(
            "SPACE_IS_PUBLIC",
            IS_PUBLIC_TO_OWNERS.format("open", "Own"),
            space=("Own", "open", "PRESENT"),
            workspace="Shop",
            understood=image("own.example", "open/web"),
        ),
    ),
    "a host that the platform holds too": (
        "plain.example/only-there/web",
        answer(
            "UNKNOWN_SPACE",
            f"“Plain” has no space “only-there” that {SHOP} could pull from: check the name, or ask a platform"
            " administrator to bind it to the workspace “Shop”.",
            workspace="Shop",
            understood=image("plain.example", "only-there/web"),
        ),
    ),
    "public": (
        "plain.example/open/web:Latest",
        answer(
            "SPACE_IS_PUBLIC",
            IS_PUBLIC.format("open", "Plain"),
            space=("Plain", "open", "PRESENT"),
            workspace="Shop",
            understood=image("plain.example", "open/web", tag="Latest"),
        ),
    ),
    "Docker Hub's shortest": (
        "nginx",
        answer(
            "SPACE_IS_PUBLIC",
            IS_PUBLIC.format("library", "Hub"),
            space=("Hub", "library", "PRESENT"),
            workspace="Shop",
            understood=image("docker.io", "library/nginx"),
        ),
    ),
    "Docker Hub, short": (
        "team/web:2",
        answer(
            "BOUND",
            IS_BOUND.format("team", "Hub"),
            space=("Hub", "team", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("docker.io", "team/web", tag="2"),
        ),
    ),
    "Docker Hub, old": (
        "index.docker.io/team/web",
        answer(
            "BOUND",
            IS_BOUND.format("team", "Hub"),
            space=("Hub", "team", "PRESENT"),
            binding=("ACTIVE", "Shop"),
            workspace="Shop",
            understood=image("docker.io", "team/web"),
        ),
    ),
    "taken back": (
        "plain.example/back/web",
        answer(
            "NOT_BOUND",
            "The space “back” of “Plain” is private and not bound to the workspace “Shop” any longer, to which"
            f" {SHOP} belongs: bind it to let them pull.",
            space=("Plain", "back", "PRESENT"),
            binding=("REVOKING", "Shop"),
            workspace="Shop",
            understood=image("plain.example", "back/web"),
        ),
    ),
    "vanished": (
        "plain.example/gone/web",
        answer(
            "UNKNOWN_SPACE",
            "The space “gone” is no longer at “Plain”, and its binding to the workspace “Shop” is suspended: make it"
            " again, or use another.",
            space=("Plain", "gone", "VANISHED"),
            binding=("SUSPENDED", "Shop"),
            workspace="Shop",
            understood=image("plain.example", "gone/web"),
        ),
    ),
    "another project of that name": (
        "harbor.example/team/web",
        answer(
            "NOT_BOUND",
            f"The space “team” of “Harbor” is private and not bound to the workspace “Shop”, to which {SHOP} belongs:"
            " bind it to let them pull.",
            space=("Harbor", "team", "PRESENT"),
            workspace="Shop",
            understood=image("harbor.example", "team/web"),
        ),
    ),
    "no project at a Harbor": (
        "harbor.example/web",
        answer(
            "UNKNOWN_SPACE",
            "“web” names no project: images of “Harbor” are written harbor.example/project/repository.",
            workspace="Shop",
            understood=image("harbor.example", "web"),
        ),
    ),
    "another port": (
        "plain.example:5000/team/web",
        answer(
            "UNKNOWN_REGISTRY",
            "No integrated registry has the image host “plain.example:5000”: integrate it, or add the host to the"
            " aliases of the integration whose images it serves.",
            workspace="Shop",
            understood=image("plain.example:5000", "team/web"),
        ),
    ),
    "no such space": (
        "plain.example/teams/web",
        answer(
            "UNKNOWN_SPACE",
            f"“Plain” has no space “teams” that {SHOP} could pull from: check the name, or ask a platform"
            " administrator to bind it to the workspace “Shop”.",
            workspace="Shop",
            understood=image("plain.example", "teams/web"),
        ),
    ),
    "upper case": (
        "plain.example/Team/web",
        answer(
            "INVALID_IMAGE",
            "The repository of an image has lower case letters alone, such as registry.example.com/team/app:1.0.",
        ),
    ),
    "a wrong digest": (
        "plain.example/team/web@sha256:0f0f",
        answer(
            "INVALID_IMAGE",
            "A sha256 digest is written with 64 lower case hexadecimal digits: app@sha256:…",
        ),
    ),
    "5,000 characters": (
        "plain.example/team/" + "w" * 4981,
        answer("INVALID_IMAGE", "An image reference has 1024 characters at most."),
    ),
    "nothing": ("", answer("INVALID_IMAGE", "Give the image, such as registry.example.com/team/app:1.0.")),
}
