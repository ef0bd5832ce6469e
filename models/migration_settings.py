"""What Tortoise's command line wants to know to write a migration: `make migration NAME=what_it_does`."""

from models.database import apps

TORTOISE_ORM = {"connections": {"models": "sqlite://:memory:"}, "apps": apps("models")}
