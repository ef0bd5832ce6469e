"""The media types of what registries hold."""

import re

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

DOCKER_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

MANIFESTS = frozenset({OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, DOCKER_SCHEMA_1})

IMAGE_CONFIGURATIONS = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
"""What the configuration of an image is: all else is that of another kind of artifact."""

# RFC 6838, section 4.2.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}")


def media_type_of(value: object) -> str | None:
    """Return the media type in a foreign value, without its parameters; None when there is none."""
    if not isinstance(value, str):
        return None
    text = value[:1000].partition(";")[0].strip()
    return text if _MEDIA_TYPE.fullmatch(text) else None
