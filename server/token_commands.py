"""`integrated-registry token`: access tokens, also while the server runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from models.database import Database
from models.enums import Role
from models.queries.access_tokens import ACCESS_TOKENS, NEWEST_FIRST, every_token
from models.queries.sight import EVERYTHING
from models.queries.workspaces import workspace_by_name
from models.reading import PageRequest
from models.records import AccessTokenRecord
from server.command_running import with_database
from services.access_tokens import AccessTokens
from services.clock import utc_now
from services.user_errors import InvalidInput

MOST_LISTED = 1000
LARGEST_ID = 2**63 - 1

token = typer.Typer(help="Access tokens.", no_args_is_help=True)


@token.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="What its bearer may do.")] = Role.PLATFORM_ADMIN,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
    workspace: Annotated[
        str | None, typer.Option(help="The name of the workspace that the role is for; PLATFORM_ADMIN has none.")
    ] = None,
) -> None:
    """Make an access token and print it, once."""

    async def work(database: Database) -> str:
        tokens = AccessTokens(database, utc_now)
        workspace_id = None if workspace is None else await _workspace_id(database, workspace)
        expires_at = utc_now() + timedelta(days=days)
        _, made = await tokens.create(name, role, expires_at, "command line", workspace_id)
        return made

    typer.echo(with_database(work))


@token.command("list")
def list_newest() -> None:
    """List the access tokens, newest first."""

    async def work(database: Database) -> list[AccessTokenRecord]:
        page = await ACCESS_TOKENS.page(database, PageRequest(MOST_LISTED, NEWEST_FIRST), every_token)
        return list(page.records)

    for record in with_database(work):
        state = "revoked" if record.revoked_at else "expired" if record.expires_at <= utc_now() else "active"
        expiry = record.expires_at.date().isoformat()
        typer.echo(f"{record.id}\t{record.role.value}\t{state}\tuntil {expiry}\t{record.name}")


@token.command("revoke")
def revoke(token_id: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="As listed.")]) -> None:
    """Revoke an access token; it ends at once, also on a running server."""

    async def work(database: Database) -> None:
        await AccessTokens(database, utc_now).revoke(token_id, "command line", ("id",))

    with_database(work)
    typer.echo("Revoked.")


async def _workspace_id(database: Database, name: str) -> int:
    record = await workspace_by_name(database, name, EVERYTHING)
    if record is None or record.deleted_at is not None:
        raise InvalidInput(f"There is no workspace “{name}”.", ("workspace",))
    return record.id
