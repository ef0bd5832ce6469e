"""Health as clients see it, over a real docker-registry."""

from pathlib import Path

import trustme

from tests.servers.docker_registry import push_image, running_docker_registry
from tests.services.integrated import integrate
from tests.serving import RunningServer

INTERVAL_SECONDS = 1


def test_it_dies_and_comes_back(quick_server: RunningServer, tmp_path: Path) -> None:
    authority = trustme.CA()
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_docker_registry(folder, htpasswd={"alice": "wonder"}, tls=authority) as registry:
        integrated = integrate(
            quick_server,
            registry.url,
            username="alice",
            password="wonder",
            tls={"caCertificatePem": registry.ca_certificate_pem},
        )
        integrated.wait_for_probe()
        registry.stop()
        integrated.wait_for_health("UNHEALTHY", "CONNECTION_REFUSED", deadline_seconds=INTERVAL_SECONDS + 5)
        registry.start()
        integrated.wait_for_health("HEALTHY", deadline_seconds=INTERVAL_SECONDS + 5)
    assert integrated.health_events() == [("UNHEALTHY", "CONNECTION_REFUSED"), ("HEALTHY", None)]


def test_its_storage_can_not_be_read(quick_server: RunningServer, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_docker_registry(folder) as registry:
        push_image(registry, "team/app", "v1")
        integrated = integrate(quick_server, registry.url)
        repositories = registry.storage / "docker" / "registry" / "v2" / "repositories"
        repositories.rename(folder / "elsewhere")
        repositories.write_text("not a folder")
        integrated.wait_for_health("UNHEALTHY", "STORAGE_UNREADABLE", deadline_seconds=INTERVAL_SECONDS + 5)
        repositories.unlink()
        (folder / "elsewhere").rename(repositories)
        integrated.wait_for_health("HEALTHY", deadline_seconds=INTERVAL_SECONDS + 5)
        assert integrated.spaces() == ["team"]
