"""What a registry asks for when it answers 401: the header WWW-Authenticate, parsed.

Source of the grammar: RFC 9110, section 11.6.1; of realm, service and scope: the Distribution token
specification.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar rule of HTTP
_SCHEME = re.compile(rf"({_TOKEN})(?=[\s,]|$)\s*")
# A comma may stand inside quotes: scope="repository:team/app:pull,push".
_PARAMETER = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))")
_SEPARATOR = re.compile(r"[\s,]*")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate; scheme and names of parameters in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header_values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges of all WWW-Authenticate headers of an answer, in order.

    One header may hold several, parted by the same commas that part their parameters. What can't be read ends
    its header, and what came before it counts.
    """
    return tuple(challenge for value in header_values for challenge in _challenges_of(value))


def _challenges_of(value: str) -> list[Challenge]:
    found: list[Challenge] = []
    parameters: dict[str, str] = {}
    position = _skip_separator(value, 0)
    while position < len(value):
        # A scheme is followed by a space, a parameter's name by an equals sign: look for the latter first.
        if found and (parameter := _PARAMETER.match(value, position)):
            name, quoted, bare = parameter.groups()
            parameters.setdefault(name.lower(), bare if quoted is None else _ESCAPED.sub(r"\1", quoted))
            position = parameter.end()
        elif scheme := _SCHEME.match(value, position):
            parameters = {}
            found.append(Challenge(scheme[1].lower(), parameters))
            position = scheme.end()
            if not _PARAMETER.match(value, position) and (token := _TOKEN68.match(value, position)):
                position = token.end()
        else:
            break
        position = _skip_separator(value, position)
    return found


def _skip_separator(value: str, position: int) -> int:
    match = _SEPARATOR.match(value, position)
    return match.end() if match else position
