"""The demonstration: the server with real registries on it, in a folder that is gone afterwards."""
