"""A busy organization, one that begins, and people of all kinds: what the dashboard shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from oidc_client import Credentials
from services import passwords
from services.access_links import LinkPurpose, add_link, invite_first_owner
from services.default_form import default_questions
from services.event_editing import PUBLISHED
from services.events import LinkPolicy
from services.form_drafts import edit_form, read_edited_form
from services.form_editing import add_question
from services.identity_providers import Policy, save_provider
from services.invitation_links import LinkKind, ensure_link_of
from services.invitation_links import add_link as add_invitation_link
from services.members import Role
from services.people_acts import Act, act_on
from services.people_columns import guess_columns
from services.people_imports import begin_import, start_import
from services.people_tasks import do_next, start_task
from services.questions import Answer, Choice, ConsentKind, Question, QuestionKind
from services.registrations import hold, register, sync_key
from services.sources import name_origin
from services.submissions import ConsentGiven, Doubt
from services.webhooks import OFFERED, TEST, Payload, Reason, Wish, add_endpoint, pause
from storage import events, job_lists, members, organizations, registrations, webhooks
from storage.models import Event, Organization, PeopleImport, Registration
from storage.visits import Visit, add_visits
from tests import factories
from tests.dashboard import Dashboard, make_membership, sign_in_again
from tests.fixtures.browsers import LOCALES
from tests.live_site import LiveSite
from tests.stage import LONG_PARTS, LONG_TEXT, LONG_WORD, OPERATOR, TITLE

PASSWORD = "seventeen green umbrellas"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOSTILE = "<script>alert(1)</script>\u202e\"'><img src=x onerror=alert(1)> {{7*7}} =1+1"
LONG_NAME = "とても長い名前の株式会社ほげほげホールディングスアンドパートナーズ東日本支社"
MISSING_SCOPE = "meeting:write:batch_registrants:admin"

Browsers = dict[str, dict[str, str]]
"""What a browser holds, by name, for each language."""

_FAMILY_NAMES = ("佐藤", "鈴木", "髙橋", "田中", "伊藤", "渡邉", "山﨑", "中村", "小林", "𠮷田")
_GIVEN_NAMES = ("花子", "健一", "美咲", "大輔", "陽菜", "翔太", "直子", "拓也", "恵", "亮")
_COMPANIES = ("サンプル株式会社", "例示システムズ株式会社", "㈱見本商事", "架空大学")
_AGES = ("30s", "40s", "20s", "40s", "50s", "30s", "na")
_PLACES = ("JP-13", "JP-27", "JP-13", "JP-14", "JP-40", "JP-23", "JP-01")
_REASONS = ("learn", "solve", "learn", "evaluate", "speakers")
_HOSTILE_SOURCE = {"utm_source": HOSTILE, "page": f"https://{'sub.' * 16}example.com/{LONG_WORD}"}
_MAIL = {"utm_source": "mail", "utm_medium": "newsletter", "utm_campaign": "spring"}
_WEB = {"utm_source": "web", "page": "https://www.example.com/seminars/spring-2030"}
_SOURCES: tuple[dict[str, str], ...] = (_MAIL, _WEB, _MAIL, {"utm_source": "partner"})


LONG_ORIGIN = f"https://{'very-long-name.' * 12}example.com:8443"


@dataclass(frozen=True)
class World:
    """`ids` stand for parts of addresses; `browsers` are signed in, by who it is."""

    ids: dict[str, str]
    browsers: dict[str, Browsers]


def build_world(site: LiveSite) -> World:
    """Fill a fresh site; people of the crowded event are at Zoom, one of them was refused."""
    site.zoom.set_clock(site.clock())
    site.zoom.remove_scopes(MISSING_SCOPE)
    with site.database.write() as session:
        organization = factories.make_organization(
            session,
            now=site.clock(),
            name="サンプル株式会社",
            legal_name="サンプル株式会社",
            slug="sample",
        )
        organization.embed_origins = ["https://www.example.co.jp", LONG_ORIGIN]
        company = _add_provider(session, organization, site)
        owners = _add_members(session, site)
        beginners = _add_beginners(session, site)
        half_in = _add_half_in(session, site)
        ids = _add_links(session, site, organization.id)
    ids |= {
        "company": company,
        "event": _add_crowded(site),
        "draft": _add_draft(site),
        "hostile": _add_hostile(site),
    }
    ids |= _make_links(site, ids["event"], ids["hostile"])
    ids["webhook"] = _add_webhooks(site)
    ids |= _send_tables(site, ids["event"])
    site.drain()
    _start_table(site, ids["added"])
    ids |= _add_acts(site, ids["event"])
    site.drain()
    ids["membership"] = _find_viewer(site)
    return World(
        ids,
        {
            "owner": _sign_in(site, owners),
            "beginner": _sign_in(site, beginners),
            "half in": {locale: _show_password(site, half_in[locale]) for locale in LOCALES},
        },
    )


def _add_provider(session: Session, organization: Organization, site: LiveSite) -> str:
    """Let members sign in with their company's account too."""
    save_provider(
        session,
        organization,
        "https://accounts.example.com",
        Credentials("client", "secret"),
        Policy(),
        now=site.clock(),
    )
    return organization.public_id


def _add_members(session: Session, site: LiveSite) -> dict[str, int]:
    """Add people of every role, one with a hostile name and one with a long one."""
    secret = passwords.hash_password(PASSWORD)
    owners = {
        locale: make_membership(
            session,
            locale=locale,
            name=name,
            email=f"{locale}@example.com",
            password_hash=secret,
            may_add_organizations=True,
            now=site.clock(),
        ).organizer_id
        for locale, name in (("ja", "主催 花子"), ("en", "Hanako Shusai"))
    }
    make_membership(session, Role.EDITOR, name=HOSTILE, now=site.clock())
    make_membership(session, Role.VIEWER, name=LONG_WORD, now=site.clock())
    make_membership(session, Role.APPROVER, name="承認 次郎", now=site.clock())
    return owners


def _add_beginners(session: Session, site: LiveSite) -> dict[str, int]:
    """Add an organization that has just been made, with nothing in it."""
    fresh = organizations.add_organization(session, now=site.clock())
    return {
        locale: make_membership(
            session, organization=fresh, locale=locale, name="", now=site.clock()
        ).organizer_id
        for locale in LOCALES
    }


def _add_half_in(session: Session, site: LiveSite) -> dict[str, str]:
    """Add people whose password is not enough; return their addresses."""
    secret = passwords.hash_password(PASSWORD)
    emails = {locale: f"half-{locale}@example.com" for locale in LOCALES}
    for locale, email in emails.items():
        make_membership(
            session,
            Role.EXPORTER,
            email=email,
            locale=locale,
            name="書き出し 三郎",
            password_hash=secret,
            totp_secret=session.info["cipher"].encrypt(TOTP_SECRET),
            now=site.clock(),
        )
    return emails


def _add_links(session: Session, site: LiveSite, organization_id: int) -> dict[str, str]:
    def write(link: Any) -> str:
        return site.parts.links.access(link).rpartition("/")[2]

    invited = add_link(
        session,
        LinkPurpose.MEMBER,
        organization_id=organization_id,
        email="invited@example.com",
        role=Role.VIEWER,
        now=site.clock(),
    )
    return {
        "owner_link": write(invite_first_owner(session, now=site.clock())),
        "invited": write(invited),
    }


def _add_crowded(site: LiveSite) -> str:
    """Add an event to which people of all kinds have come, day by day."""
    event = site.add_event(
        kind="webinar",
        slug="crowded",
        title=TITLE,
        approval="manual",
        capacity=500,
        questions=default_questions("ja", OPERATOR),
    )
    people = [_add_person(site, event, number) for number in range(24)]
    with site.database.write() as session:
        for number, registration_id in enumerate(people):
            act = Act.DENY if number == 3 else Act.CANCEL if number == 5 else Act.APPROVE
            if number % 6:
                _act(session, event, registration_id, act, site)
    _add_person(site, event, 30, email="held@example.com", is_suspicious=True)
    with site.database.write() as session:
        for name, doubt in (
            ("unproven", Doubt.MAIL_PROOF),
            ("unreached", Doubt.MAIL_FAILED),
            ("unasked", Doubt.NO_MAIL),
        ):
            person = factories.make_submission(
                event, email=f"{name}@example.com", family_name=LONG_WORD
            )
            hold(session, event, person, doubt, now=site.clock())
    _add_visits(site, event, [(_MAIL, 64), (_WEB, 210), ({}, 38), ({"utm_source": "social"}, 7)])
    with site.database.write() as session:
        job = job_lists.get_job(session, sync_key(people[0]))
        if job is not None:
            job.state, job.reason = "parked", "RegistrationDisabled: 3027"
    return event.public_id


def _add_person(site: LiveSite, event: Event, number: int, **members: Any) -> int:
    answers = {
        "company": Answer((_COMPANIES[number % 4],)),
        "age_band": Answer((_AGES[number % 7],)),
        "prefecture": Answer((_PLACES[number % 7],)),
        "reason": Answer((_REASONS[number % 5],)),
    }
    consents = (
        ConsentGiven("privacy", ConsentKind.PRIVACY, "「個人情報の取扱い」に同意する", True),
        ConsentGiven("marketing", ConsentKind.MARKETING, "ご案内メールを受け取る", number % 3 == 0),
    )
    came = site.clock() - timedelta(days=(number * number) % 11, hours=number)
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        submission = factories.make_submission(
            found,
            **{
                "email": f"person{number}@example.com",
                "family_name": _FAMILY_NAMES[number % 10],
                "given_name": _GIVEN_NAMES[(number * 3) % 10],
                "answers": answers,
                "consents": consents,
                "source": _SOURCES[number % 4],
            }
            | members,
        )
        made = register(session, found, submission, policy=LinkPolicy.SHOW, now=came)
        return made.registration_id or 0


def _add_visits(site: LiveSite, event: Event, views: list[tuple[dict[str, str], int]]) -> None:
    """Count views by what people came with, over some days, and what follows from them."""
    counts = {}
    for source, number in views:
        for days in range(4):
            day = (site.clock() - timedelta(days=days)).date()
            at = partial(Visit, event.id, day, name_origin(source))
            counts |= {at("view"): number // 4 + 1, at("start"): number // 7, at("failed"): 1}
    day = site.clock().date()
    mistakes = {"email": 9, "question_company": 4, "question_privacy": 21}
    counts |= {Visit(event.id, day, "", f"error:{name}"): n for name, n in mistakes.items()}
    with site.database.write() as session:
        add_visits(session, counts, {name_origin(source): source for source, _ in views if source})


def _act(session: Session, event: Event, key: int, act: Act, site: LiveSite) -> None:
    found = events.need_event(session, event.id)
    act_on(session, found, registrations.get_registration(session, key), act, now=site.clock())


def _add_webhooks(site: LiveSite) -> str:
    """Add one that was told much, and one of a long name that was given up."""
    now = site.clock()
    with site.database.write() as session:
        event = session.scalars(select(Event).order_by(Event.id)).first()
        assert event is not None
        wishes = [
            Wish(name, url, Payload.THIN, OFFERED, None)
            for name, url in (
                ("顧客管理システム", "https://hooks.example.com/uketsuke?tenant=sample"),
                ("長い名前の" * 16, f"https://{'very-long.' * 12}example.com/{'path/' * 30}"),
            )
        ]
        endpoint, other = (
            add_endpoint(session, event.organization_id, wish, now=now)[0] for wish in wishes
        )
        pause(other, reason=Reason.FAILING, now=now)
        endpoint.failures, endpoint.failing_since = 3, now - timedelta(hours=3)
        endpoint.try_at = now + timedelta(days=1)
        person = session.scalars(select(Registration.public_id)).first() or ""
        for number, (kind, state, answer, error) in enumerate(_TOLD):
            at = now - timedelta(hours=9 - number)
            message = webhooks.add_test(session, endpoint.id, kind, now=at)
            message.state, message.answer, message.error = state, answer, error
            message.attempts, message.next_at = number, now + timedelta(hours=2)
            if kind != TEST:
                message.event_id, message.person = event.id, person
        return endpoint.public_id


_TOLD = (
    (TEST, "delivered", 204, ""),
    ("registration.created", "delivered", 200, ""),
    ("registration.confirmed", "delivered", 200, ""),
    ("registration.created", "failed", 500, ""),
    ("registration.created", "failed", 302, ""),
    ("registration.joined", "failed", None, "certificate"),
    ("registration.cancelled", "dropped", None, ""),
    ("registration.created", "waiting", None, "timeout"),
    ("registration.denied", "waiting", None, "refused_address"),
)


def _add_draft(site: LiveSite) -> str:
    """Add a draft whose meeting at Zoom is as Zoom's own screens leave it."""
    start = (site.clock() + timedelta(days=9)).replace(microsecond=0, second=0, minute=0)
    meeting = site.zoom.add_meeting(
        "meeting",
        topic="Autumn briefing",
        type=2,
        start_time=f"{start:%Y-%m-%dT%H:%M:%SZ}",
        timezone="Asia/Tokyo",
    )
    site.zoom.change_meeting(
        meeting["id"],
        settings={"approval_type": 0, "alternative_hosts": "other@example.com"},
    )
    site.zoom.add_meeting(
        "webinar",
        topic=f"秋の{LONG_NAME}説明会",
        type=5,
        start_time=f"{start + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
        timezone="Asia/Tokyo",
    )
    with site.database.write() as session:
        event = factories.make_event(
            session,
            now=site.clock(),
            status="draft",
            zoom_id=meeting["id"],
            title={"ja": "秋の説明会", "en": "Autumn briefing"},
            questions=default_questions("ja", OPERATOR),
            starts_at=start + timedelta(hours=1),
            brand_color="#FFD43D",
            known_read_at=None,
            published_at=None,
        )
        return event.public_id


def _add_hostile(site: LiveSite) -> str:
    """Add events with texts that nobody planned for, and somebody with such a name."""
    title = {"ja": HOSTILE + LONG_WORD, "en": HOSTILE + LONG_WORD}
    text = {"ja": LONG_TEXT, "en": LONG_TEXT}
    later = site.clock() + timedelta(days=8)  # Zoom lists in no order what begins together
    event = site.add_event(title=title, lead=title, description=text, starts_at=later, **LONG_PARTS)
    email = f"{'l' * 60}@{'example.' * 8}com"
    _add_person(
        site, event, 0, email=email, family_name=LONG_NAME, given_name=LONG_WORD, answers={}
    )
    _add_person(
        site,
        event,
        1,
        family_name=HOSTILE,
        answers={"company": Answer((HOSTILE,))},
        source=_HOSTILE_SOURCE,
    )
    _add_visits(site, event, [(_HOSTILE_SOURCE, 1_234_567)])
    asked = Question("hostile", QuestionKind.RADIO, title, help=title, zoom_title=LONG_WORD)
    asked = replace(asked, choices=(Choice("a", title), Choice("b", text)))
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        questions = add_question(read_edited_form(session, found).questions, asked)
        edit_form(session, found, questions, author="", now=site.clock())
        past = site.clock() - timedelta(days=30)
        factories.make_event(session, now=site.clock(), starts_at=past, status=PUBLISHED)
    return event.public_id


def _add_acts(site: LiveSite, event_id: str) -> dict[str, str]:
    """Have something done about several people; return whom, and the task."""
    with site.database.write() as session:
        event = session.query(Event).filter_by(public_id=event_id).one()
        people = session.query(Registration).filter_by(event_id=event.id).all()
        task = start_task(
            session, event, Act.CANCEL, [row.id for row in people[3:8]], by=None, now=site.clock()
        )
        for _ in range(3):
            do_next(session, task.id, by=None, now=site.clock())
        return {"task": task.public_id, "person": people[1].public_id, "first": people[0].public_id}


def _make_links(site: LiveSite, event_id: str, hostile_id: str) -> dict[str, str]:
    """Make links by which people came, of a channel and of a person; one put away, one hostile."""
    with site.database.write() as session:
        event, hostile = (
            session.query(Event).filter_by(public_id=public_id).one()
            for public_id in (event_id, hostile_id)
        )
        add = partial(add_invitation_link, session, now=site.clock())
        tags = {"utm_source": "mail", "utm_campaign": "may"}
        channel = add(event, LinkKind.CHANNEL, name="5月のメールマガジン", tags=tags)
        away = add(event, LinkKind.HELPER, name="登壇者 山﨑さん", tags={})
        away.archived_at = site.clock()
        other = add(hostile, LinkKind.CHANNEL, name=HOSTILE[:100], tags={"utm_source": LONG_WORD})
        person = session.query(Registration).filter_by(event_id=event.id).first()
        assert person is not None
        referral = ensure_link_of(session, event, person, now=site.clock()).code
        codes = {"channel": channel.code, "referral": referral, "hostile_channel": other.code}
    for number, code in enumerate(("channel", "channel", "referral")):
        email = f"invited{number}@example.com"
        _add_person(site, event, 40 + number, email=email, source={"ref": codes[code]})
    _add_visits(site, event, [({"ref": codes["channel"]}, 25)])
    return codes


def _send_tables(site: LiveSite, event_id: str) -> dict[str, str]:
    """Send tables of people for a worker to read, one with a row that cannot be added."""
    rows = ["姓,名,メールアドレス,会社名・団体名,部署"]
    rows += ["山田,太郎,taro@example.com,例株式会社,総務"]
    rows += [f"{LONG_NAME},,not an address,{HOSTILE.replace(',', '')},"]
    with site.database.write() as session:
        event = session.query(Event).filter_by(public_id=event_id).one()
        ids = {}
        for name in ("table", "added"):
            sent = begin_import(
                session,
                event,
                "\n".join(rows).encode(),
                file_name=f"{name}.csv",
                locale="ja",
                now=site.clock(),
            )
            ids[name] = sent.public_id
        return ids


def _start_table(site: LiveSite, table_id: str) -> None:
    with site.database.write() as session:
        table = session.query(PeopleImport).filter_by(public_id=table_id).one()
        start_import(
            session,
            table,
            guess_columns(table.headings, default_questions("ja", OPERATOR)),
            basis="電話で確認",
            locale="ja",
            words_locale="ja",
            by=None,
            now=site.clock(),
        )


def _find_viewer(site: LiveSite) -> str:

    with site.database.read() as session:
        rows = members.list_members(session, 1)
        return next(r.membership.public_id for r in rows if r.organizer.name == LONG_WORD)


def _sign_in(site: LiveSite, people: dict[str, int]) -> Browsers:
    return {
        locale: sign_in_again(site, organizer_id, locale=locale).cookies
        for locale, organizer_id in people.items()
    }


def _show_password(site: LiveSite, email: str) -> dict[str, str]:
    browser = Dashboard(site.url)
    site.close_later(browser.close)
    form = browser.open("/organizer/sign-in").form("サインイン")
    form.fill(email=email, password=PASSWORD).submit()
    return browser.cookies
