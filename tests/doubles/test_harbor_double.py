"""What a test does in the double's portal is what its clients see, and the reverse."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.doubles.asking import api, ask
from tests.doubles.harbor.images import OCI_MANIFEST, Platform, digest_of, made_image, made_index
from tests.doubles.harbor.server import HarborDouble, running_harbor

DEADLINE_SECONDS = 10.0
READER = {
    "/": "project:list quota:list quota:read audit-log:list robot:list robot:read",
    "*": (
        "project:read quota:read repository:list repository:read artifact:list artifact:read "
        "tag:list metadata:read metadata:list accessory:list"
    ),
}
TAIL = "/auditlog-exts?page_size=100&sort=id&q=id%3D%5B{}~%5D"


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as started:
        yield started


# ---- projects and images ---------------------------------------------------------------------------------


def test_a_project_made_in_the_portal_is_listed_and_one_made_by_the_api_is_in_the_portal(
    harbor: HarborDouble,
) -> None:
    project_id = harbor.create_project("team", is_public=True)
    made = api(harbor, "/projects", method="POST", body={"project_name": "other"})
    listed = api(harbor, "/projects?page_size=100").json
    assert [(one["name"], one["project_id"], one["metadata"]["public"]) for one in listed] == [
        ("library", 1, "true"),
        ("other", project_id + 1, "false"),
        ("team", project_id, "true"),
    ]
    assert (made.status, made.body, made.headers["Location"]) == (201, b"", f"/api/v2.0/projects/{project_id + 1}")
    assert sorted(one.name for one in harbor.state.projects.values()) == ["library", "other", "team"]


def test_visibility_is_stored_as_it_was_written_and_can_be_missing(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    assert ask(harbor, "GET", "/api/v2.0/projects/team").error == (401, "UNAUTHORIZED")
    harbor.set_public("team", "TRUE")
    assert ask(harbor, "GET", "/api/v2.0/projects/team").json["metadata"] == {"public": "TRUE"}
    harbor.forget_visibility("team")
    assert api(harbor, "/projects/team").json["metadata"] == {}
    assert ask(harbor, "GET", "/api/v2.0/projects/team").error == (401, "UNAUTHORIZED")


def test_a_name_used_again_is_another_project(harbor: HarborDouble) -> None:
    first = harbor.create_project("team")
    harbor.push("team/web", "1")
    harbor.delete_project("team")
    assert api(harbor, "/projects/team").error == (404, "NOT_FOUND")
    assert harbor.create_project("team") == first + 1
    assert api(harbor, "/projects/team/repositories").json == []


def test_a_pushed_image_is_listed_counted_and_pulled(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    digest = harbor.push("team/app/web", "1.0")
    repository = api(harbor, "/projects/team/repositories/app%252Fweb").json
    artifacts = api(harbor, "/projects/team/repositories/app%252Fweb/artifacts?with_tag=true").json
    pulled = ask(
        harbor, "GET", "/v2/team/app/web/manifests/1.0", harbor.administrator, headers={"Accept": OCI_MANIFEST}
    )
    assert (repository["artifact_count"], repository["pull_count"]) == (1, 0)
    assert [(one["digest"], [tag["name"] for tag in one["tags"]]) for one in artifacts] == [(digest, ["1.0"])]
    assert (pulled.status, pulled.headers["Docker-Content-Digest"]) == (200, digest)
    assert api(harbor, "/projects/team/repositories/app%252Fweb").json["pull_count"] == 1
    size_bytes = artifacts[0]["size"]
    assert api(harbor, "/projects/team/summary").json["quota"]["used"] == {"storage": size_bytes}
    assert api(harbor, "/statistics").json["total_storage_consumption"] == size_bytes


def test_an_image_can_be_pushed_as_clients_push(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    image = made_image("pushed")
    for digest in image.blob_bytes:
        content = image.blobs.get(digest, b"a layer")
        started = ask(harbor, "POST", "/v2/team/web/blobs/uploads/", harbor.administrator)
        path = started.headers["Location"].removeprefix(harbor.url)
        finished = ask(harbor, "PUT", f"{path}&digest={digest_of(content)}", harbor.administrator, content=content)
        assert (started.status, finished.status) == (202, 201)
    refused = ask(harbor, "PUT", f"{path}&digest={digest_of(b'other')}", harbor.administrator, content=content)
    assert refused.error == (400, "DIGEST_INVALID")
    headers = {"Content-Type": OCI_MANIFEST}
    path = "/v2/team/web/manifests/1"
    pushed = ask(harbor, "PUT", path, harbor.administrator, headers=headers, content=image.manifest)
    assert (pushed.status, pushed.headers["Docker-Content-Digest"]) == (201, image.digest)
    [artifact] = api(harbor, "/projects/team/repositories/web/artifacts").json
    assert (artifact["digest"], [tag["name"] for tag in artifact["tags"]]) == (image.digest, ["1"])
    [entry] = api(harbor, "/auditlog-exts?page_size=1&sort=-id").json
    assert (entry["operation"], entry["resource"], entry["username"]) == ("create", "team/web:1", "admin")


def test_an_index_lists_its_platforms_and_its_children_are_left_out(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    platforms = (Platform("amd64"), Platform("arm64"))
    index = made_index({one: made_image(one.architecture, platform=one) for one in platforms})
    harbor.push("team/api", "2", index)
    [artifact] = api(harbor, "/projects/team/repositories/api/artifacts").json
    assert [one["platform"]["architecture"] for one in artifact["references"]] == ["amd64", "arm64"]
    assert artifact["size"] == index.size_bytes


def test_what_is_deleted_leaves_the_quota_at_once_and_the_disk_after_garbage_collection(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    digest = harbor.push("team/web", "1")
    stored = api(harbor, "/statistics").json["total_storage_consumption"]
    harbor.delete_artifact("team/web", digest)
    assert api(harbor, "/projects/team/summary").json == {
        "project_admin_count": 1,
        "quota": {"hard": {"storage": -1}, "used": {"storage": 0}},
        "repo_count": 1,
    }
    assert api(harbor, "/statistics").json["total_storage_consumption"] == stored > 0
    harbor.collect_garbage()
    assert api(harbor, "/statistics").json["total_storage_consumption"] == 0


# ---- credentials -----------------------------------------------------------------------------------------


def test_while_a_wrong_password_is_held_back_the_right_one_fails_too_and_a_robot_does_not(
    harbor: HarborDouble,
) -> None:
    robot = harbor.create_robot("reader", READER)
    harbor.hold_wrong_passwords(1.0)
    wrong: list[tuple[int, str]] = []
    hammer = threading.Thread(target=lambda: wrong.append(api(harbor, "/users/current", ("admin", "Wrong1word")).error))
    hammer.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (status := api(harbor, "/users/current").status) != 401:
        assert time.monotonic() < deadline, status
    assert hammer.is_alive()
    assert api(harbor, "/projects", robot).status == 200
    hammer.join(DEADLINE_SECONDS)
    assert wrong == [(401, "UNAUTHORIZED")]
    assert api(harbor, "/users/current").status == 200
    assert harbor.calls.count(template="/users/current", credential="refused admin") >= 2


def test_a_changed_administrator_password_counts_at_once(harbor: HarborDouble) -> None:
    old = harbor.administrator
    harbor.set_admin_password("Other12345")
    assert api(harbor, "/users/current", old).error == (401, "UNAUTHORIZED")
    assert api(harbor, "/users/current").json["sysadmin_flag"] is True


def test_a_normal_user_is_no_administrator(harbor: HarborDouble) -> None:
    harbor.add_user("dev", "Secret1word")
    assert api(harbor, "/users/current", ("dev", "Secret1word")).json["sysadmin_flag"] is False
    assert api(harbor, "/robots", ("dev", "Secret1word")).error == (403, "FORBIDDEN")
    harbor.add_user("boss", "Secret1word", is_administrator=True)
    assert api(harbor, "/robots", ("boss", "Secret1word")).json == []


def test_a_write_with_any_session_cookie_is_refused(harbor: HarborDouble) -> None:
    first = ask(harbor, "GET", "/api/v2.0/health")
    cookie = {"Cookie": first.headers["Set-Cookie"].partition(";")[0]}
    body = {"project_name": "team"}
    refused = ask(harbor, "POST", "/api/v2.0/projects", harbor.administrator, body, cookie)
    assert refused.error == (403, "FORBIDDEN")
    assert refused.json["errors"][0]["message"] == "CSRF token not found in request"
    assert [one.name for one in harbor.state.projects.values()] == ["library"]
    assert ask(harbor, "GET", "/api/v2.0/projects", harbor.administrator, headers=cookie).status == 200


def test_a_reader_robot_reads_everything_and_pulls_nothing(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/web", "1")
    robot = harbor.create_robot("reader", READER)
    for path in (
        "/projects",
        "/projects/team/summary",
        "/projects/team/repositories",
        "/projects/team/repositories/web/artifacts",
        "/quotas?reference=project",
        "/auditlog-exts",
        "/robots",
    ):
        assert api(harbor, path, robot).status == 200, path
    token = ask(harbor, "GET", "/service/token?service=harbor-registry&scope=repository:team/web:pull", robot).json
    for credential in (robot, token["token"]):
        for method in ("HEAD", "GET"):
            assert ask(harbor, method, "/v2/team/web/manifests/1", credential).status == 401, (method, credential)
    assert api(harbor, "/projects", robot, "POST", {"project_name": "more"}).error == (403, "FORBIDDEN")
    harbor.set_robot_permissions(robot[0], READER | {"team": "repository:pull"})
    assert ask(harbor, "HEAD", "/v2/team/web/manifests/1", robot, headers={"Accept": OCI_MANIFEST}).status == 200


def test_a_robot_is_refused_when_deleted_disabled_expired_or_renamed(harbor: HarborDouble) -> None:
    robots = {name: harbor.create_robot(name, READER) for name in ("kept", "deleted", "disabled", "expired")}
    harbor.delete_robot(robots["deleted"][0])
    harbor.disable_robot(robots["disabled"][0])
    harbor.expire_robot(robots["expired"][0])
    statuses = {name: api(harbor, "/projects/library/summary", robot).json for name, robot in robots.items()}
    assert {name for name, shown in statuses.items() if "quota" in shown} == {"kept"}
    pings = {name: ask(harbor, "GET", "/v2/", robot).status for name, robot in robots.items()}
    assert pings == {"kept": 200, "deleted": 401, "disabled": 401, "expired": 401}
    harbor.disable_robot(robots["disabled"][0], is_disabled=False)
    assert ask(harbor, "GET", "/v2/", robots["disabled"]).status == 200
    harbor.change_prefix("bot-")
    assert ask(harbor, "GET", "/v2/", robots["kept"]).status == 401
    assert ask(harbor, "GET", "/v2/", ("bot-kept", robots["kept"][1])).status == 200
    assert set(harbor.robots()) == {"bot-kept", "bot-disabled", "bot-expired"}


def test_a_token_lives_a_minute_longer_than_it_says_even_when_its_robot_is_gone(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/web", "1")
    robot = harbor.create_robot("puller", {"team": "repository:pull"})
    scope = "/service/token?service=harbor-registry&scope=repository:team/web:pull"
    issued = ask(harbor, "GET", scope, robot).json
    harbor.delete_robot(robot[0])
    harbor.let_time_pass(timedelta(seconds=issued["expires_in"] + 55))
    accepted = {"Accept": OCI_MANIFEST}
    assert ask(harbor, "HEAD", "/v2/team/web/manifests/1", issued["token"], headers=accepted).status == 200
    harbor.let_time_pass(timedelta(seconds=10))
    assert ask(harbor, "HEAD", "/v2/team/web/manifests/1", issued["token"], headers=accepted).status == 401


def test_permissions_cut_by_hand_are_gone_at_once(harbor: HarborDouble) -> None:
    name, secret = harbor.create_robot("reader", READER)
    harbor.set_robot_permissions(name, {"/": "project:list"})
    assert api(harbor, "/projects", (name, secret)).status == 200
    assert api(harbor, "/auditlog-exts", (name, secret)).json == []
    assert api(harbor, "/quotas", (name, secret)).error == (403, "FORBIDDEN")


# ---- the system ------------------------------------------------------------------------------------------


def test_a_broken_component_is_told_of_and_lists_still_answer(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/web", "1")
    harbor.break_component("registry")
    health = ask(harbor, "GET", "/api/v2.0/health")
    bad = [one for one in health.json["components"] if one["status"] != "healthy"]
    assert (health.status, health.json["status"], [one["name"] for one in bad]) == (200, "unhealthy", ["registry"])
    assert "10.42.7." in bad[0]["error"]
    assert len(api(harbor, "/projects/team/repositories/web/artifacts").json) == 1
    ping = ask(harbor, "GET", "/v2/", harbor.administrator)
    assert (ping.status, ping.body) == (502, b"")
    harbor.mend_component("registry")
    assert ask(harbor, "GET", "/api/v2.0/health").json["status"] == "healthy"


def test_read_only_refuses_writes_and_nothing_else(harbor: HarborDouble) -> None:
    harbor.set_read_only(True)
    assert api(harbor, "/projects", method="POST", body={"project_name": "team"}).error == (403, "DENIED")
    assert [one.name for one in harbor.state.projects.values()] == ["library"]
    assert api(harbor, "/systeminfo").json["read_only"] is True
    assert ask(harbor, "GET", "/api/v2.0/health").json["status"] == "healthy"
    harbor.set_read_only(False)
    assert api(harbor, "/projects", method="POST", body={"project_name": "team"}).status == 201


def test_a_restored_backup_takes_everything_back_and_gives_ids_again(harbor: HarborDouble) -> None:
    harbor.create_project("before")
    backup = harbor.backup()
    late = harbor.create_project("after")
    newest = api(harbor, "/auditlog-exts?page_size=1&sort=-id").json[0]
    harbor.restore_backup(backup)
    assert sorted(one.name for one in harbor.state.projects.values()) == ["before", "library"]
    assert api(harbor, "/auditlog-exts?page_size=1&sort=-id").json[0]["id"] == newest["id"] - 1
    assert harbor.create_project("another") == late
    again = api(harbor, "/auditlog-exts?page_size=1&sort=-id").json[0]
    assert (again["id"], again["resource"]) == (newest["id"], "another")


# ---- the audit log ---------------------------------------------------------------------------------------


def test_the_audit_log_is_tailed_by_id(harbor: HarborDouble) -> None:
    robot = harbor.create_robot("reader", READER)
    start = api(harbor, "/auditlog-exts?page_size=1&sort=-id", robot).json[0]["id"] + 1
    assert api(harbor, TAIL.format(start), robot).json == []
    harbor.create_project("team")
    harbor.set_public("team", True)
    digest = harbor.push("team/web", "1")
    harbor.pull("team/web", "1")
    harbor.delete_artifact("team/web", digest)
    harbor.delete_project("team")
    entries = api(harbor, TAIL.format(start), robot).json
    assert [(one["id"] - start, one["operation"], one["resource_type"], one["resource"]) for one in entries] == [
        (0, "create", "project", "team"),
        (1, "update", "project", "team"),
        (2, "create", "artifact", "team/web:1"),
        (3, "pull", "artifact", "team/web:1"),
        (4, "delete", "artifact", f"team/web@{digest}"),
        (5, "delete", "repository", "team/web"),
        (6, "delete", "project", "team"),
    ]
    changes = api(harbor, TAIL.format(start + 2) + "%2Coperation%3D%7Bcreate%20delete%20update%7D", robot)
    assert [one["id"] - start for one in changes.json] == [2, 4, 5, 6]
    assert changes.headers["X-Total-Count"] == "4"


def test_a_late_entry_has_a_lower_id(harbor: HarborDouble) -> None:
    entry_id = harbor.take_audit_id()
    harbor.create_project("team")
    assert [one["id"] for one in api(harbor, TAIL.format(entry_id)).json] == [entry_id + 1]
    harbor.write_late_entry(entry_id, "create", "project", "slow")
    entries = api(harbor, TAIL.format(entry_id)).json
    assert [(one["id"], one["resource"]) for one in entries] == [(entry_id, "slow"), (entry_id + 1, "team")]


def test_a_purged_log_is_empty_and_its_ids_go_on(harbor: HarborDouble) -> None:
    harbor.create_project("one")
    [before] = api(harbor, "/auditlog-exts").json
    harbor.purge_audit_log()
    assert api(harbor, "/auditlog-exts").json == []
    harbor.create_project("two")
    assert [one["id"] for one in api(harbor, "/auditlog-exts").json] == [before["id"] + 1]


def test_a_log_switched_off_says_nothing_more(harbor: HarborDouble) -> None:
    harbor.skip_audit_log()
    [switched] = api(harbor, "/auditlog-exts").json
    assert switched["resource_type"] == "configuration"
    harbor.create_project("unheard")
    assert api(harbor, "/auditlog-exts").json == [switched]
    harbor.skip_audit_log(False)
    harbor.disable_audit_events("create_project")
    harbor.create_project("unheard-too")
    harbor.delete_project("unheard-too")
    heard = [(one["operation"], one["resource_type"]) for one in api(harbor, "/auditlog-exts").json]
    assert ("create", "project") not in heard
    assert ("delete", "project") in heard


# ---- counting --------------------------------------------------------------------------------------------


def test_calls_are_counted_by_kind_of_path_and_by_credential(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/web", "1")
    robot = harbor.create_robot("reader", READER)
    harbor.calls.reset()
    ask(harbor, "GET", "/api/v2.0/health")
    api(harbor, "/statistics")
    api(harbor, "/projects/team/summary", robot)
    api(harbor, "/projects/library/summary", robot)
    ask(harbor, "HEAD", "/v2/team/web/manifests/1", robot)
    assert harbor.calls.by_template() == {
        ("GET", "/health", "anonymous"): 1,
        ("GET", "/statistics", "user admin"): 1,
        ("GET", "/projects/{project}/summary", "robot robot$reader"): 2,
        ("HEAD", "/v2/{name}/manifests/{reference}", "robot robot$reader"): 1,
    }
    assert harbor.calls.count(credential="user") == 1
    assert harbor.calls.count(credential="robot") == 3
    assert harbor.calls.count(template="/statistics", credential="robot") == 0
    assert harbor.calls.count() == 5


def test_counted_calls_keep_what_was_sent_but_for_the_credential(harbor: HarborDouble) -> None:
    sent = {"X-Request-Id": "of-mine", "Cookie": "other=1"}
    ask(harbor, "GET", "/api/v2.0/projects?page_size=7", harbor.administrator, headers=sent)
    [call] = harbor.calls.all
    assert call.path == "/api/v2.0/projects?page_size=7"
    assert {name: call.headers[name] for name in sent} == sent
    assert "Authorization" not in call.headers
