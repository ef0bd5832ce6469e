"""Parsed and validated documents, kept by their text."""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, OperationDefinitionNode

from execution import PlanCache
from server.graphql.document_shape import DocumentShape
from server.graphql.errors import FormattedError


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that passed limits and validation. Each is equal to itself alone."""

    node: DocumentNode = field(repr=False)
    shape: DocumentShape
    operations: tuple[OperationDefinitionNode, ...] = field(repr=False)
    plans: PlanCache = field(repr=False, default_factory=PlanCache)


@dataclass(frozen=True, slots=True)
class RefusedDocument:
    """A document that can't be run, and why."""

    errors: tuple[FormattedError, ...]


class DocumentCache:
    """Keeps what became of a text, bounded by entries and by the bytes of the texts.

    A segmented cache: a new text enters on trial, in a fifth of the room, and is protected once it is asked
    for again. So a flood of texts that each come once pushes out only one another. Each part forgets what
    was used longest ago; what falls out of the protected part is forgotten too.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        trial_entries, trial_bytes = max(1, max_entries // 5), max_bytes // 5
        self._trial = _Segment(trial_entries, trial_bytes)
        self._protected = _Segment(max_entries - trial_entries, max_bytes - trial_bytes)

    def __len__(self) -> int:
        return len(self._trial) + len(self._protected)

    @property
    def text_bytes(self) -> int:
        """The UTF-8 bytes of all texts kept."""
        return self._trial.text_bytes + self._protected.text_bytes

    def get(self, text: str) -> Document | RefusedDocument | None:
        """Return what became of `text`, or None when that isn't known (any more)."""
        known = self._protected.get(text)
        if known is not None:
            return known
        known = self._trial.pop(text)
        if known is not None:
            self._protected.put(text, known)
        return known

    def put(self, text: str, outcome: Document | RefusedDocument) -> None:
        """Keep what became of a text that `get` didn't know. One too large for the trial isn't kept."""
        self._trial.put(text, outcome)


class _Segment:
    """A least-recently-used cache."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, tuple[Document | RefusedDocument, int]] = OrderedDict()
        self.text_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, text: str) -> Document | RefusedDocument | None:
        entry = self._entries.get(text)
        if entry is None:
            return None
        self._entries.move_to_end(text)
        return entry[0]

    def pop(self, text: str) -> Document | RefusedDocument | None:
        entry = self._entries.pop(text, None)
        if entry is None:
            return None
        self.text_bytes -= entry[1]
        return entry[0]

    def put(self, text: str, outcome: Document | RefusedDocument) -> None:
        self.pop(text)
        size_bytes = len(text.encode())
        if size_bytes > self._max_bytes:
            return
        self._entries[text] = (outcome, size_bytes)
        self.text_bytes += size_bytes
        while len(self._entries) > self._max_entries or self.text_bytes > self._max_bytes:
            _, (_, oldest_bytes) = self._entries.popitem(last=False)
            self.text_bytes -= oldest_bytes
