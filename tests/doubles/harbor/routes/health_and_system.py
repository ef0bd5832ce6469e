"""Health, ping, version, system information, settings, statistics, and what is there but empty."""

from tests.doubles.harbor.answers import JSON, Answer, created, empty, internal_error, json_answer, unauthorized
from tests.doubles.harbor.queries import harbor_time, list_answer
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.state import COMPONENTS
from tests.doubles.harbor.surroundings import Surroundings, require_system


def health(harbor: Surroundings, call: Call) -> Answer:
    """Tell of every component; the status of the answer is 200 whatever they say."""
    components = [
        {"error": harbor.state.broken_components[name], "name": name, "status": "unhealthy"}
        if name in harbor.state.broken_components
        else {"name": name, "status": "healthy"}
        for name in COMPONENTS
    ]
    is_healthy = not harbor.state.broken_components
    return json_answer({"components": components, "status": "healthy" if is_healthy else "unhealthy"})


def ping(harbor: Surroundings, call: Call) -> Answer:
    """Answer."""
    return Answer(200, b"Pong", "text/plain")


def api_version(harbor: Surroundings, call: Call) -> Answer:
    """Tell the version of the API, as text."""
    return Answer(200, b'{"version":"v2.0"}\n', "text/plain; charset=utf-8")


def system_information(harbor: Surroundings, call: Call) -> Answer:
    """Tell a little to all, and version and read-only to whoever is logged in."""
    settings = harbor.state.settings
    told = {
        "auth_mode": settings["auth_mode"],
        "banner_message": "",
        "oidc_provider_name": "",
        "primary_auth_mode": settings["primary_auth_mode"],
        "self_registration": settings["self_registration"],
    }
    if call.caller.is_known:
        told |= {
            "current_time": harbor_time(harbor.state.clock()),
            "external_url": harbor.external_url,
            "harbor_version": harbor.version,
            "has_ca_root": False,
            "notification_enable": settings["notification_enable"],
            "project_creation_restriction": settings["project_creation_restriction"],
            "read_only": settings["read_only"],
            "registry_storage_provider_name": "filesystem",
            "registry_url": harbor.registry_host,
        }
    return json_answer(told)


def volumes(harbor: Surroundings, call: Call) -> Answer:
    """Tell nothing of disks: what the recorded one did."""
    require_system(call.caller, "system-volumes", "read")
    return json_answer({"storage": [{}]})


def settings(harbor: Surroundings, call: Call) -> Answer:
    """Give the settings, some keys of many."""
    require_system(call.caller, "configuration", "read")
    return json_answer(
        {key: {"editable": key != "auth_mode", "value": value} for key, value in harbor.state.settings.items()}
    )


def change_settings(harbor: Surroundings, call: Call) -> Answer:
    """Change settings; unknown ones are passed over."""
    require_system(call.caller, "configuration", "update")
    harbor.state.change_settings(call.json_object("configurations", "Configurations"), call.caller.name)
    return empty()


def statistics(harbor: Surroundings, call: Call) -> Answer:
    """Count projects and repositories. The totals are 0 for who is no administrator."""
    caller = call.caller
    if not caller.is_known:
        raise unauthorized()
    private_projects = private_repositories = public_projects = public_repositories = 0
    for project in harbor.state.projects.values():
        if project.is_public:
            public_projects += 1
            public_repositories += len(project.repositories)
        elif caller.user is not None and (caller.is_administrator or project.role_of(caller.user.id) is not None):
            private_projects += 1
            private_repositories += len(project.repositories)
    sees_all = caller.is_administrator
    return json_answer(
        {
            "private_project_count": private_projects,
            "private_repo_count": private_repositories,
            "public_project_count": public_projects,
            "public_repo_count": public_repositories,
            "total_project_count": private_projects + public_projects if sees_all else 0,
            "total_repo_count": private_repositories + public_repositories if sees_all else 0,
            "total_storage_consumption": sum(harbor.state.stored_blob_bytes.values()) if sees_all else 0,
        }
    )


def security_summary(harbor: Surroundings, call: Call) -> Answer:
    """Count no vulnerabilities: there is no scanner."""
    require_system(call.caller, "security-hub", "read")
    counted = ("critical_cnt", "fixable_cnt", "low_cnt", "medium_cnt", "scanned_cnt", "total_artifact", "total_vuls")
    return json_answer(dict.fromkeys(counted, 0))


def nothing(harbor: Surroundings, call: Call) -> Answer:
    """Give an empty list to administrators."""
    require_system(call.caller, "security-hub", "list")
    return list_answer(call, list[int](), {"id": int}, int, sort="id")


def garbage_collections(harbor: Surroundings, call: Call) -> Answer:
    """Give the garbage collections: none was run."""
    require_system(call.caller, "garbage-collection", "list")
    return list_answer(call, list[int](), {"id": int}, int, sort="id")


def garbage_schedule(harbor: Surroundings, call: Call) -> Answer:
    """Give the schedule of garbage collections: none is set, which is an empty body."""
    require_system(call.caller, "garbage-collection", "read")
    return Answer(200, b"", JSON)


def collect_garbage(harbor: Surroundings, call: Call) -> Answer:
    """Start a garbage collection, which spares young blobs, so that nothing changes."""
    require_system(call.caller, "garbage-collection", "create")
    if "jobservice" in harbor.state.broken_components:
        raise internal_error()
    return created(f"{API}/system/gc/{harbor.state.take_id('garbage collection')}")


def job_queues(harbor: Surroundings, call: Call) -> Answer:
    """Give the queues of the job service, or the masked error of one that is down."""
    require_system(call.caller, "jobservice-monitor", "list")
    if "jobservice" in harbor.state.broken_components:
        raise internal_error()
    return json_answer([])


ROUTES = (
    Route("GET", f"{API}/health", health),
    Route("GET", f"{API}/ping", ping),
    Route("GET", "/api/version", api_version),
    Route("GET", f"{API}/systeminfo", system_information),
    Route("GET", f"{API}/systeminfo/volumes", volumes),
    Route("GET", f"{API}/configurations", settings),
    Route("PUT", f"{API}/configurations", change_settings),
    Route("GET", f"{API}/statistics", statistics),
    Route("GET", f"{API}/security/summary", security_summary),
    Route("GET", f"{API}/security/vul", nothing),
    Route("GET", f"{API}/scanners", nothing),
    Route("GET", f"{API}/system/gc", garbage_collections),
    Route("GET", f"{API}/system/gc/schedule", garbage_schedule),
    Route("POST", f"{API}/system/gc/schedule", collect_garbage),
    Route("GET", f"{API}/jobservice/queues", job_queues),
)
