"""Who may pull what, over random worlds, against a second answer that is made from the design's words alone."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from models.database import Database
from models.enums import PullAccessReason, SpaceState
from models.queries.sight import EVERYTHING, Sight
from models.queries.spaces import BY_CREATION, BY_NAME, PULLABLE_SPACES, SPACES, SpaceConditions
from models.reading import Order, PageRequest
from models.records import SpaceRecord
from registry_clients.image_reference import parse_image_reference
from server.settings import read_settings
from services.pull_access import PullAccess, decide, pull_access
from services.workspace_input import NamespaceName
from tests.databases import migrated
from tests.services.pull_access_storage import facts_behind, store, workspace_name
from tests.services.pull_access_worlds import (
    ADMINISTRATOR,
    Question,
    Verdict,
    Viewer,
    World,
    pullable,
    random_question,
    random_viewers,
    random_world,
    seen_by,
    verdict,
)

WORLDS_IN_MEMORY, QUESTIONS_IN_MEMORY = 300, 20
QUESTIONS_STORED = 20
QUESTIONS_OF_NAMESPACE = 4
WORLDS_STORED = {"sqlite": 25, "postgres": 8}
UNMENTIONED = "nothing-has-this-name"


def test_the_decision_is_that_of_the_words() -> None:
    reasons: Counter[PullAccessReason] = Counter()
    for seed in range(WORLDS_IN_MEMORY):
        chance = random.Random(seed)
        world = random_world(chance)
        for viewer in random_viewers(chance, world):
            seen = seen_by(viewer, world)
            for _ in range(QUESTIONS_IN_MEMORY):
                question = random_question(chance, world)
                due = verdict(seen, question)
                image = parse_image_reference(question.written(chance))
                answer = decide(image, NamespaceName(question.cluster, question.namespace), facts_behind(seen, due))
                _require(answer, due, f"seed {seed}, {viewer}, {question}")
                reasons[answer.reason] += 1
    # Nothing was left untried.
    assert set(reasons) == set(PullAccessReason) - {PullAccessReason.INVALID_IMAGE}
    assert min(reasons.values()) >= 100, reasons


def test_the_answer_from_the_database_is_that_of_the_words(database_address: str) -> None:
    async def main() -> None:
        reasons: Counter[PullAccessReason] = Counter()
        async with migrated(database_address) as database:
            for seed in range(WORLDS_STORED[database.dialect.name]):
                chance = random.Random(seed)
                world = random_world(chance)
                await store(database, world)
                for viewer in random_viewers(chance, world):
                    for _ in range(QUESTIONS_STORED):
                        question = random_question(chance, world)
                        case = f"seed {seed}, {viewer}, {question}"
                        answer = await _asked(database, viewer, question, question.written(chance))
                        seen = seen_by(viewer, world)
                        _require(answer, verdict(seen, question), case)
                        _require_silence(answer, world, seen, case)
                        reasons[answer.reason] += 1
        assert set(reasons) == set(PullAccessReason) - {PullAccessReason.INVALID_IMAGE}

    asyncio.run(main())


def test_what_is_hidden_reads_as_what_is_not_there(tmp_path: Path) -> None:
    async def main() -> None:
        compared = Counter(space=0, namespace=0, registry=0)
        async with migrated(read_settings({}, data=tmp_path).tortoise_url) as database:
            for seed in range(WORLDS_STORED["sqlite"]):
                chance = random.Random(seed)
                world = random_world(chance)
                await store(database, world)
                for workspace in (None, *world.workspaces):
                    viewer = Viewer(False, workspace)
                    for hidden, like_none, what in _hidden(world, viewer, chance):
                        first = await _asked(database, viewer, hidden, hidden.written(random.Random(seed)))
                        second = await _asked(database, viewer, like_none, like_none.written(random.Random(seed)))
                        case = f"seed {seed}, {viewer}, {hidden}"
                        assert _without_names(first, hidden) == _without_names(second, like_none), case
                        compared[what] += 1
        assert min(compared.values()) >= 30, compared

    asyncio.run(main())


def test_what_is_hidden_changes_nothing_for_the_own_namespaces(tmp_path: Path) -> None:
    async def main() -> None:
        allowed: Counter[bool] = Counter()
        async with migrated(read_settings({}, data=tmp_path).tortoise_url) as database:
            for seed in range(WORLDS_STORED["sqlite"]):
                chance = random.Random(seed)
                world = random_world(chance)
                await store(database, world)
                for (cluster, name), owner in world.owners.items():
                    for _ in range(QUESTIONS_OF_NAMESPACE):
                        question = replace(random_question(chance, world), cluster=cluster, namespace=name)
                        image = question.written(chance)
                        truth = await _asked(database, ADMINISTRATOR, question, image)
                        told = await _asked(database, Viewer(False, owner), question, image)
                        assert told.is_allowed == truth.is_allowed, f"seed {seed}, {question}"
                        allowed[truth.is_allowed] += 1
        assert min(allowed[True], allowed[False]) >= 20, allowed

    asyncio.run(main())


def test_lists_hold_what_is_seen(database_address: str) -> None:
    """Lists are read another way than single spaces are: part by part."""

    async def main() -> None:
        async with migrated(database_address) as database:
            for seed in range(WORLDS_STORED[database.dialect.name]):
                chance = random.Random(seed)
                world = random_world(chance)
                await store(database, world)
                for viewer in [*random_viewers(chance, world), *(Viewer(False, each) for each in world.workspaces)]:
                    seen = seen_by(viewer, world)
                    every_state = SpaceConditions(states=tuple(SpaceState), sight=_sight(viewer))
                    for order in (BY_NAME, BY_CREATION):
                        due = sorted(each.id for each in seen.spaces)
                        assert await _walked(database, order, every_state) == due, f"seed {seed}, {viewer}"
                    assert await SPACES.count(database, every_state) == len(seen.spaces), f"seed {seed}, {viewer}"
                    await _require_pullable(database, seen, viewer, f"seed {seed}, {viewer}")

    asyncio.run(main())


@pytest.mark.parametrize("image", ["", "UP er", "registry.example.com/Team/app", "a" * 5000, "team/app@sha256:ab"])
def test_what_is_no_image_asks_nothing(image: str) -> None:
    class Untouchable:
        @property
        def dialect(self) -> None:
            raise AssertionError

    answer = asyncio.run(
        pull_access(Untouchable(), NamespaceName("default", "web"), image, EVERYTHING)  # type: ignore[arg-type]
    )

    assert (answer.is_allowed, answer.reason) == (False, PullAccessReason.INVALID_IMAGE)
    assert (answer.image, answer.space, answer.binding, answer.workspace) == (None, None, None, None)


def _require(answer: PullAccess, due: Verdict, case: str) -> None:
    found = (
        answer.reason,
        answer.is_allowed,
        None if answer.space is None else answer.space.id,
        None if answer.workspace is None else answer.workspace.id,
        None if answer.binding is None else answer.binding.id,
    )
    wanted = (
        due.reason,
        due.is_allowed,
        None if due.space is None else due.space.id,
        due.workspace,
        None if due.binding is None else due.binding.id,
    )
    assert found == wanted, case
    assert answer.explanation.endswith("."), case


def _require_silence(answer: PullAccess, world: World, seen: World, case: str) -> None:
    """Fail when an answer holds or names what isn't seen."""
    assert answer.space is None or answer.space.id in {each.id for each in seen.spaces}, case
    assert answer.binding is None or answer.binding.id in {each.id for each in seen.bindings}, case
    assert answer.workspace is None or answer.workspace.id in seen.workspaces, case
    hidden = [workspace_name(each) for each in world.workspaces if each not in seen.workspaces]
    hidden += [each.name for each in world.registries if each not in seen.registries]
    assert not [name for name in hidden if name in answer.explanation], case


def _hidden(world: World, viewer: Viewer, chance: random.Random) -> list[tuple[Question, Question, str]]:
    """Return questions after what a viewer can't see, each with one after what there is not."""
    seen = seen_by(viewer, world)
    found = []
    for space in world.spaces:
        registry = world.registries[space.registry - 1]
        names = {each.name for each in seen.spaces if each.registry == space.registry}
        if registry in seen.registries and space.name not in names and registry.hosts[0] != "docker.io":
            about = replace(random_question(chance, world), host=registry.hosts[0], path=(space.name, "app"))
            found.append((about, replace(about, path=(UNMENTIONED, "app")), "space"))
    for cluster, name in [namespace for namespace in world.owners if namespace not in seen.owners]:
        about = replace(random_question(chance, world), cluster=cluster, namespace=name)
        found.append((about, replace(about, namespace=UNMENTIONED), "namespace"))
    known_hosts = {host for each in seen.registries for host in each.hosts}
    for registry in world.registries:
        for host in [host for host in registry.hosts if host not in known_hosts and host != "docker.io"]:
            about = replace(random_question(chance, world), host=host)
            found.append((about, replace(about, host=f"{UNMENTIONED}.example:5000"), "registry"))
    return found


def _without_names(answer: PullAccess, question: Question) -> tuple[object, ...]:
    """Return an answer without the words that were in the question."""
    explanation = answer.explanation
    for name in (question.host, question.namespace, question.path[0]):
        explanation = explanation.replace(f"“{name}”", "“…”")
    return answer.reason, answer.is_allowed, explanation, answer.space, answer.binding, answer.workspace


async def _walked(database: Database, order: Order, conditions: SpaceConditions) -> list[int]:
    """Return the ids of a list, sorted, read by pages of three, which must be in order."""
    records: list[SpaceRecord] = []
    after = None
    while True:
        page = await SPACES.page(database, PageRequest(3, order, after), conditions)
        records += page.records
        if not page.has_next_page:
            break
        after = (getattr(records[-1], order.attribute), records[-1].id)
    places = [(getattr(record, order.attribute), record.id) for record in records]
    assert places == sorted(places)
    return sorted(record.id for record in records)


async def _require_pullable(database: Database, seen: World, viewer: Viewer, case: str) -> None:
    """Fail unless the first pages, and the totals, of what all workspaces may pull are what they are to be."""
    conditions = SpaceConditions(sight=_sight(viewer))
    workspaces = list(seen.workspaces)
    pages = await PULLABLE_SPACES.pages(
        database,
        PageRequest(4, BY_NAME),
        conditions,
        parent='s."id"',
        parent_attribute="workspace_id",
        parent_ids=workspaces,
    )
    totals = await PULLABLE_SPACES.counts(database, conditions, parent='s."id"', parent_ids=workspaces)
    for workspace in workspaces:
        due = sorted((each.name, each.id) for each in pullable(seen, workspace))
        assert [(record.name, record.id) for record in pages[workspace].records] == due[:4], case
        assert (totals[workspace], pages[workspace].has_next_page) == (len(due), len(due) > 4), case
    assert set(pages) == set(totals) == set(workspaces)


async def _asked(database: Database, viewer: Viewer, question: Question, image: str) -> PullAccess:
    namespace = NamespaceName(question.cluster, question.namespace)
    return await pull_access(database, namespace, image, _sight(viewer))


def _sight(viewer: Viewer) -> Sight:
    if viewer.is_administrator:
        return EVERYTHING
    return Sight(() if viewer.workspace is None else (viewer.workspace,))
