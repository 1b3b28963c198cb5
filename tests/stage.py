"""A site with events and people in any state, brought there the way they come there in life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cli.demo_events import ensure_demo_events
from services import registration_changes
from services.default_form import default_questions
from services.default_notice import Operator
from services.mail_proofs import ask_by_mail
from services.registrations import sync_key
from storage import events, job_lists, registrations, submissions, zoom_registrants
from storage.models import Event, Registration, SubmissionRow
from tests import factories
from tests.live_site import LiveSite

OPERATOR = Operator(
    name="サンプル株式会社",
    address="東京都千代田区見本町1-2-3",
    representative="代表取締役 見本 一郎",
    contact="events@example.com",
)
TITLE = {
    "ja": "はじめての勉強会 〜小さく始めて、長く続ける〜",
    "en": "Your first study group: start small, keep going",
}
LEAD = {
    "ja": "小さな勉強会を長く続けるための工夫を、60分でご紹介します。",
    "en": "Sixty minutes on what makes small study groups last.",
}
TARO: dict[str, str | list[str]] = {
    "family_name": "山田",
    "given_name": "太郎",
    "question_company": "サンプル株式会社",
    "question_department": "イベント企画部",
    "question_age_band": "40s",
    "question_prefecture": "JP-13",
    "question_reason": ["learn", "solve"],
    "question_privacy": "yes",
}

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_TEXT = f"""
# 見出し1から始まる説明文

{"改行のない長い文章が続いても、段落は読みやすい幅で折り返します。" * 8}

| 列の多い表 | 二列目 | 三列目 | 四列目 | 五列目 | 六列目 |
| --- | --- | --- | --- | --- | --- |
| {LONG_WORD} | 2 | 3 | 4 | 5 | {LONG_WORD} |

`{"code" * 40}`

    def indented(): return "{"a line of code that is long " * 4}"

https://example.com/{"path/" * 40}

<script>alert(1)</script> <img src=x onerror=alert(1)> שלום \u202egnp.exe
"""

_BOTH = {"ja": f"{LONG_WORD}株式会社{'年次総会のご案内' * 4}", "en": f"<b>{LONG_WORD}</b>\u202e"}
LONG_PARTS: dict[str, Any] = {
    "speakers": [
        {"id": "long", "name": _BOTH, "role": _BOTH, "text": {"ja": LONG_TEXT}, "picture": None},
        {"id": "short", "name": {"ja": "林"}, "role": {}, "text": {}, "picture": None},
    ],
    "programme": [
        {
            "id": "long",
            "time": {"ja": "2026年12月10日（木）14:00〜15:00ごろから順次", "en": "14:00"},
            "title": {locale: f"1. {text}" for locale, text in _BOTH.items()},
            "text": {"ja": LONG_TEXT},
            "speakers": ["long", "short"],
        },
        {"id": "short", "time": {}, "title": {"ja": "休憩"}, "text": {}, "speakers": []},
    ],
    "materials": [{"id": "long", "label": _BOTH, "url": f"https://example.com/{'a' * 200}"}],
}
"""Speakers, a programme and links of a length and kind that nobody planned for."""


class Stage:
    """Puts events and people on a site: events are known by slug, people by address."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self._visitor = site.visitor()
        self._slugs: dict[str, str] = {}

    def go_to_noon(self) -> None:
        """Let the clock be far from midnight UTC, when Zoom's days begin."""
        now = self.site.clock()
        noon = now.replace(hour=12, minute=0, second=0) + timedelta(days=1)
        self.site.let_pass(seconds=(noon - now).total_seconds())

    def address(self, slug: str) -> str:
        return f"{self.site.url}/e/{slug}"

    def add_examples(self) -> None:
        """Add the events of the demo, `demo` and `demo-en`."""
        ensure_demo_events(self.site.parts)

    def add_event(
        self,
        slug: str,
        *,
        starts_in: timedelta = timedelta(days=14),
        opens_in: timedelta | None = None,
        taken: int = 0,
        **members: Any,
    ) -> Event:
        """Add a published event with the default questions and some of its seats taken."""
        now = self.site.clock()
        event = self.site.add_event(
            **{
                "slug": slug,
                "kind": "webinar",
                "title": TITLE,
                "lead": LEAD,
                "questions": default_questions("ja", OPERATOR),
                "starts_at": _round(now + starts_in),
                "opens_at": _round(now + opens_in) if opens_in else None,
            }
            | members
        )
        with self.site.database.write() as session:
            events.add_counters(session, event.id, {events.SEATS: taken})
        return event

    def hold(self, event: Event, *, email: str) -> SubmissionRow:
        """Have somebody, whose browser does no work, asked by mail."""
        parts = self.site.parts
        submission = factories.make_submission(event, email=email, answers={}, consents=())
        with parts.database.write() as session:
            return ask_by_mail(
                session,
                parts.keys,
                None,
                event=event,
                submission=submission,
                is_limited=False,
                now=self.site.clock(),
            )

    def change_event(self, slug: str, **members: Any) -> None:
        with self.site.database.write() as session:
            event = events.get_event_by_slug(session, slug)
            assert event is not None
            for name, value in members.items():
                setattr(event, name, value)

    def end_event(self, slug: str) -> None:
        self.change_event(slug, starts_at=_round(self.site.clock() - timedelta(days=1)))

    def register(self, slug: str, email: str, **answers: str | list[str]) -> str:
        """Register somebody on the page of an event; return the address of the receipt."""
        form = self._visitor.open(f"/e/{slug}").form()
        receipt = form.fill(**TARO | {"email": email} | answers).submit()
        self._slugs[email] = slug
        return _drop_query(receipt.url)

    def cancel(self, email: str) -> None:
        page = self._visitor.open(f"{self.personal(email)}/cancel")
        page.form().submit()

    def deny(self, email: str) -> None:
        with self.site.database.write() as session:
            event = events.get_event_by_slug(session, self._slugs[email])
            person = registrations.get_registration_by_email_key(session, event.id, email)
            registration_changes.deny(
                session, event, person, actor="organizer", now=self.site.clock()
            )

    def give_up(self, email: str) -> None:
        """Let the worker have given up on bringing somebody to Zoom."""
        with self.site.database.write() as session:
            job = job_lists.get_job(session, sync_key(self._find(email).id))
            assert job is not None
            job.state, job.reason = "parked", "GivenUp: unexpected"

    def spoil_link(self, email: str) -> None:
        """Let somebody's link lead where no link of Zoom's leads."""
        with self.site.database.write() as session:
            registrant = zoom_registrants.get_zoom_registrant(session, self._find(email).id)
            assert registrant is not None
            zoom_registrants.write_join_url(session, registrant, "https://example.com/j/1")

    def personal(self, email: str) -> str:
        """Return the address of a personal page, as mails have it."""
        return self.site.parts.links.personal_from_mail(self._find(email))

    def join(self, email: str) -> str:
        """Return the address of a join page, as mails have it."""
        return self.site.parts.links.join_from_mail(self._find(email))

    def join_from(self, receipt: str) -> str:
        """Return the address of a join page, as the receipt has it."""
        page = self._visitor.open(receipt)
        [address] = {a["href"] for a in page.root.find_all("a") if "/j/" in a["href"]}
        return _drop_query(address)

    def proposal(self, email: str) -> str:
        """Return where somebody sees what was sent again with their address."""
        person = self._find(email)
        with self.site.database.read() as session:
            [repeat] = submissions.list_repeats(session, person.id, limit=2)
        return f"{self.personal(email)}/answers/{repeat.public_id}"

    def is_registered(self, slug: str, email: str) -> bool:
        return self._get(slug, email) is not None

    def _find(self, email: str) -> Registration:
        person = self._get(self._slugs[email], email)
        assert person is not None
        return person

    def _get(self, slug: str, email: str) -> Registration | None:
        with self.site.database.read() as session:
            event = events.get_event_by_slug(session, slug)
            assert event is not None
            return registrations.get_registration_by_email_key(session, event.id, email)


def _round(moment: datetime) -> datetime:
    """Return the full hour at or after a moment: events start at two, not at 13:41."""
    tokyo = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    return tokyo.replace(hour=14, minute=0, second=0, microsecond=0)


def _drop_query(address: str) -> str:
    return urlsplit(address)._replace(query="").geturl()
