"""Rounds: people register, something breaks, all work is done, and the four journals agree."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.crowd import Crowd
from tests.faults.journals import Answer, Journals, count_doubled_mails, find_faults
from tests.people import TARO

from .faults import Injection, list_faults
from .rig import EVENTS, Rig

FEW, MANY = (3, 6), (18, 24)
"""How many register in a round; every fifth is of many at once, whom Zoom is sent in batches."""

Say = Callable[[str], None]


class LoopFailed(AssertionError):
    """A round has left something lost, doubled, stuck or shown to somebody else."""


@dataclass
class Tally:
    """What the rounds have been, for the last line."""

    people: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    doubled_mails: int = 0
    seconds: list[float] = field(default_factory=list)


class KillLoop:
    """Runs rounds on one rig; the same seed asks for the same faults in the same order."""

    def __init__(
        self, rig: Rig, *, seed: int, say: Say, faults: dict[str, Injection] | None = None
    ) -> None:
        self.tally = Tally()
        self._rig = rig
        self._dice = random.Random(seed)
        self._say = say
        self._faults = faults or list_faults(has_cluster=rig.cluster is not None)
        self._crowds = {slug: Crowd(rig.url, slug) for slug in EVENTS}

    def run(self, rounds: int) -> None:
        """Go through rounds until one fails.

        Raises:
            LoopFailed: what a round has left; the rig's folder has its journals.
        """
        for number, fault in zip(range(1, rounds + 1), self._choose_faults(), strict=False):
            begun = time.monotonic()
            try:
                moves = self._run_round(number, self._faults[fault])
                journals = self._rig.gather(self._list_answers())
                found = find_faults(journals)
            except AssertionError as error:
                journals = self._rig.gather(self._list_answers())
                found = [str(error), *self._rig.read_last_words()]
            seconds = time.monotonic() - begun
            self._note(fault, journals, seconds)
            died = ", ".join(self._rig.deaths) or "-"
            self._say(
                f"round {number:3}  {fault:26}  died: {died:20}  "
                f"waits: {moves if not found else '?'}  {seconds:4.1f} s  "
                f"{'ok' if not found else 'FAILED'}"
            )
            if found:
                self._keep(journals)
                raise LoopFailed("\n".join(found))

    def _choose_faults(self) -> Iterator[str]:
        """Have everything happen once before anything happens again."""
        names = list(self._faults)
        yield from self._dice.sample(names, len(names))
        while True:
            yield self._dice.choice(names)

    def _run_round(self, number: int, inject: Injection) -> int:
        rig, dice = self._rig, self._dice
        rig.deaths.clear()
        with ThreadPoolExecutor(MANY[1] + 2) as hands:
            registrations = [hands.submit(act) for act in self._invite(number)]
            breaking = hands.submit(inject, rig, dice)
            _wait_for([*registrations, breaking], rig.keep_running)
        for done in [*registrations, breaking]:
            done.result()
        moves = rig.drain()
        rig.disarm()
        rig.zoom.clear_faults()
        return moves

    def _invite(self, number: int) -> list[Callable[[], Any]]:
        """Make new people for a round; the first of them sends the form from two tabs at once."""
        acts: list[Callable[[], Any]] = []
        crowd = self._dice.choice(list(self._crowds.values()))
        for place in range(self._dice.randint(*(FEW if number % 5 else MANY))):
            person = TARO | {"email": f"person{place}.round{number}@example.com"}
            acts += [lambda crowd=crowd, person=person: crowd.register(person)] * (
                2 if place == 0 else 1
            )
            self.tally.people += 1
        return acts

    def _list_answers(self) -> list[Answer]:
        return [answer for crowd in self._crowds.values() for answer in crowd.answers]

    def _note(self, fault: str, journals: Journals, seconds: float) -> None:
        self.tally.faults[fault] += 1
        self.tally.seconds.append(seconds)
        self.tally.doubled_mails = count_doubled_mails(journals)

    def _keep(self, journals: Journals) -> None:
        file = self._rig.folder / "journals.json"
        file.write_text(json.dumps(asdict(journals), default=list, ensure_ascii=False, indent=1))


def _wait_for(works: list[Future[Any]], meanwhile: Callable[[], None]) -> None:
    while not all(work.done() for work in works):
        meanwhile()
        time.sleep(0.03)
