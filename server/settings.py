"""The settings, from the environment: read once, checked whole, handed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

from services.credential_cipher import parse_keys

PREFIX = "INTEGRATED_REGISTRY_"
DATABASE_FILE = "integrated-registry.sqlite3"
LONGEST_RETENTION_DAYS = 36_500


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """From which level on log lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class InvalidSettings(Exception):
    """The environment holds a setting that can't be taken; the message names each."""


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]


class Settings(BaseSettings):
    """Everything that can be set; each is INTEGRATED_REGISTRY_ and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        # Set to nothing is not set: how container platforms leave a variable out.
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    data: Path = Field(Path("data"), description="Folder of the embedded database, the keys and the admin token.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    metrics: bool = Field(
        True, description="Serve /metrics, without a credential: it has numbers and no name of anything."
    )
    public_url: str | None = Field(None, description="The address that clients use, when it is another.")
    allowed_hosts: Texts = Field((), description="Further Host headers to answer to, comma-separated.")
    allowed_origins: Texts = Field(
        (), description="Origins of frontends on other hosts, comma-separated: CORS, and WebSockets."
    )
    database_url: SecretStr | None = Field(
        None,
        description="postgres://user:password@host/name for several replicas; else SQLite in the data folder.",
    )
    encryption_keys: SecretStr | None = Field(
        None,
        description="id:base64 of 32 bytes, comma-separated, the current first; else a file in the data folder.",
    )
    tls_certificate_file: Path | None = Field(None, description="Certificate chain to serve with, PEM.")
    tls_key_file: Path | None = Field(None, description="Its private key, PEM.")
    console: bool = Field(True, description="Serve GraphiQL at /.")
    console_folder: Path = Field(
        Path(__file__).parent.parent / "console" / "dist", description="Where GraphiQL was built."
    )
    introspection: bool = Field(True, description="Answer introspection queries.")
    probe_interval_seconds: float = Field(15, ge=1, le=3600, description="How often each registry is checked.")
    synchronization_interval_seconds: float = Field(
        300, ge=5, le=86400, description="How often each registry's spaces are looked at."
    )
    usage_interval_seconds: float = Field(
        300, ge=0, le=86400, description="How often what each registry holds is measured; 0: never."
    )
    live_deadline_seconds: float = Field(
        2, gt=0, le=20, description="How long an answer waits for registries that are asked while somebody waits."
    )
    allow_loopback_registries: bool = Field(True, description="Registries may be on this machine.")
    allow_private_registries: bool = Field(True, description="Registries may be in private networks.")
    allow_loopback_workspace_registries: bool = Field(
        False, description="Registries that workspaces bring may be on this machine."
    )
    allow_private_workspace_registries: bool = Field(
        False, description="Registries that workspaces bring may be in private networks."
    )
    most_workspace_registries: int = Field(20, ge=0, description="How many registries a workspace may bring.")
    event_retention_days: float = Field(7, gt=0, le=LONGEST_RETENTION_DAYS, description="How long events are kept.")
    check_retention_hours: float = Field(
        24, gt=0, le=24 * LONGEST_RETENTION_DAYS, description="How long single health checks are kept."
    )
    audit_retention_days: float = Field(400, gt=0, le=LONGEST_RETENTION_DAYS, description="How long the audit is kept.")
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="json, console, or auto: console in a terminal, else json."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error.")

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = URL(value)
        if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
            raise ValueError("must be an http or https address, such as https://registries.example.com")
        return value.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _check_allowed_hosts(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_plain_host(value) for value in values)

    @field_validator("allowed_origins")
    @classmethod
    def _check_allowed_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_origin(value) for value in values)

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_postgresql_address(value.get_secret_value())
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _check_encryption_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _check_tls(self) -> Settings:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError(f"{PREFIX}TLS_CERTIFICATE_FILE and {PREFIX}TLS_KEY_FILE must be set both or neither")
        for file in (self.tls_certificate_file, self.tls_key_file):
            if file is not None and not file.is_file():
                raise ValueError(f"there is no file {file}")
        return self

    @property
    def tortoise_url(self) -> str:
        """The database's address as Tortoise takes it. Holds a password: never log it."""
        if self.database_url is None:
            return f"sqlite://{(self.data / DATABASE_FILE).absolute()}"
        address = self.database_url.get_secret_value()
        return f"asyncpg://{address.partition('://')[2]}"

    @property
    def database_password(self) -> str:
        """The password as it stands in the database's address, empty without; to be taken out of what others say."""
        return "" if self.database_url is None else urlsplit(self.database_url.get_secret_value()).password or ""

    @property
    def shown_database(self) -> str:
        """The database as people may see it: no password, no options."""
        if self.database_url is None:
            return str(self.data / DATABASE_FILE)
        parts = urlsplit(self.database_url.get_secret_value())
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
        return f"postgres://{user}{parts.hostname or ''}{port}{parts.path}"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the embedded one, for one process only."""
        return self.database_url is None

    @property
    def probe_interval(self) -> timedelta:
        """How often each registry is checked."""
        return timedelta(seconds=self.probe_interval_seconds)

    @property
    def synchronization_interval(self) -> timedelta:
        """How often each registry's spaces are looked at."""
        return timedelta(seconds=self.synchronization_interval_seconds)

    @property
    def usage_interval(self) -> timedelta | None:
        """How often what each registry holds is measured; None for never."""
        return timedelta(seconds=self.usage_interval_seconds) if self.usage_interval_seconds else None

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(environment: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Return the settings of an environment, with what the command line says in place of it.

    Raises InvalidSettings for a value that can't be taken and for a name that is no setting: a slip of the pen
    must not be passed over in silence.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise InvalidSettings(f"There is no setting {', '.join(unknown)}.")
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise InvalidSettings("\n".join(_complaint(detail) for detail in error.errors())) from None


def _plain_host(value: str) -> str:
    """Return a host as a Host header has it, without port. Raises ValueError."""
    url = URL(f"//{value}")
    if not url.raw_host or url.raw_path.strip("/") or url.user or url.query_string or url.fragment or "*" in value:
        raise ValueError("must be host names, such as registries.example.com, without scheme and path")
    return url.raw_host.lower()


def _origin(value: str) -> str:
    """Return an origin as browsers write it. Raises ValueError."""
    url = URL(value)
    if url.scheme not in ("http", "https") or not url.raw_host or url.raw_path.strip("/") or url.user or "*" in value:
        raise ValueError("must be origins, such as https://console.example.com, without a path")
    return str(url.origin())


def _check_postgresql_address(value: str) -> None:
    wanted = "must be an address such as postgres://user:password@host:5432/name, special characters escaped as %40"
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in ("postgres", "postgresql") and parts.path.strip("/") and "@" not in parts.path
        is_good = is_good and not parts.fragment
        # Raises for a port that is none; what it says may be part of a password with an unescaped character.
        is_good = is_good and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError(wanted)


def _complaint(detail: Any) -> str:
    name = PREFIX + "_".join(str(part) for part in detail["loc"][:1]).upper() if detail["loc"] else "Settings"
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}"
