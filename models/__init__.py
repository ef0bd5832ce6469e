"""The stored model: tables, their migrations, and the one way to the database."""
