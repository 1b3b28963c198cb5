"""Four journals of what happened, compared person by person: the proof that nothing was lost.

What visitors were answered, the rows of the database, what Zoom did, and the mails that arrived.
`find_faults` says in words what does not fit together; after any fault, and once everything that
was due is done, it finds nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.events import LinkPolicy
from services.links import Links
from services.registrations import Outcome
from storage import zoom_registrants
from storage.models import Event, Job, Mail, Registration, SubmissionRow, ZoomRegistrant
from storage.session import Database
from tests.mailbox import read_address, read_text
from zoom_sandbox.control import SandboxControl

if TYPE_CHECKING:
    from tests.live_site import LiveSite

OUR_LINK = re.compile(r"https?://[^\s\"'<>]+/[jr]/([a-z][\w-]{44})", re.ASCII)
ZOOM_LINK = re.compile(r"https?://[^\s\"'<>]+[?&;]tk=[\w.-]+")

COPIES_AT_MOST = 2
"""A mail of which nobody knows whether it was sent is sent once more, and never again."""


@dataclass(frozen=True)
class Answer:
    """What one visitor was answered: `receipt` is where a registration led to, if it was taken."""

    email: str
    receipt: str | None
    text: str


@dataclass(frozen=True)
class Row:
    """One registration; `screen_tokens` may be shown to whoever made it, `mail_tokens` mailed."""

    meeting_id: int
    email: str
    status: str
    delivery: str
    zoom_link: str | None
    receipts: frozenset[str] = frozenset()
    screen_tokens: frozenset[str] = frozenset()
    mail_tokens: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AtZoom:
    """Somebody whom Zoom has: `token` is the secret part of the link that leads them in."""

    meeting_id: int
    email: str
    status: str
    token: str


@dataclass(frozen=True)
class Effect:
    """What a call or a visit changed at Zoom."""

    meeting_id: int
    email: str
    name: str


@dataclass(frozen=True)
class AskedMail:
    message_id: str
    email: str
    name: str
    state: str


@dataclass(frozen=True)
class Copy:
    """A mail as it arrived."""

    to: str
    message_id: str
    text: str


@dataclass(frozen=True)
class Journals:
    """All that is known from the four sides; `stuck` is work that was due and is not done.

    `in_doubt` names the mails whose sender could not know, or not store, that they had arrived.
    """

    answers: Sequence[Answer] = ()
    rows: Sequence[Row] = ()
    people: Sequence[AtZoom] = ()
    effects: Sequence[Effect] = ()
    asked: Sequence[AskedMail] = ()
    copies: Sequence[Copy] = ()
    in_doubt: Collection[str] = ()
    stuck: Sequence[str] = ()


def gather(
    database: Database,
    zoom: SandboxControl,
    links: Links,
    *,
    answers: Iterable[Answer],
    copies: Iterable[Copy],
    in_doubt: Iterable[str] = (),
    now: datetime,
) -> Journals:
    """Read all four sides as they are now; `zoom` is the control of the sandbox."""
    state = zoom.state()
    with database.read() as session:
        rows = list(_read_rows(session, links))
        asked = list(_read_mails(session))
        stuck = list(_read_stuck(session, now))
    return Journals(
        answers=list(answers),
        rows=rows,
        people=[
            AtZoom(p["meeting_id"], p["email"].lower(), p["status"], p["token"])
            for p in state["registrants"]
        ],
        effects=[
            Effect(entry["meeting_id"], entry["email"].lower(), entry["effect"])
            for entry in zoom.journal()
            if entry["effect"]
        ],
        asked=asked,
        copies=list(copies),
        in_doubt=frozenset(in_doubt),
        stuck=stuck,
    )


def read_copy(message: EmailMessage) -> Copy:
    message_id = str(message["Message-ID"]).strip("<> ").partition("@")[0]
    return Copy(read_address(message).lower(), message_id, read_text(message))


def settle(
    site: LiveSite,
    answers: Iterable[Answer],
    *,
    copies: Iterable[Copy] | None = None,
    in_doubt: Iterable[str] = (),
) -> None:
    """Let everything that waits be done on a site, and check its journals.

    `copies` are the mails that have arrived; those that the site has written to files if not given.
    """
    for _ in range(3):
        site.let_pass(minutes=2)
        site.drain()
    if copies is None:
        copies = [read_copy(mail) for mail in site.mailbox.list_mails()]
    links, now = site.parts.links, site.clock()
    check(
        gather(
            site.database,
            site.zoom,
            links,
            answers=answers,
            copies=copies,
            in_doubt=in_doubt,
            now=now,
        )
    )


def check(journals: Journals) -> None:
    """Fail with every fault that is found."""
    faults = find_faults(journals)
    assert faults == [], "\n".join(faults)


def find_faults(journals: Journals) -> list[str]:
    """Say what does not fit together, a sentence for each fault; nothing if all is well."""
    return [
        *_find_lost(journals),
        *_find_different_at_zoom(journals),
        *_find_doubled_at_zoom(journals),
        *_find_wrong_mails(journals),
        *_find_doubled_mails(journals),
        *_find_leaks(journals),
        *_find_stuck(journals),
    ]


def count_doubled_mails(journals: Journals) -> int:
    """Count the mails of which more than one copy arrived."""
    return sum(count > 1 for count in _count_copies(journals).values())


def _count_copies(journals: Journals) -> Counter[str]:
    return Counter(copy.message_id for copy in journals.copies)


def _find_lost(journals: Journals) -> Iterator[str]:
    kept = {receipt for row in journals.rows for receipt in row.receipts}
    for answer in journals.answers:
        if answer.receipt is not None and answer.receipt not in kept:
            yield f"{answer.email} was promised a place, and there is no row of it"
    people = Counter((row.meeting_id, row.email) for row in journals.rows)
    for (_, email), count in people.items():
        if count > 1:
            yield f"{email} has {count} rows"


def _find_different_at_zoom(journals: Journals) -> Iterator[str]:
    """Compare who is approved here with whom Zoom lets in, both ways, and the links of each."""
    let_in = {(p.meeting_id, p.email): p for p in journals.people if p.status == "approved"}
    wanted = {(row.meeting_id, row.email): row for row in journals.rows if row.status == "approved"}
    for key, row in wanted.items():
        person = let_in.get(key)
        if row.delivery == "refused":
            continue
        if person is None:
            yield f"{row.email} is approved, and Zoom does not let them in"
        elif row.zoom_link is None:
            yield f"{row.email} is let in by Zoom, and has no link here"
        elif _read_zoom_token(row.zoom_link) != person.token:
            yield f"{row.email} has a link here that is not theirs at Zoom"
    for key in let_in.keys() - wanted.keys():
        yield f"{key[1]} is let in by Zoom, and not approved here"


def _find_doubled_at_zoom(journals: Journals) -> Iterator[str]:
    """An add that is sent to somebody whom Zoom has is one too many, though it changes nothing."""
    adds = Counter((e.meeting_id, e.email) for e in journals.effects if e.name in ("add", "repeat"))
    for (_, email), count in adds.items():
        if count > 1:
            yield f"{email} was added to Zoom {count} times"
    people = Counter((person.meeting_id, person.email) for person in journals.people)
    for (_, email), count in people.items():
        if count > 1:
            yield f"{email} is {count} people at Zoom"


def _find_wrong_mails(journals: Journals) -> Iterator[str]:
    tokens: dict[str, set[str]] = {}
    for row in journals.rows:
        tokens.setdefault(row.email, set()).update(row.mail_tokens)
    asked = {mail.message_id: mail for mail in journals.asked}
    written_to = {copy.to for copy in journals.copies}
    for email in tokens.keys() - written_to:
        yield f"{email} has got no mail"
    for copy in journals.copies:
        mail = asked.get(copy.message_id)
        if mail is None:
            yield f"{copy.to} has got a mail that nobody asked for"
        elif mail.email != copy.to:
            yield f"{copy.to} has got a mail that was for {mail.email}"
        for token in OUR_LINK.findall(copy.text):
            if token not in tokens.get(copy.to, ()):
                yield f"{copy.to} has got a mail with a link that is not theirs"
        if ZOOM_LINK.search(copy.text):
            yield f"{copy.to} has got a mail with a link of Zoom's own"


def _find_doubled_mails(journals: Journals) -> Iterator[str]:
    readers = {copy.message_id: copy.to for copy in reversed(journals.copies)}
    for message_id, count in _count_copies(journals).items():
        email = readers[message_id]
        if count > COPIES_AT_MOST:
            yield f"{email} has got a mail {count} times"
        elif count > 1 and message_id not in journals.in_doubt:
            yield f"{email} has got a mail twice, though it was known that it had arrived"
    firsts = Counter(m.email for m in journals.asked if m.name == "confirmation" and _went(m))
    rows = Counter(row.email for row in journals.rows)
    for email, count in firsts.items():
        if count > rows[email]:
            yield f"{email} was told {count} times that they are registered"


def _find_leaks(journals: Journals) -> Iterator[str]:
    """No answer shows a link, but the submitter's own in the answer to their own submission."""
    own: dict[str, set[str]] = {}
    for row in journals.rows:
        for receipt in row.receipts:
            own.setdefault(receipt, set()).update(row.screen_tokens)
    for answer in journals.answers:
        if ZOOM_LINK.search(answer.text):
            yield f"{answer.email} was shown a link of Zoom's own"
        for token in OUR_LINK.findall(answer.text):
            if token not in own.get(answer.receipt or "", ()):
                yield f"{answer.email} was shown a link that is not for their screen"


def _find_stuck(journals: Journals) -> Iterator[str]:
    yield from journals.stuck
    for row in journals.rows:
        if row.status == "approved" and row.delivery not in ("registered", "refused"):
            yield f"{row.email} is approved, and their delivery is still {row.delivery}"
    for mail in journals.asked:
        if mail.state not in ("sent", "dropped") and mail.name != "delayed":
            yield f"the mail {mail.name} to {mail.email} is still {mail.state}"


def _went(mail: AskedMail) -> bool:
    return mail.state in ("sent", "sending", "unknown", "again")


def _read_zoom_token(link: str) -> str:
    return parse_qs(urlsplit(link).query).get("tk", [""])[0]


def _read_rows(session: Session, links: Links) -> Iterator[Row]:
    found = session.execute(
        select(Registration, Event, ZoomRegistrant)
        .join(Event, Event.id == Registration.event_id)
        .outerjoin(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .order_by(Registration.id)
    )
    for person, event, registrant in found:
        sent = session.scalars(
            select(SubmissionRow).where(SubmissionRow.registration_id == person.id)
        ).all()
        is_shown = event.link_policy == LinkPolicy.SHOW
        shown = [
            submission
            for submission in sent
            if submission.code_used_at or (is_shown and submission.outcome == Outcome.CREATED)
        ]
        yield Row(
            meeting_id=event.zoom_id,
            email=person.email.lower(),
            status=person.status,
            delivery=registrant.delivery if registrant else "waiting",
            zoom_link=zoom_registrants.read_join_url(session, registrant),
            receipts=frozenset(_path(links.receipt(submission)) for submission in sent),
            screen_tokens=frozenset(
                _token(link)
                for submission in shown
                for link in (
                    links.join_from_screen(submission, person),
                    links.personal_from_screen(submission, person),
                )
            ),
            mail_tokens=frozenset(
                _token(link)
                for link in (links.join_from_mail(person), links.personal_from_mail(person))
            ),
        )


def _read_mails(session: Session) -> Iterator[AskedMail]:
    found = session.execute(
        select(Mail, Registration.email)
        .join(Registration, Registration.id == Mail.registration_id)
        .order_by(Mail.id)
    )
    for mail, email in found:
        yield AskedMail(mail.message_id, email.lower(), mail.name, mail.state)


def _read_stuck(session: Session, now: datetime) -> Iterator[str]:
    for job in session.scalars(select(Job).where(Job.state != "done").order_by(Job.id)):
        if job.state != "ready" or job.run_at <= now:
            yield f"the job {job.key} is {job.state}: {job.reason or 'nobody did it'}"


def _path(link: str) -> str:
    return urlsplit(link).path


def _token(link: str) -> str:
    return _path(link).rpartition("/")[2]
