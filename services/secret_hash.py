"""What is stored of secrets that we make ourselves."""

import hashlib


def secret_hash(secret: str) -> str:
    """Return what tells a secret of ours from every other text: BLAKE2b-256, hex."""
    # It holds 256 random bits, so a fast hash is enough: there is nothing to guess.
    return hashlib.blake2b(secret.encode(errors="surrogatepass"), digest_size=32).hexdigest()
