"""The peers: form page and registration of the site against running Indico and pretix.

They are not started here; docs/performance.md says how. The environment says where they are, with
the processes they consist of, whose children count as theirs:

    BENCH_INDICO="http://127.0.0.1:8801/event/1/registrations/1/ SERVER POSTGRESQL REDIS"
    BENCH_PRETIX="http://127.0.0.1:8802/org/event/ SERVER POSTGRESQL REDIS"
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from urllib.parse import urlsplit
from urllib.request import urlopen

from .peer_steps import answer_indico
from .rounds import DISTURBING_SHARE, REPEATS
from .sites import Server
from .stand import Stand, Turn
from .steps import HOST, Script
from .table import Goal, Row
from .visitors import Order

VISITORS = (1, 16)
# A registration takes some seconds there when sixteen come at once, and more on a busy machine.
PEER_SECONDS = 3
PATIENCE = 120.0


class BadPeer(Exception):
    """What the environment says of a peer cannot be used; the message says why."""


@dataclass(frozen=True)
class Rival:
    """One peer's name, what its script looks like, and what we want to be against it."""

    name: str
    token: str
    done: str
    form: Goal
    registration: Goal

    @property
    def variable(self) -> str:
        return f"BENCH_{self.name.upper()}"


INDICO = Rival(
    "Indico",
    token=r'name="(csrf-token)"[^>]* content="([^"]+)"',
    done="action-box accept",
    form=Goal(25, 40, is_least=True),
    registration=Goal(20, 35, is_least=True),
)
PRETIX = Rival(
    "pretix",
    token=r'name="(csrfmiddlewaretoken)" value="([^"]+)"',
    done="thank-you",
    form=Goal(20, 30, is_least=True),
    registration=Goal(70, 120, is_least=True),
)
RIVALS = (INDICO, PRETIX)


@dataclass(frozen=True)
class Peer:
    """A running peer; `other_pids` are its database's and what else works for it."""

    rival: Rival
    server: Server
    other_pids: Sequence[int]


def meet_peers(stand: Stand) -> Iterator[Row]:
    """Let the site and each peer take turns; say which peers are left out."""
    for rival in RIVALS:
        told = os.environ.get(rival.variable)
        if not told:
            print(f"{rival.name} is left out: {rival.variable} is not set", file=sys.stderr)
            continue
        try:
            peer = read_peer(rival, told)
        except BadPeer as bad:
            print(f"{rival.name} is left out: {bad}", file=sys.stderr)
            continue
        if rival is INDICO:
            peer = _learn_form(peer)
        for registers in (False, True):
            for visitors in VISITORS:
                yield _compare(stand, peer, registers=registers, visitors=visitors)


def read_peer(rival: Rival, told: str) -> Peer:
    """Read an address and process ids.

    Raises:
        BadPeer: it stands on another machine, or its processes are not told.
    """
    address, *numbers = told.split() or [""]
    parts = urlsplit(address)
    if (parts.scheme, parts.hostname) != ("http", HOST) or not parts.port:
        raise BadPeer(f"{rival.variable}: only http://{HOST}:PORT/... can be compared: {address}")
    if not numbers or not all(number.isdecimal() for number in numbers):
        raise BadPeer(f"{rival.variable}: which processes is it? Their ids follow the address")
    script = Script(
        port=parts.port,
        path=parts.path,
        token=rival.token,
        fields={},
        status=200,
        done=rival.done,
        peer=rival.name.lower(),
    )
    server, *others = map(int, numbers)
    return Peer(rival, Server(server, script), others)


def _compare(stand: Stand, peer: Peer, *, registers: bool, visitors: int) -> Row:
    """Measure pairs of turns, the first one to warm up."""
    beside = replace(stand, database_pids=peer.other_pids)

    def take_pair() -> tuple[Turn, Turn]:
        ours = take_turn(stand, stand.product.web, registers=registers, visitors=visitors)
        return ours, take_turn(beside, peer.server, registers=registers, visitors=visitors)

    take_pair()
    pairs = []
    for _ in range(stand.rounds):
        tries: list[tuple[Turn, Turn]] = []
        while len(tries) < REPEATS and (not tries or _disturb(tries[-1]) > DISTURBING_SHARE):
            tries.append(take_pair())
        pairs.append(min(tries, key=_disturb))
    rival = peer.rival
    what = "registration" if registers else "form page"
    return Row(
        "P5" if registers else "P4",
        f"{what} against {rival.name}, {visitors} at once: rate",
        stand.database,
        median(ours.rate / theirs.rate for ours, theirs in pairs),
        rival.registration if registers else rival.form,
        site=_write_cost([ours for ours, _ in pairs]),
        floor=_write_cost([theirs for _, theirs in pairs]),
        others=max(map(_disturb, pairs)),
    )


def _disturb(pair: tuple[Turn, Turn]) -> float:
    return max(turn.others for turn in pair)


def _write_cost(turns: Sequence[Turn]) -> str:
    """Write how many visits there were in a second, and the steadier figure, their CPU."""
    rate, cpu = median(turn.rate for turn in turns), median(turn.cpu_ms for turn in turns)
    return f"{rate:.{0 if rate >= 100 else 1}f}/s, {cpu:.{2 if cpu < 10 else 0}f} ms"


def take_turn(stand: Stand, server: Server, *, registers: bool, visitors: int) -> Turn:
    """Measure visitors of the site or of a peer, who come again at once and wait for long."""
    is_peer = bool(server.script.peer)
    order = Order(
        server.script,
        registers=registers,
        seconds=stand.seconds * (PEER_SECONDS if is_peer else 1),
        visitors=visitors,
        patience=PATIENCE,
    )
    turn = stand.send(server, order)
    turn.visits.check()
    return turn


def _learn_form(peer: Peer) -> Peer:
    """Answer the form once for all visitors, who would else parse 100 KB each."""
    script = peer.server.script
    with urlopen(f"http://{HOST}:{script.port}{script.path}") as answer:
        fields = answer_indico(answer.read().decode())
    return replace(peer, server=replace(peer.server, script=replace(script, fields=fields)))
