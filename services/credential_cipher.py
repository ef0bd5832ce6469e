"""Encryption of registry credentials at rest: AES-256-GCM under named keys that lie outside the database."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class WrongKey(Exception):
    """A stored text can't be decrypted with the keys at hand."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"What is stored was encrypted with the key {key_id}, and the key given is another or missing."
        )
        self.key_id = key_id


class InvalidKeys(ValueError):
    """A text is no list of encryption keys. Never quotes it."""


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A named 256-bit key."""

    key_id: str
    key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> EncryptionKey:
        """Return a new random key under a new random name."""
        return cls(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES))


class CredentialCipher:
    """Encrypts with the first of its keys, decrypts with any.

    Every text is bound to a purpose (the origin that a password is for): moved to another row of the database,
    it no longer decrypts.
    """

    def __init__(self, keys: tuple[EncryptionKey, ...]) -> None:
        if not keys:
            raise InvalidKeys("There must be at least one encryption key.")
        self.keys = keys
        self._ciphers = {key.key_id: AESGCM(key.key) for key in keys}

    def encrypt(self, text: str, purpose: str) -> str:
        """Return `key id:base64(nonce and ciphertext)`."""
        current = self.keys[0].key_id
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[current].encrypt(nonce, text.encode(), purpose.encode())
        return f"{current}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, purpose: str) -> str:
        """Return the text. Raises WrongKey when no key fits, or the text was made for another purpose."""
        key_id, _, encoded = stored.partition(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise WrongKey(key_id)
        try:
            raw = base64.b64decode(encoded, validate=True)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:
            # ValueError: what is stored is no ciphertext at all.
            raise WrongKey(key_id) from error


def format_keys(keys: tuple[EncryptionKey, ...]) -> str:
    """Return the keys as they are kept in a file: `id:base64`, one a line, the one to encrypt with first."""
    return "".join(f"{key.key_id}:{base64.b64encode(key.key).decode()}\n" for key in keys)


def parse_keys(text: str) -> tuple[EncryptionKey, ...]:
    """Return the keys in a text that `format_keys` made; commas serve as well as lines.

    Raises InvalidKeys.
    """
    keys = []
    for entry in text.replace(",", "\n").split():
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            # binascii.Error is one; a character that isn't ASCII is another.
            raise InvalidKeys("An encryption key is not base64.") from error
        if not key_id or len(key) != KEY_BYTES:
            raise InvalidKeys(f"An encryption key must be written id:base64 of {KEY_BYTES} bytes.")
        keys.append(EncryptionKey(key_id, key))
    if not keys:
        raise InvalidKeys("There is no encryption key.")
    if len({key.key_id for key in keys}) != len(keys):
        raise InvalidKeys("Two encryption keys have the same id.")
    return tuple(keys)
