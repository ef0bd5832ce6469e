"""Stored passwords: readable with their key, for what they were stored for, and by nothing else."""

from __future__ import annotations

import base64

import pytest

from services.credential_cipher import (
    CredentialCipher,
    EncryptionKey,
    InvalidKeys,
    WrongKey,
    format_keys,
    parse_keys,
)
from services.installation import credential_purpose

PASSWORD = "planted-password-é"
PURPOSE = credential_purpose("https://registry.example/v2")
OLD, NEW = EncryptionKey.generate(), EncryptionKey.generate()


def test_what_was_encrypted_is_read_with_the_same_key() -> None:
    stored = CredentialCipher((OLD,)).encrypt(PASSWORD, PURPOSE)
    assert PASSWORD not in stored
    assert CredentialCipher((OLD,)).decrypt(stored, PURPOSE) == PASSWORD
    # While keys rotate there are two: the first encrypts, both decrypt.
    assert CredentialCipher((NEW, OLD)).decrypt(stored, PURPOSE) == PASSWORD
    assert CredentialCipher((NEW, OLD)).encrypt(PASSWORD, PURPOSE).startswith(f"{NEW.key_id}:")


def test_the_same_password_twice_reads_differently() -> None:
    cipher = CredentialCipher((OLD,))
    assert cipher.encrypt(PASSWORD, PURPOSE) != cipher.encrypt(PASSWORD, PURPOSE)


@pytest.mark.parametrize(
    "other",
    [
        "https://other.example",
        "http://registry.example/v2",
        "https://registry.example:8443/v2",
        "https://registry.example.attacker.example",
    ],
)
def test_moved_to_another_origin_it_does_not_decrypt(other: str) -> None:
    stored = CredentialCipher((OLD,)).encrypt(PASSWORD, PURPOSE)
    with pytest.raises(WrongKey):
        CredentialCipher((OLD,)).decrypt(stored, credential_purpose(other))


def test_the_path_of_an_address_is_no_part_of_its_origin() -> None:
    assert credential_purpose("https://registry.example/prefix") == credential_purpose("https://registry.example")


def test_another_key_does_not_decrypt() -> None:
    stored = CredentialCipher((OLD,)).encrypt(PASSWORD, PURPOSE)
    of_the_same_name = EncryptionKey(OLD.key_id, NEW.key)
    for keys in ((NEW,), (of_the_same_name,)):
        with pytest.raises(WrongKey) as caught:
            CredentialCipher(keys).decrypt(stored, PURPOSE)
        assert caught.value.key_id == OLD.key_id


@pytest.mark.parametrize("place", [0, 15, -1])
def test_a_changed_bit_does_not_decrypt(place: int) -> None:
    key_id, _, encoded = CredentialCipher((OLD,)).encrypt(PASSWORD, PURPOSE).partition(":")
    raw = bytearray(base64.b64decode(encoded))
    raw[place] ^= 1
    with pytest.raises(WrongKey):
        CredentialCipher((OLD,)).decrypt(f"{key_id}:{base64.b64encode(raw).decode()}", PURPOSE)


@pytest.mark.parametrize("rest", ["", "AAAA", "not base64!", "AAA"])
def test_what_is_no_ciphertext_does_not_decrypt(rest: str) -> None:
    with pytest.raises(WrongKey):
        CredentialCipher((OLD,)).decrypt(f"{OLD.key_id}:{rest}", PURPOSE)


def test_keys_are_written_and_read() -> None:
    assert parse_keys(format_keys((NEW, OLD))) == (NEW, OLD)
    assert parse_keys(format_keys((NEW, OLD)).replace("\n", ",")) == (NEW, OLD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "id",
        "id:",
        ":" + base64.b64encode(bytes(32)).decode(),
        "id:" + base64.b64encode(bytes(31)).decode(),
        "id:planted-secret!",
        f"id:{base64.b64encode(bytes(32)).decode()} id:{base64.b64encode(bytes(range(32))).decode()}",
    ],
)
def test_what_is_no_list_of_keys_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidKeys) as caught:
        parse_keys(text)
    assert "planted" not in str(caught.value)


def test_keys_stay_out_of_reprs() -> None:
    assert base64.b64encode(OLD.key).decode() not in repr(OLD)
    assert repr(OLD.key) not in repr(OLD)
