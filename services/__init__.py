"""Use cases and background work: what the server does, whoever asks."""
