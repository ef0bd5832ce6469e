"""The client for Docker Registry, that is Distribution 2.8 and 3, and what speaks its protocol."""
