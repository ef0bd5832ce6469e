"""All SQL that differs between the databases, and nothing else."""

from models.dialects.dialect import Dialect
from models.dialects.postgresql import PostgreSQL
from models.dialects.sqlite import SQLite

DIALECTS: dict[str, Dialect] = {"sqlite": SQLite(), "postgres": PostgreSQL()}
"""By Tortoise's own name of the engine."""

__all__ = ["DIALECTS", "Dialect", "PostgreSQL", "SQLite"]
