"""The Harbor that was recorded, as it stood before each scenario."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doubles.harbor.images import (
    OCI_CONFIGURATION,
    Image,
    Platform,
    compact_json,
    image_of_manifest,
    made_image,
    made_index,
)
from tests.doubles.harbor.recorded import recorded_body
from tests.doubles.harbor.server import HarborDouble

BASE_LAYER = {"sha256:73b1ab672d1ec19b28908ea2c31b3cdd31052f5b4b2d775766d008ef80033a76": 300278}
INDEX_CHILDREN = (
    "sha256:d8a191d145ec34380905e2195d8fc8805188729d1adca17f51da90ebad4cd5dd",
    "sha256:3595915d83415c9aa8a8aa96341f2ac0e2dea700258b11fd50cc23c82bb55e15",
)
INDEX = "sha256:674017f8e28b12c9ec334bbeef68ee2816d7f7876077ca95e9789c3d608cc459"
SMALL = "sha256:085714ad33e22ea45a750b4292daabd9325410765c2a79383c66f028251c050c"

_MADE: dict[str, Any] = {"created": "2026-01-02T03:04:05Z", "author": "team@example.org"}


class TickingClock:
    """A clock that goes on by a millisecond each time it is read, so that no two things happen at once."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += timedelta(milliseconds=1)
        return self.now


RECORDED_AT = datetime(2026, 11, 24, 11, 53, 34, tzinfo=UTC)


def build_world(harbor: HarborDouble) -> None:
    """Make what nearly all scenarios presuppose: three projects, two users, five repositories."""
    with harbor.paused() as state:
        # A user that was made and deleted before.
        state.take_id("user")
        state.add_user("dev", "Secret1word", real_name="Dev", email="dev@example.org")
        state.add_user("outsider", "Secret1word", real_name="Outsider", email="outsider@example.org")
        harbor.create_project("team")
        harbor.create_project("open", is_public=True)
        harbor.add_member("team", "dev")
        subject = web_image("1.1", "sha256:7312febecf78e7cc26f36a908a5afeb990ad15b6913f969cc02b0c298a5215d2", 361546)
        harbor.push("team/app/web", "1.0", recorded_web_image())
        harbor.push("team/app/web", "1.1", subject)
        harbor.push("team/app/web", "latest", subject)
        untagged = "sha256:1c554c30cac7f64367dec6c6e2b8e5145311e27122c02d6b898fa5db33d903b4"
        newer = "sha256:3637029451c36b21a86e80e3add7c2f0baae5d552a5d9a9d14605da1be1fb959"
        harbor.push("team/app/web", "dev", web_image("dev", untagged, 341542))
        harbor.push("team/app/web", "dev", web_image("dev", newer, 346520))
        harbor.push("team/app/api", "2.0", index_image())
        base = "sha256:67c6402d83d28504d821b733e6e3d01527a3de4405c4bcfaaefbfec8868184bb"
        harbor.push("open/base/web", "1.0", web_image(None, base, 301011))
        harbor.push("open/hello", "latest", hello_image())
        harbor.push("team/charts/web", "0.1.0", chart_image())
        for accessory in accessories(subject):
            harbor.push("team/app/web", None, accessory)
        state.audit_log.purge()


def image_configuration(version: str | None) -> dict[str, Any]:
    """Return the configuration that the recorder's images have."""
    labels = {} if version is None else {"Labels": {"version": version}}
    return {**_MADE, "config": {"Cmd": ["/bin/app"], **labels}}


def web_image(version: str | None, digest: str, size_bytes: int) -> Image:
    """Return one of the images over the common base layer; known by digest and size alone."""
    # What layers unpack to makes each configuration another one.
    configuration = {**image_configuration(version), "rootfs": {"type": "layers", "diff_ids": [digest]}}
    return made_image(digest, layers=BASE_LAYER, size_bytes=size_bytes, configuration=configuration, digest=digest)


def recorded_web_image() -> Image:
    """Return team/app/web:1.0, whose manifest and configuration were recorded."""
    manifest = recorded_body("registry", "an OCI image, asked as oci manifest")
    configuration = recorded_body("registry", "a blob")
    return image_of_manifest(compact_json(manifest), configuration.encode())


def index_image() -> Image:
    """Return team/app/api:2.0, an index over two platforms."""
    children = {}
    sizes_bytes = {"amd64": 70927, "arm64": 65937}
    for (architecture, size_bytes), digest in zip(sizes_bytes.items(), INDEX_CHILDREN, strict=True):
        platform = Platform(architecture)
        image = made_image(
            digest, size_bytes=size_bytes, platform=platform, configuration=image_configuration(None), digest=digest
        )
        # The index tells the size of its children's manifests.
        padding = bytes(403 - len(image.manifest)) if len(image.manifest) < 403 else b""
        children[platform] = replace(image, manifest=(image.manifest + padding)[:403])
    index = made_index(children)
    assert index.digest == INDEX
    return index


def hello_image() -> Image:
    """Return open/hello:latest, a Docker image."""
    manifest = recorded_body("registry", "a Docker image, asked as docker manifest")
    configuration = {"architecture": "amd64", "os": "linux", **image_configuration(None)}
    return image_of_manifest(compact_json(manifest), compact_json(configuration))


def chart_image() -> Image:
    """Return team/charts/web:0.1.0, a chart."""
    manifest = recorded_body("robots_pull", "pull another repository of the same project with that token: goes through")
    configuration = {"apiVersion": "v2", "description": "A small chart", "name": "web", "version": "0.1.0"}
    return image_of_manifest(compact_json(manifest), compact_json(configuration), kind="CHART")


def small_image() -> Image:
    """Return the image of 20941 bytes that scenarios push here and there."""
    return made_image("small", size_bytes=20941, configuration=image_configuration(None), digest=SMALL)


def big_image() -> Image:
    """Return the image that goes past a limit of a million bytes."""
    manifest = recorded_body("quotas", "pulls go on over the limit")
    configuration = {"architecture": "amd64", "os": "linux", **image_configuration(None)}
    return image_of_manifest(compact_json(manifest), compact_json(configuration))


def accessories(subject: Image) -> tuple[Image, Image]:
    """Return the signature and the bill of materials of an image."""
    # Both name the empty configuration of two bytes.
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    listed = recorded_body("registry", "referrers")["manifests"]
    signature, bill = (
        Image(
            digest=one["digest"],
            media_type=one["mediaType"],
            manifest=(b'{"artifactType":"%s"}' % one["artifactType"].encode()).ljust(one["size"]),
            configuration_media_type=OCI_CONFIGURATION,
            blob_bytes={empty: 2, f"sha256:{one['size']:064}": size - one["size"] - 2},
            subject=subject,
            kind=kind,
            accessory_kind=accessory_kind,
        )
        for one, size, kind, accessory_kind in (
            (listed[0], 699, "SIGNATURE", "signature.cosign"),
            (listed[1], 581, "UNKNOWN", "subject.accessory"),
        )
    )
    return signature, bill


def store(harbor: HarborDouble, total_bytes: int) -> None:
    """Let so many bytes be stored in all, some of them garbage."""
    with harbor.paused() as state:
        state.stored_blob_bytes.pop("garbage", None)
        state.stored_blob_bytes["garbage"] = total_bytes - sum(state.stored_blob_bytes.values())


def next_ids(harbor: HarborDouble, **ids: int) -> None:
    """Let the next ids be these: what others made in the meantime had the ones before."""
    with harbor.paused() as state:
        for kind, number in ids.items():
            state.next_ids[kind] = number - 1
