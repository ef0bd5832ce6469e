"""The web console: static files that npm built, or a page that says why there are none."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # GraphiQL's editor (Monaco) writes style elements and attributes as it draws.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        # GraphiQL's style sheet carries its fonts as data: addresses.
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the console's page may do: everything it needs comes from its own server, nothing from elsewhere."""

_SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_PAGE_HEADERS: Final = {**_SECURITY_HEADERS, "Cache-Control": "no-cache"}

_PAGE_WITHOUT_CONSOLE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Integrated Registry</title>
<style>body {{ max-width: 40rem; margin: 4rem auto; padding: 0 1rem; font: 1rem/1.6 sans-serif }}</style>
<main>
<h1>Integrated Registry</h1>
<p>The server is running. The GraphQL API is at <code>/graphql</code>.</p>
<p>GraphiQL was left out: {reason}</p>
</main>
</html>
"""


class _ConsoleAssets(StaticFiles):
    """The console's scripts, styles, fonts and workers, whose names change whenever their content does."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer the file at `path`, to be kept for good; HTTPException 404 and 405 come from Starlette."""
        response = await super().get_response(path, scope)
        response.headers.update(_SECURITY_HEADERS)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def console_routes(dist: Path | None, reason: str | None) -> list[BaseRoute]:
    """Return the routes of the web console: its page at `/`, its files under `/assets/`.

    `dist` is the folder that `npm run build` made. When it is None or holds no console, `/` is a small page
    that names `reason` (one sentence; None: that the console was not built) and says where the API is.
    """
    if dist is None or not (dist / "index.html").is_file():
        page = _PAGE_WITHOUT_CONSOLE.format(reason=html.escape(reason or "the console was not built."))
        return [_page_route(lambda: HTMLResponse(page, headers=_PAGE_HEADERS))]
    index = dist / "index.html"
    return [
        _page_route(lambda: FileResponse(index, headers=_PAGE_HEADERS)),
        Mount("/assets", _ConsoleAssets(directory=dist / "assets", check_dir=False), name="console-assets"),
    ]


def _page_route(make_response: Callable[[], Response]) -> Route:
    async def console_page(request: Request) -> Response:
        return make_response()

    return Route("/", console_page, name="console")
