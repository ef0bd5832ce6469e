"""The settings: each wrong one is named, and nothing of its value is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.settings import PREFIX, InvalidSettings, Settings, read_settings

MARKER = "marker"
KEY = "one:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def complaint(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(InvalidSettings) as refused:
        read_settings()
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "marker"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("METRICS", "marker"),
        ("CONSOLE", "marker"),
        ("INTROSPECTION", "marker"),
        ("PUBLIC_URL", "marker.example.com"),
        ("PUBLIC_URL", "ftp://marker.example.com"),
        ("PUBLIC_URL", "https://user:marker@example.com"),
        ("PUBLIC_URL", "https://example.com/?marker"),
        ("PUBLIC_URL", "https://example.com/#marker"),
        ("PUBLIC_URL", "https://example.com:marker"),
        ("ALLOWED_HOSTS", "https://marker.example.com"),
        ("ALLOWED_HOSTS", "good.example.com,marker.example.com/path"),
        ("ALLOWED_HOSTS", "*.marker.example.com"),
        ("ALLOWED_ORIGINS", "marker.example.com"),
        ("ALLOWED_ORIGINS", "https://marker.example.com/path"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("DATABASE_URL", "marker"),
        ("DATABASE_URL", "mysql://user:marker@host/name"),
        ("DATABASE_URL", "sqlite://marker"),
        ("DATABASE_URL", "postgres://user:marker@host"),
        ("DATABASE_URL", "postgres://user:mar#marker@host/name"),
        ("DATABASE_URL", "postgres://user:/marker@host/name"),
        ("ENCRYPTION_KEYS", "marker"),
        ("ENCRYPTION_KEYS", "marker:marker"),
        ("ENCRYPTION_KEYS", "one:bWFya2Vy"),
        ("ENCRYPTION_KEYS", "ü:ü"),
        ("PROBE_INTERVAL_SECONDS", "0.5"),
        ("PROBE_INTERVAL_SECONDS", "nan"),
        ("PROBE_INTERVAL_SECONDS", "inf"),
        ("SYNCHRONIZATION_INTERVAL_SECONDS", "1"),
        ("ALLOW_LOOPBACK_REGISTRIES", "marker"),
        ("ALLOW_PRIVATE_REGISTRIES", "marker"),
        ("EVENT_RETENTION_DAYS", "0"),
        ("EVENT_RETENTION_DAYS", "1e12"),
        ("CHECK_RETENTION_HOURS", "inf"),
        ("AUDIT_RETENTION_DAYS", "-1"),
        ("LOG_FORMAT", "marker"),
        ("LOG_LEVEL", "marker"),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    said = complaint(monkeypatch, name, value)
    assert said.startswith(f"{PREFIX}{name}: ")
    assert "\n" not in said
    assert MARKER not in said


def test_half_of_tls_and_missing_files_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "both or neither" in complaint(monkeypatch, "TLS_KEY_FILE", str(file))
    missing = tmp_path / "missing"
    assert complaint(monkeypatch, "TLS_CERTIFICATE_FILE", str(missing)).endswith(f"there is no file {missing}")


@pytest.mark.parametrize("name", ["PROT", "DATABASEURL", "_PORT"])
def test_an_unknown_name_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert complaint(monkeypatch, name, MARKER) == f"There is no setting {PREFIX}{name}."


def test_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = read_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(PREFIX + name.upper(), "")
    assert read_settings() == defaults


def test_secrets_stay_out_of_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "DATABASE_URL", f"postgres://user:{MARKER}@host/name")
    monkeypatch.setenv(PREFIX + "ENCRYPTION_KEYS", KEY)
    settings = read_settings()
    shown = repr(settings) + str(settings) + settings.shown_database
    assert MARKER not in shown
    assert KEY not in shown
    assert settings.shown_database == "postgres://user@host/name"
    assert settings.tortoise_url == f"asyncpg://user:{MARKER}@host/name"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_hosts_and_origins_are_taken_as_browsers_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "ALLOWED_HOSTS", "One.Example.com:8443, bücher.example")
    monkeypatch.setenv(PREFIX + "ALLOWED_ORIGINS", "https://One.Example.com/,http://two.example.com:8080")
    settings = read_settings()
    assert settings.allowed_hosts == ("one.example.com", "xn--bcher-kva.example")
    assert settings.allowed_origins == ("https://one.example.com", "http://two.example.com:8080")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 9000}, "http://127.0.0.1:9000"),  # noqa: S104
        ({"host": "::"}, "http://[::1]:8000"),
        ({"host": "registries.internal"}, "http://registries.internal:8000"),
        ({"public_url": "https://registries.example.com/"}, "https://registries.example.com"),
        ({"port": 9000, "public_url": "http://registries.example.com:81/base"}, "http://registries.example.com:81/base"),
    ],
)  # fmt: skip
def test_where_the_server_is_reached(given: dict[str, Any], address: str) -> None:
    assert read_settings({}, **given).address == address
