"""The console in a real browser, against a running server."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.servers.docker_registry import push_image, running_docker_registry
from tests.serving import RunningServer, running_server

DIST = Path(__file__).resolve().parents[2] / "console" / "dist"
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")
# The network is cut: whatever isn't on this machine has no address. The browser's own calls home are off, since
# the tests count requests.
BROWSER_ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RESULT_TIMEOUT_MILLISECONDS = 20_000


class Watch:
    """What a page did that a person would not see."""

    def __init__(self, context: BrowserContext) -> None:
        self.addresses: list[str] = []
        self.errors: list[str] = []
        context.on("request", lambda request: self.addresses.append(request.url))
        context.on("console", self._note_message)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("page", self._watch_page)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _watch_page(self, page: Page) -> None:
        page.on("websocket", lambda websocket: self.addresses.append(websocket.url))

    def addresses_outside(self, origin: str) -> list[str]:
        own = (f"{origin}/", f"{origin.replace('http', 'ws', 1)}/", f"blob:{origin}/", "data:")
        return [address for address in self.addresses if not address.startswith(own)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; the test is skipped where there is none, or no built console (an error in CI)."""
    found = next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
    missing = "no Chromium on this machine" if found is None else ""
    if not (DIST / "index.html").is_file():
        missing = "console/dist is missing: run `make console`"
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser context of the test's own: no storage, no cache of others."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(RESULT_TIMEOUT_MILLISECONDS)
    yield context
    context.close()


def open_signed_in(context: BrowserContext, server: RunningServer) -> Page:
    """Open the console by a sign-in link and wait until GraphiQL is there."""
    page = context.new_page()
    page.goto(f"{server.url}/#code={server.sign_in_code()}")
    expect(page.get_by_test_id("viewer")).to_be_visible(timeout=RESULT_TIMEOUT_MILLISECONDS)
    page.locator(".graphiql-query-editor .view-line").first.wait_for()
    return page


def type_and_run(page: Page, name: str, operation: str) -> None:
    """Write an operation of that name into a new tab and press the run button."""
    page.get_by_role("button", name="New tab").click()
    page.locator(".graphiql-query-editor .monaco-editor").click()
    page.keyboard.insert_text(operation)
    # GraphiQL has read the operation once its tab bears the name.
    expect(page.locator(".graphiql-tab-active")).to_contain_text(name)
    page.get_by_role("button", name="Execute query").click()


def expect_result(page: Page, text: str) -> None:
    expect(page.locator(".result-window")).to_contain_text(text, timeout=RESULT_TIMEOUT_MILLISECONDS)


def stored(page: Page) -> list[str]:
    """Return the names of all that the page keeps in the browser."""
    names: list[str] = page.evaluate("[...Object.keys(sessionStorage), ...Object.keys(localStorage)]")
    return names


def test_link_signs_in_and_leaves_no_trace_of_the_code(context: BrowserContext, running_server: RunningServer) -> None:
    code = running_server.sign_in_code()
    page = context.new_page()

    page.goto(f"{running_server.url}/#code={code}")
    expect(page.get_by_test_id("viewer")).to_contain_text("platform admin")

    assert page.url == f"{running_server.url}/"
    assert code not in page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_link_works_once(context: BrowserContext, running_server: RunningServer) -> None:
    code = running_server.sign_in_code()
    first, second = context.new_page(), context.new_page()
    first.goto(f"{running_server.url}/#code={code}")
    expect(first.get_by_test_id("viewer")).to_be_visible()

    second.goto(f"{running_server.url}/#code={code}")

    expect(second.get_by_role("alert")).not_to_be_empty()
    expect(second.get_by_label("Access token")).to_be_visible()


def test_registry_is_integrated_seen_and_seen_to_die(context: BrowserContext, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    with (
        running_docker_registry(folder) as registry,
        running_server(tmp_path / "data", probe_interval_seconds=1) as server,
    ):
        push_image(registry, "payments/api", "1.0")
        watch = Watch(context)
        page = open_signed_in(context, server)

        type_and_run(page, "Who", "query Who { viewer { name role } }")
        expect_result(page, '"role": "PLATFORM_ADMIN"')

        type_and_run(
            page,
            "Integrate",
            "mutation Integrate { integrateRegistry(input: "
            f'{{name: "main", kind: DOCKER_REGISTRY, url: "{registry.url}"}})'
            " { integration { health { status } spaces { nodes { name } } } errors { code } } }",
        )
        expect_result(page, '"errors": []')
        expect_result(page, '"name": "payments"')
        expect_result(page, '"status": "HEALTHY"')

        type_and_run(
            page,
            "Live",
            "subscription Live { integrationHealth"
            " { integration { name } previous { status } current { status reason } } }",
        )
        expect_result(page, '"previous": null')
        registry.stop()
        expect_result(page, '"reason": "CONNECTION_REFUSED"')
        expect_result(page, '"status": "UNHEALTHY"')
        # The button that ran it stops it, and it can be run again.
        page.get_by_role("button", name="Stop query").click()
        expect(page.get_by_role("button", name="Execute query")).to_be_visible()

        assert watch.errors == []
        assert watch.addresses_outside(server.url) == []
        assert any(address.startswith("ws:") for address in watch.addresses)


def test_default_tabs_run_as_they_are(context: BrowserContext, running_server: RunningServer) -> None:
    page = open_signed_in(context, running_server)
    expect(page.locator(".graphiql-tab-active")).to_contain_text("Glance")

    page.get_by_role("button", name="Execute query").click()

    expect_result(page, '"totalCount": 0')
    tabs = page.locator(".graphiql-tab-button")
    expect(tabs).to_have_text(["Glance", "CheckRegistry", "WhoMayPull", "LiveHealth", "LiveEvents"])
    # The titles of icons are for people: no names that a build has shortened.
    titles = page.locator(".graphiql-tab title").all_text_contents()
    assert set(titles) == {"close icon"}


def test_documentation_comes_from_introspection(context: BrowserContext, running_server: RunningServer) -> None:
    page = open_signed_in(context, running_server)

    page.get_by_role("button", name="Show Documentation Explorer").click()

    expect(page.locator(".graphiql-doc-explorer")).to_contain_text("subscription: Subscription")


def test_token_signs_in_and_signing_out_forgets_it(context: BrowserContext, running_server: RunningServer) -> None:
    page = context.new_page()
    page.goto(running_server.url)
    page.get_by_label("Access token").fill(running_server.admin_token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("viewer")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("viewer")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Access token")).to_be_visible()
    assert stored(page) == []


def test_wrong_token_is_refused_and_not_kept(context: BrowserContext, running_server: RunningServer) -> None:
    page = context.new_page()
    page.goto(running_server.url)
    page.get_by_label("Access token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_label("Access token")).to_be_visible()
    assert stored(page) == []


def test_token_that_ends_leads_back_to_sign_in(context: BrowserContext, running_server: RunningServer) -> None:
    page = open_signed_in(context, running_server)
    # As if it had expired: the kept token is one that the server does not know.
    page.evaluate("sessionStorage.setItem('integrated-registry:token', 'expired')")
    page.reload()

    expect(page.get_by_role("alert")).not_to_be_empty()
    assert "integrated-registry:token" not in stored(page)
