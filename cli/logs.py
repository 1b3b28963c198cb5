"""Log lines as JSON, one a line, without addresses, links or secrets."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_PRIVATE = (
    (re.compile(r"/([sjrv]|enter|done)/[a-z][\w-]{44}"), r"/\1/…"),
    (
        # A top domain in another script may have signs that are no letters, as in Hindi.
        re.compile(
            r"(\"[^\"\s]+\"|[^\s\"'<>]+)@[^\s\"'<>@]+\.(xn--[a-z\d-]+|[a-z]{2,}|[^\x00-\x7f]{2,})",
            re.IGNORECASE,
        ),
        "(address)",
    ),
    (re.compile(r"(https?:/)?/\S*[?&](tk|pwd|code)=\S+"), "(link)"),
)
# Each pattern looks at such a word from each of its characters on: with a long one for minutes, in
# which the process does nothing else, and a request's method is as long as its sender likes.
_LONG = re.compile(r"\S{301,}")
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}

# Nearly every line says the same few short words: what they look like masked is kept.
_SHORT = 40
_encode = json.JSONEncoder(ensure_ascii=False).encode


class JsonFormatter(logging.Formatter):
    """Writes a record with its extra members; what might name a person is masked."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        extra = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        line |= {
            key: value if isinstance(value, int | float) else mask(str(value))
            for key, value in extra.items()
        }
        if record.exc_info:
            line["trace"] = mask(self.formatException(record.exc_info))
        return _encode(line)


def mask(text: str) -> str:
    """Replace tokens, addresses and join links; control characters become escapes in JSON."""
    return _mask_again(text) if len(text) < _SHORT else _mask(text)


def _mask(text: str) -> str:
    text = _LONG.sub("(long)", text)
    for pattern, replacement in _PRIVATE:
        text = pattern.sub(replacement, text)
    return text


_mask_again = lru_cache(maxsize=512)(_mask)


def configure_logging(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Nothing of this is written; looking for the calling line costs most of it.
    logging._srcfile = None  # as the logging cookbook advises
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # It would write paths, and Zoom's paths may hold a host's address.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # It tells of every request that waits for a moment.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # It tells of its plugins whenever somebody asks for the schema's version.
    logging.getLogger("alembic").setLevel(logging.WARNING)
