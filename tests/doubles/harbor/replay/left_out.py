"""Recorded exchanges that the double does not answer alike, and why. Whoever mends one takes it out of here."""

WHOLE_RECORDINGS = {
    "webhooks": "webhook policies and deliveries: the audit log is tailed instead",
    "webhooks_retry": "webhook deliveries again",
    "webhooks_jobservice_down": "webhook deliveries again",
}

_LABELS = "no labels"
_COLLECTIONS = "garbage collections are not kept: what they free is"
_SESSIONS = "no sessions: the portal's own way in"

EXCHANGES: dict[tuple[str, int], str] = {
    ("authentication", 15): "sent while another call is held back: test_harbor_double has it",
    ("authentication", 26): _SESSIONS,
    ("authentication", 27): _SESSIONS,
    ("health_jobservice_down", 4): "no schedules",
    ("system", 14): "the recording holds some keys of many, so that its body was long enough for chunks",
    ("by_version", 3): "given in no order that could be found",
    ("by_version", 8): "no job pools",
    ("artifacts", 21): "files in charts are not kept",
    ("storage_and_gc", 11): _COLLECTIONS,
    ("storage_and_gc", 12): _COLLECTIONS,
    ("storage_and_gc", 18): _COLLECTIONS,
    ("members_and_labels", 10): _LABELS,
    ("members_and_labels", 11): _LABELS,
    ("members_and_labels", 12): _LABELS,
    ("members_and_labels", 13): _LABELS,
    ("members_and_labels", 14): _LABELS,
}
