"""Addresses within Harbor's API, escaped as Harbor reads them."""

from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from registry_clients.image_reference import is_repository_name


def api_url(registry: URL, segments: tuple[str, ...], query: Mapping[str, str] | None = None) -> URL:
    """Return the address of something in the API of a Harbor, which may stand behind a path prefix."""
    path = "/".join(quote(segment, safe="") for segment in segments)
    # Blanks in `q` as %20: what is escaped here must not be escaped again, nor read as a plus.
    parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items())
    address = f"{str(registry).rstrip('/')}/api/v2.0/{path}"
    return URL(f"{address}?{parameters}" if parameters else address, encoded=True)


def is_harbor_repository(repository_name: str) -> bool:
    """Say whether a whole name can be a repository's here: what is none might lead elsewhere in a path."""
    return "/" in repository_name and is_repository_name(repository_name)


def project_segment(repository_name: str) -> str:
    """Return the project that a repository belongs to, by its whole name."""
    return repository_name.partition("/")[0]


def repository_segment(repository_name: str) -> str:
    """Return a repository's name within its project, escaped once.

    The path is escaped again: seen on 2.16.0, `team/app/web` is `…/team/repositories/app%252Fweb`.
    """
    return quote(repository_name.partition("/")[2], safe="")


def repository_segments(repository_name: str) -> tuple[str, ...]:
    """Return the path of a repository within the API, by its whole name."""
    return ("projects", project_segment(repository_name), "repositories", repository_segment(repository_name))


def artifacts_segments(repository_name: str) -> tuple[str, ...]:
    """Return the path of what is in a repository within the API, by its whole name."""
    return (*repository_segments(repository_name), "artifacts")
