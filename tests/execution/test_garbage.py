"""A run leaves nothing behind that only the garbage collector could find."""

from __future__ import annotations

import asyncio
import gc
from random import Random

from graphql import parse

from execution import LevelExecutor, PlanCache
from tests.execution.answers import answered
from tests.execution.documents import DocumentWriter
from tests.execution.worlds import World


def test_nothing_is_left_for_the_collector() -> None:
    async def main() -> int:
        ran = 0
        for seed in range(60):
            random = Random(seed)
            world = World(random, awaits=False)
            assert world.schema.query_type is not None
            document = parse(DocumentWriter(random, world.schema).document("query", world.schema.query_type))
            if world.trouble:
                continue  # errors lead to the frames that they were raised in
            plans = PlanCache()
            for is_first in (True, False):
                executor = LevelExecutor.build(world.schema, document)
                assert isinstance(executor, LevelExecutor)
                executor.plans = plans
                result = await answered(executor)
                if is_first or result.errors:
                    gc.collect()
                    continue
                del executor, result
                gc.set_debug(gc.DEBUG_SAVEALL)
                gc.collect()
                left = {f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage}
                gc.set_debug(0)
                gc.garbage.clear()
                assert [name for name in left if name.startswith(("execution.", "tests.")) or "Executor" in name] == []
                ran += 1
        return ran

    gc.collect()
    gc.disable()
    # What other tests have left is not looked through each time.
    gc.freeze()
    try:
        assert asyncio.run(main()) > 4
    finally:
        gc.unfreeze()
        gc.enable()
