"""Which media type an answer has: the part of HTTP content negotiation that GraphQL needs."""

from enum import StrEnum


class MediaType(StrEnum):
    """What the endpoint can answer with."""

    JSON = "application/json"
    GRAPHQL_RESPONSE = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"


# GraphQL over HTTP, "Media Types": a client that leaves the choice gets application/json.
_CHOICES = {
    "*/*": MediaType.JSON,
    "application/*": MediaType.JSON,
    "text/*": MediaType.EVENT_STREAM,
    **{media_type.value: media_type for media_type in MediaType},
}


def negotiate(accept: str | None) -> MediaType | None:
    """Return the media type that fits an Accept header best, or None when none does.

    The highest quality wins, then what stands first. No header, or an empty one, means application/json.
    """
    if accept is None or not accept.strip():
        return MediaType.JSON
    best: MediaType | None = None
    best_quality = 0.0
    for media_range in accept.split(","):
        name, *parameters = media_range.split(";")
        choice = _CHOICES.get(name.strip().lower())
        quality = _quality(parameters)
        if choice is not None and quality > best_quality:
            best, best_quality = choice, quality
    return best


def is_json(content_type: str | None) -> bool:
    """Tell whether a Content-Type is application/json in UTF-8.

    Nothing else is read: a form or plain text may be posted by any web page without being asked (CSRF), while
    application/json makes the browser ask first.
    """
    name, *parameters = (content_type or "").split(";")
    if name.strip().lower() != MediaType.JSON:
        return False
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            return False
    return True


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
