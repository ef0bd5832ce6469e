"""May a namespace pull an image: every answer, whole, with its sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.database import Transaction
from models.enums import PullAccessReason, Role
from tests.api.pull_access_answers import ANSWERS, BANK, IS_PUBLIC, answer, image
from tests.api.pull_access_platform import Platform, platform_on
from tests.api.statement_cost import cost
from tests.api.surface import Surface
from tests.databases import NOON, every_row
from tests.seeding import seed_spaces
from tests.serving import RunningServer

QUERY = """
query ($cluster: String!, $name: String!, $image: String!) {
  pullAccess(namespace: { cluster: $cluster, name: $name }, image: $image) {
    isAllowed reason explanation
    image { host repository tag digest text }
    space { name state integration { name } }
    binding { state workspace { name } }
    workspace { name }
  }
}
"""
MANY = 3000


@pytest.fixture(scope="module")
def platform(quiet_server: RunningServer) -> Platform:
    """The platform; its tests ask, and change nothing."""
    return platform_on(quiet_server)


def ask(platform: Platform, asked: str, name: str = "shop-web", cluster: str = "default", token: str = "") -> Any:
    """Return the answer that the administrator gets, or somebody with another token."""
    variables = {"cluster": cluster, "name": name, "image": asked}
    return platform.server.graphql(QUERY, variables, token or None)["pullAccess"]


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_the_whole_answer(platform: Platform, case: tuple[str, dict[str, Any]]) -> None:
    asked, due = case

    assert ask(platform, asked) == due


def test_each_reason_is_among_them() -> None:
    reasons = {due["reason"] for _, due in ANSWERS.values()}

    assert reasons | {"UNKNOWN_NAMESPACE"} == {reason.value for reason in PullAccessReason}


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        ("nobodys", "default"),
        ("shop-web", "east"),
        ("Shop-Web", "default"),
        ("Bad_Name", "default"),
        ("", "default"),
        ("shop-web", ""),
        ("shop-web\x00", "default"),
        ("n" * 253, "c" * 253),
    ],
)
def test_a_namespace_of_nobody(platform: Platform, name: str, cluster: str) -> None:
    due = answer(
        "UNKNOWN_NAMESPACE",
        f"The space “team” of “Plain” is not open to everybody, and the namespace “{name}” of the cluster “{cluster}”"
        " belongs to no workspace: add the namespace to one.",
        space=("Plain", "team", "PRESENT"),
        understood=image("plain.example", "team/web"),
    )

    assert ask(platform, "plain.example/team/web", name, cluster) == due
    assert ask(platform, "plain.example/open/web", name, cluster)["reason"] == "SPACE_IS_PUBLIC"
    # What a workspace brought is nobody's else.
    assert ask(platform, "own.example/open/web", name, cluster)["reason"] == "UNKNOWN_REGISTRY"


@pytest.mark.parametrize(("name", "cluster"), [("n" * 300, "default"), ("shop-web", "c" * 254)])
def test_a_name_longer_than_any(platform: Platform, name: str, cluster: str) -> None:
    result = platform.server.post(QUERY, {"cluster": cluster, "name": name, "image": "plain.example/team/web"})

    assert result["data"] is None
    (error,) = result["errors"]
    assert error["message"] == "Names of namespaces and clusters have at most 253 characters."
    assert (error["path"], error["extensions"]["code"]) == (["pullAccess"], "BAD_USER_INPUT")


@pytest.mark.parametrize("half", ['"shop-web\\ud800"', '"\\udfff"'])
def test_halves_of_characters(platform: Platform, half: str) -> None:
    for variable in ("name", "cluster", "image"):
        given = {"name": '"shop-web"', "cluster": '"default"', "image": '"plain.example/team/web"', variable: half}
        variables = ", ".join(f'"{key}": {value}' for key, value in given.items())
        body = f'{{"query": {json.dumps(QUERY)}, "variables": {{{variables}}}}}'.encode()
        headers = {"Authorization": f"Bearer {platform.server.admin_token}", "Content-Type": "application/json"}

        found = platform.server.request("POST", "/graphql", body, headers)

        assert (found.status, b"INTERNAL" in found.body) == (400, False), found.body


def test_the_cluster_is_the_default_one(platform: Platform) -> None:
    query = '{ pullAccess(namespace: { name: "shop-web" }, image: "plain.example/team/web") { isAllowed } }'

    assert platform.server.graphql(query) == {"pullAccess": {"isAllowed": True}}


def test_the_other_tenant_gets_none_of_it(platform: Platform) -> None:
    for asked, reason in {
        "plain.example/team/web": "NOT_BOUND",
        "plain.example/later/web": "NOT_BOUND",
        "plain.example/gone/web": "UNKNOWN_SPACE",
        "own.example/mine/web": "UNKNOWN_REGISTRY",
        "own.example/open/web": "UNKNOWN_REGISTRY",
        "plain.example/open/web": "SPACE_IS_PUBLIC",
    }.items():
        found = ask(platform, asked, "bank-web")
        assert (found["reason"], found["workspace"], found["binding"]) == (reason, {"name": "Bank"}, None)


@pytest.mark.parametrize("role", [Role.WORKSPACE_MEMBER, Role.WORKSPACE_ADMIN])
def test_a_tenant_is_told_the_same_of_its_own(platform: Platform, role: Role) -> None:
    token = platform.token(platform.shop_id, role)

    for asked, due in ANSWERS.values():
        if asked != "harbor.example/team/web":
            assert ask(platform, asked, token=token) == due
    # The project that stands is hidden; the one that was bound is not.
    assert ask(platform, "harbor.example/team/web", token=token) == answer(
        "UNKNOWN_SPACE",
        "The space “team” is no longer at “Harbor”, and its binding to the workspace “Shop” is suspended: make it"
        " again, or use another.",
        space=("Harbor", "team", "VANISHED"),
        binding=("SUSPENDED", "Shop"),
        workspace="Shop",
        understood=image("harbor.example", "team/web"),
    )


def test_a_tenant_is_told_nothing_of_others(platform: Platform) -> None:
    token = platform.token(platform.bank_id)

    for hidden in ("secret", "team", "gone", "none-such"):
        assert ask(platform, f"plain.example/{hidden}/web", "bank-web", token=token) == answer(
            "UNKNOWN_SPACE",
            f"“Plain” has no space “{hidden}” that {BANK} could pull from: check the name, or ask a platform"
            " administrator to bind it to the workspace “Bank”.",
            workspace="Bank",
            understood=image("plain.example", f"{hidden}/web"),
        )
    for name in ("shop-web", "none-such"):
        assert ask(platform, "plain.example/team/web", name, token=token) == answer(
            "UNKNOWN_NAMESPACE",
            f"The space “team” of “Plain” is not open to everybody, and the namespace “{name}” of the cluster"
            " “default” belongs to no workspace: add the namespace to one.",
            understood=image("plain.example", "team/web"),
        )
    for host in ("own.example", "none-such.example"):
        for name in ("shop-web", "bank-web"):
            found = ask(platform, f"{host}/mine/web", name, token=token)
            assert (found["reason"], found["space"], host in found["explanation"]) == ("UNKNOWN_REGISTRY", None, True)


def test_somebody_of_no_workspace(platform: Platform) -> None:
    token = platform.token(None)

    assert ask(platform, "plain.example/open/web", token=token) == answer(
        "SPACE_IS_PUBLIC",
        IS_PUBLIC.format("open", "Plain"),
        space=("Plain", "open", "PRESENT"),
        understood=image("plain.example", "open/web"),
    )
    assert ask(platform, "plain.example/team/web", token=token)["reason"] == "UNKNOWN_NAMESPACE"
    assert ask(platform, "own.example/open/web", token=token)["reason"] == "UNKNOWN_REGISTRY"


def test_asking_writes_nothing(platform: Platform) -> None:
    database = platform.server.services.database
    before = platform.server.run(every_row(database))

    for asked, _ in ANSWERS.values():
        ask(platform, asked)

    assert platform.server.run(every_row(database)) == before


def test_statements_do_not_grow_with_spaces_and_bindings(platform: Platform) -> None:
    surface = Surface(platform.server)
    query = 'query ($image: String!) { pullAccess(namespace: { name: "shop-web" }, image: $image) { reason } }'
    images = ("plain.example/team/web", "plain.example/open/web", "plain.example/none/web", "no.example/a/b", "UP er")

    few = [cost(surface, query, image=asked)[0] for asked in images]
    platform.server.run(_fill(platform))
    many = [cost(surface, query, image=asked)[0] for asked in images]

    # The namespace, the registries of the host, the space, the workspace and the binding, as far as there are any.
    assert few == many == [5, 5, 4, 3, 0]
    whole = {"cluster": "default", "name": "shop-web", "image": images[0]}
    assert cost(surface, QUERY, **whole)[0] <= 7


async def _fill(platform: Platform) -> None:
    database = platform.server.services.database
    await seed_spaces(database, {platform.plain_id: [f"many-{number:05}" for number in range(MANY)]})

    async def bind(transaction: Transaction) -> None:
        moment = transaction.dialect.moment(transaction.dialect.placeholder(1))
        place = transaction.dialect.placeholder
        await transaction.execute(
            'INSERT INTO "binding" ("space_id", "workspace_id", "bound_by", "bound_at", "granted_version", "version")'
            f' SELECT "id", {place(2)}, \'the test\', {moment}, 1, 1 FROM "space" WHERE "name" LIKE \'many-%\'',
            NOON,
            platform.shop_id,
        )

    await database.transact(bind)
