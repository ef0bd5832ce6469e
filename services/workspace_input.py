"""What may be written of workspaces and namespaces: the rules, and Kubernetes' own.

Source for namespaces and labels: Kubernetes' "Object Names and IDs" and "Labels and Selectors".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.user_errors import InvalidInput, Path, UserErrors

EXTERNAL_ID_CHARACTERS = 255
MOST_NAMESPACES = 1000
MOST_LABELS = 64
LABEL_CHARACTERS = 63
LABEL_PREFIX_CHARACTERS = 253

DEFAULT_CLUSTER = "default"

_DNS_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")

_DNS_LABEL_RULE = "lower case letters, digits and dashes, beginning and ending with a letter or digit, 63 at most"


@dataclass(frozen=True, slots=True, order=True)
class NamespaceName:
    """A namespace as a person names it: the cluster, and its name there."""

    cluster: str
    name: str


def checked_external_id(text: str | None, path: Path) -> str | None:
    """Return the external id; None for none. Raises InvalidInput."""
    if text is None:
        return None
    if not text or text != text.strip():
        raise InvalidInput("An external id must not be empty, nor have spaces around it.", path)
    if len(text) > EXTERNAL_ID_CHARACTERS:
        raise InvalidInput(f"An external id has at most {EXTERNAL_ID_CHARACTERS} characters.", path)
    if not text.isprintable():
        raise InvalidInput("An external id must not contain control characters or line breaks.", path)
    return text


def checked_namespaces(given: Sequence[NamespaceName], path: Path) -> tuple[NamespaceName, ...]:
    """Return the namespaces. Raises UserErrors for names that Kubernetes refuses, for duplicates, for too many."""
    if len(given) > MOST_NAMESPACES:
        raise InvalidInput(f"At most {MOST_NAMESPACES} namespaces can be given at once; these are {len(given)}.", path)
    errors: list[InvalidInput] = []
    seen: set[NamespaceName] = set()
    for index, namespace in enumerate(given):
        place = (*path, str(index))
        if not _DNS_LABEL.fullmatch(namespace.name):
            errors.append(InvalidInput(f"Kubernetes takes no such namespace: {_DNS_LABEL_RULE}.", (*place, "name")))
        if not _DNS_LABEL.fullmatch(namespace.cluster):
            errors.append(InvalidInput(f"A cluster's name is {_DNS_LABEL_RULE}.", (*place, "cluster")))
        if namespace in seen:
            errors.append(InvalidInput("This namespace is named twice: name each once.", place))
        seen.add(namespace)
    if errors:
        raise UserErrors(list(errors))
    return tuple(given)


def checked_labels(given: Sequence[tuple[str, str]], path: Path) -> Mapping[str, str]:
    """Return the labels by key. Raises UserErrors for what Kubernetes would refuse as a label, and duplicates."""
    if len(given) > MOST_LABELS:
        raise InvalidInput(f"At most {MOST_LABELS} labels can be given; these are {len(given)}.", path)
    errors: list[InvalidInput] = []
    labels: dict[str, str] = {}
    for index, (key, value) in enumerate(given):
        place = (*path, str(index))
        if not _is_label_key(key):
            errors.append(
                InvalidInput(
                    "A label's key is written name or prefix/name: the name of letters, digits, dashes, underscores "
                    f"and dots, {LABEL_CHARACTERS} at most, the prefix a DNS name.",
                    (*place, "key"),
                )
            )
        elif key in labels:
            errors.append(InvalidInput(f"The label “{key}” is given twice.", (*place, "key")))
        if value and not _LABEL_NAME.fullmatch(value):
            errors.append(
                InvalidInput(
                    "A label's value is empty, or letters, digits, dashes, underscores and dots, "
                    f"{LABEL_CHARACTERS} at most, beginning and ending with a letter or digit.",
                    (*place, "value"),
                )
            )
        labels[key] = value
    if errors:
        raise UserErrors(list(errors))
    return labels


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= LABEL_PREFIX_CHARACTERS and _DNS_SUBDOMAIN.fullmatch(prefix)):
        return False
    return _LABEL_NAME.fullmatch(name) is not None
