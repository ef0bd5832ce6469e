"""Bodies of Harbor's answers, parsed at the edge: bytes become frozen records, or UnexpectedAnswer."""

from dataclasses import dataclass

from registry_clients.harbor.json_fields import Fields, parse_object, unexpected
from registry_clients.media_types import IMAGE_CONFIGURATIONS, MANIFESTS
from registry_clients.records import (
    ComponentHealth,
    FoundArtifact,
    FoundRepository,
    FoundSpace,
    FoundTag,
    PlatformManifest,
    SpaceSummary,
    StorageStatistics,
)

_HEALTHY = "healthy"
_UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """Whose credential it is. An administrator is one by Harbor's own word, or by the identity provider's."""

    username: str
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class SystemInformation:
    """What Harbor tells of itself; ``version`` is None to those who aren't logged in."""

    version: str | None
    is_read_only: bool


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What Harbor says of its parts."""

    is_healthy: bool
    components: tuple[ComponentHealth, ...]


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Which changes Harbor writes down: ``disabled_events`` are such as ``create_artifact``."""

    is_database_skipped: bool
    disabled_events: frozenset[str]


def parse_current_user(body: bytes, host: str) -> CurrentUser:
    """Return who is logged in. Source: `GET /users/current`."""
    fields = parse_object(body, host)
    return CurrentUser(
        username=fields.text("username"),
        is_administrator=fields.flag("sysadmin_flag") or fields.flag("admin_role_in_auth"),
    )


def parse_system_information(body: bytes, host: str) -> SystemInformation:
    """Return version and mode. The build behind the version (`v2.16.0-c50c7ddd`) is left out."""
    fields = parse_object(body, host)
    version = fields.optional_text("harbor_version")
    return SystemInformation(
        version=None if version is None else version.partition("-")[0],
        is_read_only=fields.flag("read_only"),
    )


def parse_health(body: bytes, host: str) -> HealthReport:
    """Return the state of each component, in Harbor's order. Source: `GET /health`."""
    fields = parse_object(body, host)
    return HealthReport(
        is_healthy=fields.text("status") == _HEALTHY,
        components=tuple(
            ComponentHealth(
                name=component.text("name"),
                is_healthy=component.text("status") == _HEALTHY,
                message=component.optional_text("error"),
            )
            for component in fields.objects("components")
        ),
    )


def parse_statistics(body: bytes, host: str) -> StorageStatistics:
    """Return the totals, which are zeros to all but administrators. Source: `GET /statistics`."""
    fields = parse_object(body, host)
    return StorageStatistics(
        storage_bytes=fields.count("total_storage_consumption"),
        space_count=fields.count("total_project_count"),
        repository_count=fields.count("total_repo_count"),
    )


def parse_summary(body: bytes, host: str) -> SpaceSummary:
    """Return what a project holds. `quota` is missing while Harbor counts none. Source: `…/summary`."""
    fields = parse_object(body, host)
    repository_count = fields.count("repo_count")
    if not fields.has("quota"):
        return SpaceSummary(repository_count, quota_used_bytes=None, quota_limit_bytes=None)
    quota = fields.fields("quota")
    limit = quota.fields("hard").number("storage")
    return SpaceSummary(
        repository_count=repository_count,
        quota_used_bytes=quota.fields("used").count("storage"),
        quota_limit_bytes=None if limit == _UNLIMITED else limit,
    )


def parse_audit_settings(body: bytes, host: str) -> AuditSettings:
    """Return what is written to the log. Source: `GET /configurations`, where each key has a `value`."""
    fields = parse_object(body, host)
    events = fields.fields("disabled_audit_log_event_types").optional_text("value") or ""
    return AuditSettings(
        is_database_skipped=fields.fields("skip_audit_log_database").flag("value"),
        disabled_events=frozenset(name for event in events.split(",") if (name := event.strip())),
    )


def space_of(fields: Fields, host: str) -> FoundSpace:
    """Return a project as a space."""
    project_id = fields.number("project_id")
    if project_id <= 0:
        raise unexpected(host)
    return FoundSpace(
        external_id=str(project_id),
        name=fields.text("name"),
        # PUT stores any text: Harbor takes "TRUE" for public as well (seen on 2.16.0); missing means private.
        is_public=(fields.fields("metadata").optional_text("public") or "").lower() == "true",
    )


def repository_of(fields: Fields) -> FoundRepository:
    """Return a repository; its name begins with its project's."""
    return FoundRepository(
        name=fields.text("name"),
        space_external_id=str(fields.number("project_id")),
        artifact_count=fields.count("artifact_count"),
        pull_count=fields.count("pull_count"),
        updated_at=fields.time("update_time"),
    )


def artifact_of(fields: Fields) -> FoundArtifact:
    """Return an artifact with its tags, and the platforms when it is an index."""
    return FoundArtifact(
        digest=fields.text("digest"),
        # `media_type` is that of an artifact's configuration. `manifest_media_type` is the manifest's own.
        media_type=fields.optional_text("manifest_media_type") or fields.text("media_type"),
        artifact_type=_artifact_type_of(fields),
        size_bytes=fields.count("size"),
        tags=tuple(_tag_of(tag) for tag in fields.objects("tags")),
        platforms=tuple(_platform_of(reference) for reference in fields.objects("references")),
        pushed_at=fields.time("push_time"),
        pulled_at=fields.time("pull_time"),
    )


def _artifact_type_of(fields: Fields) -> str | None:
    # Missing before 2.10, and for an index; where the manifest names none, it is its configuration's: `media_type`.
    artifact_type = fields.optional_text("artifact_type") or fields.text("media_type")
    is_plain = artifact_type in IMAGE_CONFIGURATIONS or artifact_type in MANIFESTS
    return None if is_plain else artifact_type


def _tag_of(fields: Fields) -> FoundTag:
    return FoundTag(
        name=fields.text("name"),
        pushed_at=fields.time("push_time"),
        pulled_at=fields.time("pull_time"),
        is_immutable=fields.flag("immutable"),
    )


def _platform_of(fields: Fields) -> PlatformManifest:
    platform = fields.fields("platform")
    return PlatformManifest(
        digest=fields.text("child_digest"),
        # An attestation in an index is for "unknown/unknown", and some tools leave both out.
        os=platform.optional_text("os") or "unknown",
        architecture=platform.optional_text("architecture") or "unknown",
        variant=platform.optional_text("variant"),
    )
