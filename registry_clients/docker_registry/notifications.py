"""What a Docker Registry posts of what was done there, and the part of its configuration that has it do so.

Source: the notifications of Distribution, seen on 2.8.2 and 3.1.2: one post for each event, `{"events": […]}`, the
media type ending in v1 or v2; in order, and again and again while it isn't taken, with all behind it waiting.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from registry_clients.docker_registry.catalogue import space_of
from registry_clients.image_reference import is_digest, is_repository_name, is_tag
from registry_clients.records import NotifiedChange

SECRET_PLACEHOLDER = "PASTE-THE-SECRET-HERE"  # noqa: S105 - stands for one

# Blobs are told of before the manifest that makes anything of them, pulls after our own reading.
_CONFIGURATION = """\
notifications:
  endpoints:
    - name: integrated-registry
      url: {url}
      headers:
        Authorization: ["Bearer {secret}"]
      timeout: 5s
      threshold: 3
      backoff: 5s
      ignore:
        actions: [pull]
        mediatypes: [application/octet-stream]
"""


class NotNotifications(ValueError):
    """A body is none that a registry posts. The message quotes nothing of it."""


def parse_notifications(body: bytes) -> tuple[NotifiedChange, ...]:
    """Return the changes that a post tells of, as far as they may concern what tags name, in order.

    What tags name changes by the push of a tag, and by deletions alone: pulls, blobs, mounts and pushes by digest are
    left out, and so is what no registry could mean, such as a name that no repository can have. Raises
    NotNotifications for what isn't a post of events at all.
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotNotifications("This is not JSON.") from None
    events = envelope.get("events") if isinstance(envelope, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise NotNotifications('This holds no "events".')
    return tuple(_changes(events))


def configuration_for(url: str) -> str:
    """Return what the registry's owner adds to its configuration (YAML), with a placeholder for the secret."""
    # JSON's way to write a text is YAML's too.
    return _CONFIGURATION.format(url=json.dumps(url), secret=SECRET_PLACEHOLDER)


def _changes(events: list[dict[str, Any]]) -> Iterator[NotifiedChange]:
    for event in events:
        action, target = event.get("action"), event.get("target")
        if not isinstance(target, dict) or action not in ("push", "delete"):
            continue
        name, tag, digest = target.get("repository"), target.get("tag"), target.get("digest")
        if not isinstance(name, str) or not is_repository_name(name):
            continue
        if action == "delete":
            yield NotifiedChange(name, space_of(name))
        elif isinstance(tag, str) and is_tag(tag) and isinstance(digest, str) and is_digest(digest):
            yield NotifiedChange(name, space_of(name), tag, digest)
