"""The API: what registering by a program costs, against the form of the same site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from types import SimpleNamespace

from services.api_keys import Scope, issue_key
from storage import events

from .sites import SLUG, Product, Server
from .stand import Stand, Turn
from .table import Goal, Row

RATE = Goal(1.0, 1.5, is_least=True)
CPU = Goal(1.0, 0.7)
VISITORS = 16

# A program is slowed at 20 registrations a second for long: so many are here at once.
KEYS = 64


def register_by_api(stand: Stand) -> Iterator[Row]:
    """Let form and API take turns: a visit is a whole registration, join link included."""
    form = stand.product.web
    api = Server(form.pid, replace(form.script, keys=_make_keys(stand.product)))
    pairs = [(_take_turn(stand, api), _take_turn(stand, form)) for _ in range(stand.rounds + 1)][1:]
    for name, measure, bound, unit in (
        ("rate", "rate", RATE, "/s"),
        ("CPU", "cpu_ms", CPU, " ms"),
    ):
        values = [(getattr(one, measure), getattr(other, measure)) for one, other in pairs]
        digits = 2 if measure == "cpu_ms" else 0
        yield Row(
            "P21",
            f"registering by the API against the form, {VISITORS} at once: {name}",
            stand.database,
            median(one / other for one, other in values),
            bound,
            site=f"{median(one for one, _ in values):.{digits}f}{unit}",
            floor=f"{median(other for _, other in values):.{digits}f}{unit}",
            others=max(turn.others for pair in pairs for turn in pair),
        )


def _take_turn(stand: Stand, site: Server) -> Turn:
    return stand.take_turn(site, registers=True, visitors=VISITORS, seconds=stand.seconds)


def _make_keys(product: Product) -> tuple[str, ...]:
    with product.database.write() as session:
        event = events.get_event_by_slug(session, SLUG)
        assert event is not None
        maker = SimpleNamespace(organization_id=event.organization_id, public_id="bench")
        return tuple(
            issue_key(
                session,
                maker,  # type: ignore[arg-type]
                name="bench",
                scopes=[Scope.REGISTRATIONS_WRITE],
                days=1,
                now=product.site.read_clock(),
            )
            for _ in range(KEYS)
        )
