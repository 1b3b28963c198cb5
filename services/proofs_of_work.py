"""Proof of work: a browser computes for a moment before its form counts, and nobody has to do more.

The challenges are ALTCHA's, version 2 of its format (https://altcha.org/docs/v2/proof-of-work,
read 2026-11-27). Nothing is stored. A challenge is signed together with the event, the form's nonce
and a digest of what was typed; these three are unique among submissions, so work is good for one
submission alone, and sent again it gives the receipt of that one.

PBKDF2 and not plain SHA: a browser is as fast at it as a program is, while each SHA is a call of
its own that costs a browser a hundred times the hash. The counter to be found is drawn here, so
that the longest search is bounded and its solution known, and the key is signed: checking costs two
HMACs, however dear the work was.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

from .events import BotCheck
from .keys import KeyRing
from .submission_limits import Load
from .submissions import Submission

ALGORITHM = "PBKDF2/SHA-256"
COST = 1_000
TRIES = 300
"""How many keys are derived at most for the least work; half as many at least.

One takes 0.15 ms in Chromium on a server's core (measured), and twenty times as long on a phone
whose processor has no instructions for SHA: so below a second on two of its cores.
"""

STEPS = ((2, 1), (4, 2), (8, 4))
"""Up to a load of so much times what is calm, so many times the least work."""
MOST = 8

LIVES_FOR = timedelta(minutes=20)
PAYLOAD_LENGTH = 4_000

_UNTIL = "until"


class WorkRefused(Exception):
    """What was sent is no proof of work done for this submission, or is too old."""


class ProofsOfWork:
    """Makes challenges and checks what comes back."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = list(zip(keys.derive("challenge"), keys.derive("solution"), strict=True))

    def make_challenge(
        self, event_public_id: str, submission: Submission, load: Load, *, now: datetime
    ) -> str:
        """Return a challenge as JSON; the dearer the more comes."""
        tries = TRIES * weigh(load)
        challenge_key, solution_key = self._keys[0]
        challenge = create_challenge(
            ALGORITHM,
            COST,
            counter=tries // 2 + secrets.randbelow(tries // 2),
            # Our own time and not the format's: all of a site goes by one clock.
            data=_bind(event_public_id, submission) | {_UNTIL: int((now + LIVES_FOR).timestamp())},
            hmac_secret=challenge_key,
            hmac_key_secret=solution_key,
        )
        return json.dumps(challenge.to_dict(), separators=(",", ":"))

    def check(
        self, payload: str, event_public_id: str, submission: Submission, *, now: datetime
    ) -> datetime:
        """Check a proof; return when its work was asked for.

        Raises:
            WorkRefused: it is none, or not of this submission, or too old.
        """
        proof = _read(payload)
        said = proof.challenge.parameters.data
        is_done = any(
            verify_solution(proof, challenge_key, hmac_key_secret=solution_key).verified
            for challenge_key, solution_key in self._keys
        )
        until = said.pop(_UNTIL, 0) if is_done and isinstance(said, dict) else 0
        if now.timestamp() >= until or said != _bind(event_public_id, submission):
            raise WorkRefused
        return datetime.fromtimestamp(until, UTC) - LIVES_FOR


def is_proof_wanted(bot_check: str, load: Load) -> bool:
    """Tell whether an event asks for work now: by itself, only while much comes."""
    return bot_check == BotCheck.ALWAYS or (bot_check == BotCheck.AUTOMATIC and not load.is_calm)


def weigh(load: Load) -> int:
    """Return how many times the least work is asked for."""
    most = max(load.network, load.event)
    return next((factor for limit, factor in STEPS if most <= limit), MOST)


def _bind(event_public_id: str, submission: Submission) -> dict[str, Any]:
    return {"event": event_public_id, "nonce": submission.nonce, "digest": submission.digest}


def _read(payload: str) -> Payload:
    if len(payload) > PAYLOAD_LENGTH:
        raise WorkRefused
    try:
        return Payload.from_dict(json.loads(base64.b64decode(payload, validate=True)))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise WorkRefused from e
