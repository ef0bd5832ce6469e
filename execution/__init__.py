"""Runs GraphQL operations level by level instead of field by field.

graphql-core answers a query depth first: for each object, for each of its fields, it looks up the resolver, builds what
the resolver may want to know, calls it, and looks at what came back. That is right for any schema, and costs some ten
microseconds a field. Most fields of most schemas need none of it: they are an attribute of an object that is at hand,
or something that can be fetched for all objects of a level at once.

`LevelExecutor` is a graphql-core `Executor` that answers the same, breadth first. All objects that a part of the query
asks the same of form a *group*. The fields of a group are answered one after the other for all of its objects: a
*column* of values for each field. What the columns hold makes the groups of the next level. When all is there, the
answer is put together from the last level to the first, and that is where nulls move up.

    plan.py      what an operation asks of each type of object, worked out once and kept with its document
    arguments.py what a field is given, as far as that is the same for every run
    hints.py     how a schema says that a field needs no resolver: `Attribute`, `Computed`, `Loaded`, `Level`; and how
                 it says more of its types: `InstanceOf`, `Written`
    columns.py   many values of a scalar or an enum at once
    results.py   what columns become: values, lists, objects, and the way back from any of them to its path
    run.py       the loop: resolve the columns of a group, complete them, go on with the groups that they made
    executor.py  the graphql-core `Executor` over all that
    following.py how a subscription's source says that several can follow it at once; it runs nothing itself

A schema without any hints runs too: resolvers are called for each object, and what they await is awaited together. What
this can't do column by column (lists of awaitables, asynchronous iterators and the like) is left to graphql-core, for
that one value. With `@defer` or `@stream`, an abort signal, or error propagation switched off, all of it is.

What differs from graphql-core, on purpose:

- Of several errors that would null the same object, one is told, as the specification asks. graphql-core tells the one
  that it meets first, which for asynchronous resolvers depends on time; here it is always the first in the order of
  the query.
- graphql-core doesn't call the resolvers behind a field whose failure has nulled their object. Here they may have been
  called already, or are called all the same; what they return, or raise, is left out of the answer.
- The resolvers of a level are called before those of the next one, whatever the order of the query. The root fields of
  a mutation run one after the other, each to its end.
"""

from execution.executor import LevelExecutor
from execution.following import Followed, OpeningStep, Step
from execution.hints import Attribute, Computed, InstanceOf, Level, Loaded, Written, give_hint
from execution.plan import PlanCache

__all__ = [
    "Attribute",
    "Computed",
    "Followed",
    "InstanceOf",
    "Level",
    "LevelExecutor",
    "Loaded",
    "OpeningStep",
    "PlanCache",
    "Step",
    "Written",
    "give_hint",
]
