"""Answers that may be given again: as long as nothing that they were made from has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from server.graphql.sessions import AnswerContext, Session, Versions

if TYPE_CHECKING:
    from server.graphql.engine import Answer, Operation

ENTRY_BYTES = 1_000
"""What keeping an answer takes beside its own bytes, roughly."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    versions: Mapping[str, Hashable]
    """What it was made from."""
    bytes: int


class KeptAnswers:
    """The answers of queries, bounded by their bytes; the ones that were not asked for longest go first.

    An answer is kept for the same document, operation, variables and scope, or for its viewer alone, when it holds
    something of the viewer. None is kept that holds an error, or something of its moment.
    """

    def __init__(self, max_bytes: int, max_answer_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_answer_bytes = max_answer_bytes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0

    def find(self, asked: Hashable, session: Session, versions: Versions) -> Answer | None:
        """Return an answer that is as good as a new one; `versions` were looked up when the query came."""
        for whose in (session.scope, session.viewer_key):
            key = asked, whose
            kept = self._kept.get(key)
            if kept is None:
                continue
            if all(versions.get(source) == version for source, version in kept.versions.items()):
                self._kept.move_to_end(key)
                return kept.answer
            self._forget(key)
        return None

    def keep(
        self, asked: Hashable, session: Session, context: AnswerContext, versions: Versions, answer: Answer
    ) -> None:
        """Keep an answer, if it may be; `versions` were looked up before anything was read for it."""
        size = len(answer.body) + ENTRY_BYTES
        if answer.errors or context.is_of_its_moment or size > self._max_answer_bytes:
            return
        key = asked, session.viewer_key if context.is_personal else session.scope
        self._forget(key)
        # orjson leaves room behind what it has written, as a rule four kilobytes: a copy has none.
        answer = replace(answer, body=bytes(memoryview(answer.body)))
        self._kept[key] = _Kept(answer, {source: versions.get(source) for source in context.sources}, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.bytes


def what_is_asked(operation: Operation) -> Hashable:
    """Return what is asked for, whoever asks; None where that can't be said.

    As a hash: the document itself would be kept as long as the answer, and takes a hundred times as much.
    """
    request = operation.request
    try:
        variables = orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Nested deeper than orjson writes, though it reads that.
        return None
    hashed = sha256(request.query.encode())
    # A NUL stands in no text that is a document.
    hashed.update(b"\0" + variables)
    return request.operation_name, hashed.digest()
