"""What happens by itself, so that dashboards have something to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from demo.registries import DemoRegistry

Step = Callable[[], str]
"""Does something to the registries and returns what, as a line for the screen."""

_TEAMS = ("billing", "search", "mobile", "growth", "platform", "research")


def steps(registries: Sequence[DemoRegistry]) -> Iterator[Step]:
    """Yield what to do, one thing after the other, for ever.

    A round pushes an image into a new space, takes a registry away, brings back whatever is down (also what a
    visitor stopped), and deletes the space again, so that nothing grows.
    """
    registry_of_images, registry_that_stops = registries[0], registries[1]
    round_number = 0
    while True:
        space = f"{_TEAMS[round_number % len(_TEAMS)]}-preview-{round_number + 1}"
        yield partial(_push, registry_of_images, space)
        yield partial(_stop, registry_that_stops)
        yield partial(_start_what_is_down, registries)
        yield partial(_forget, registry_of_images, space)
        round_number += 1


def _push(registry: DemoRegistry, space: str) -> str:
    registry.push(f"{space}/web")
    return f"an image was pushed to {registry.name}, into the new space {space}"


def _forget(registry: DemoRegistry, space: str) -> str:
    registry.forget_space(space)
    return f"the space {space} was deleted from {registry.name}"


def _stop(registry: DemoRegistry) -> str:
    registry.server.stop()
    return f"{registry.name} was stopped"


def _start_what_is_down(registries: Sequence[DemoRegistry]) -> str:
    down = [registry for registry in registries if registry.server.process_id is None]
    for registry in down:
        registry.server.start()
    started = ", ".join(f"{registry.name} (now process {registry.server.process_id})" for registry in down)
    return f"started again: {started or 'nothing was down'}"
