"""Scenarios about projects and what lies in them."""

from tests.doubles.harbor.images import made_image
from tests.doubles.harbor.records import GUEST, Quota
from tests.doubles.harbor.replay.scenario import Scenario
from tests.doubles.harbor.replay.world import (
    SMALL,
    big_image,
    image_configuration,
    index_image,
    next_ids,
    small_image,
    store,
)
from tests.doubles.harbor.server import HarborDouble

_STORED_BYTES = 3327049


def _projects_create(harbor: HarborDouble) -> None:
    next_ids(harbor, project=52, allowlist=41)


def _projects_list(harbor: HarborDouble) -> None:
    next_ids(harbor, project=20, allowlist=15)
    for number in range(1, 13):
        harbor.create_project(f"rec-list-{number:02}", is_public=number % 4 == 0)
    harbor.create_robot("list-pull", {"team": "repository:pull"})
    harbor.create_robot("list-all", {"/": "project:list"})


def _projects_change(harbor: HarborDouble) -> None:
    next_ids(harbor, project=44, quota=38, repository=20)
    _with_small_image(harbor, "rec-noquota")
    next_ids(harbor, project=63, allowlist=51, repository=20)
    harbor.create_project("rec-change", limit_bytes=1024**3)
    with harbor.paused() as state:
        project = state.project_named("rec-change")
        assert project is not None
        project.metadata |= {"auto_scan": "true", "severity": "high"}
    _with_small_image(harbor, "rec-full")


def _with_small_image(harbor: HarborDouble, project: str) -> None:
    harbor.create_project(project)
    harbor.push(f"{project}/web", "1", small_image())


def _repositories(harbor: HarborDouble) -> None:
    next_ids(harbor, repository=7)
    harbor.create_robot("repo-pull", {"team": "repository:pull"})
    harbor.create_robot("repo-list", {"team": "repository:list repository:read"})


def _artifacts(harbor: HarborDouble) -> None:
    pulled = {"team/app/web": "1.0", "team/app/api": "2.0", "open/hello": "latest", "team/charts/web": "0.1.0"}
    for repository, tag in pulled.items():
        harbor.pull(repository, tag)
    next_ids(harbor, project=71, repository=22, artifact=35)
    _with_small_image(harbor, "rec-art")
    harbor.push("rec-art/multi", "1", index_image())


def _pull_three_times(harbor: HarborDouble) -> None:
    for _ in range(3):
        harbor.pull("open/base/web", "1.0")


def _quotas(harbor: HarborDouble) -> None:
    next_ids(harbor, project=689, quota=663, repository=33)
    harbor.create_project("rec-quota", limit_bytes=1_000_000)
    harbor.create_robot("quota-reader", {"/": "quota:list quota:read"})
    harbor.create_robot("quota-pull", {"team": "repository:pull"})


def _quotas_off(harbor: HarborDouble) -> None:
    store(harbor, _STORED_BYTES)


def _made_while_off(harbor: HarborDouble) -> None:
    next_ids(harbor, project=68)
    _with_small_image(harbor, "rec-noquota")
    store(harbor, _STORED_BYTES)


def _counted_by_collection(harbor: HarborDouble) -> None:
    with harbor.paused() as state:
        project = state.project_named("rec-noquota")
        assert project is not None
        project.quota = Quota(54, -1, state.clock(), state.clock())


def _storage(harbor: HarborDouble) -> None:
    next_ids(harbor, project=76, quota=60)
    with harbor.paused() as state:
        state.next_ids["garbage collection"] = 141
        # The image that the tag is moved to was stored before.
        state.stored_blob_bytes |= small_image().stored_bytes
    harbor.create_project("rec-gc")
    store(harbor, _STORED_BYTES)


def _push_large(harbor: HarborDouble) -> None:
    image = made_image("large", size_bytes=701140, configuration=image_configuration("large"))
    harbor.push("rec-gc/web", "1", image)


def _freed(harbor: HarborDouble) -> None:
    with harbor.paused() as state:
        state.stored_blob_bytes = {"what is left": 610477}


def _members(harbor: HarborDouble) -> None:
    next_ids(harbor, project=50, member=41)
    harbor.create_project("rec-members")


def _make_guest(harbor: HarborDouble) -> None:
    with harbor.paused() as state:
        project = state.project_named("rec-members")
        assert project is not None
        project.members[-1].role_id = GUEST


PROJECT_SCENARIOS = (
    Scenario("projects_create", _projects_create),
    Scenario("projects_list", _projects_list),
    Scenario(
        "projects_change_delete",
        _projects_change,
        before={23: lambda harbor: harbor.delete_artifact("rec-full/web", SMALL)},
    ),
    Scenario(
        "repositories",
        _repositories,
        before={24: lambda harbor: harbor.push("team/deep/er/still/one", "1", small_image())},
    ),
    Scenario("artifacts", _artifacts, before={24: _pull_three_times, 25: _pull_three_times}),
    Scenario(
        "quotas",
        _quotas,
        before={
            9: lambda harbor: harbor.push("rec-quota/small", "1", small_image()),
            10: lambda harbor: harbor.push("rec-quota/copy", "1", small_image()),
            17: lambda harbor: harbor.push("rec-quota/big", "1", big_image()),
            33: lambda harbor: store(harbor, 2625908),
        },
    ),
    Scenario("quotas_off", _quotas_off, before={2: _made_while_off, 11: _counted_by_collection}),
    Scenario(
        "storage_and_gc",
        _storage,
        before={
            2: _push_large,
            4: lambda harbor: harbor.push("rec-gc/web", "1", small_image()),
            19: _freed,
        },
    ),
    Scenario("members_and_labels", _members, before={5: _make_guest}),
)
