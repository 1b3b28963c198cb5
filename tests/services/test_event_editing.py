"""Events made from documents, changed by them, and written back."""

import io
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from services.event_documents import OrganizationTexts, read_document
from services.event_editing import (
    DatesDecided,
    EventChangeRefused,
    MeetingTaken,
    cancel_event,
    close_event,
    reopen_event,
    save_event,
)
from services.event_files import export_event, list_pictures, read_pictures
from services.event_parts import Speaker
from services.events import LinkPolicy, read_definition, read_link_policy
from services.organizations import ensure_organization
from services.picture_refs import PictureRef
from services.questions import Question, QuestionKind
from services.registrations import register
from services.tables import DocumentError
from storage import events, mails, organizations
from tests.factories import NOW, make_submission
from tests.fixtures.databases import only_postgresql
from tests.services.test_event_documents import make_document

OPERATOR = OrganizationTexts(
    "サンプル", "サンプル株式会社", "東京都", "見本 一郎", "events@example.com"
)


def make_png(color="teal", size=(300, 100)):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def make(**changes):
    """Return a document of an event that is open to all."""
    plain = {
        "starts_at": NOW + timedelta(days=7),
        "opens_at": None,
        "closes_at": None,
        "approval": "automatic",
        "bot_check": "automatic",
        "organization": OPERATOR,
    }
    return make_document(**{**plain, **changes})


def save(database, document, files=None, now=NOW):
    pictures = read_pictures(document, (files or {}).get)
    with database.write() as session:
        connection = ensure_organization(session, account_id="sandbox-account", now=now)
        return save_event(session, document, pictures=pictures, connection=connection, now=now)


def export(database, event):
    with database.read() as session:
        stored = events.need_event(session, event.id)
        return export_event(session, stored), list_pictures(session, stored)


def publish(database, event_id):
    with database.write() as session:
        events.need_event(session, event_id).status = "published"


def add_person(database, event, email="taro@example.com", **members):
    with database.write() as session:
        stored = events.need_event(session, event.id)
        if stored.status == "draft":
            stored.status = "published"
        submission = make_submission(stored, email=email, answers={}, consents=(), **members)
        return register(session, stored, submission, policy=LinkPolicy.SHOW, now=NOW)


def test_first_organization_is_made_once(database):
    with database.write() as session:
        one = ensure_organization(session, account_id="a", now=NOW)
        again = ensure_organization(session, account_id="a", now=NOW)
        assert (one.id, one.organization_id) == (again.id, again.organization_id)
        assert organizations.get_first_organization(session).id == one.organization_id


def test_token_of_another_account_is_forgotten(database):
    with database.write() as session:
        connection = ensure_organization(session, account_id="a", now=NOW)
        organizations.write_token(session, connection.id, "{}")
    with database.write() as session:
        connection = ensure_organization(session, account_id="b", now=NOW)
        assert (connection.account_id, connection.token) == ("b", None)


def test_new_event_is_a_draft_with_a_counter_of_seats(database):
    event = save(database, make())
    assert (event.status, event.published_at, event.known_read_at) == ("draft", None, None)
    with database.read() as session:
        assert events.list_counters(session, event.id) == {events.SEATS: 0}
        assert events.take_seat(session, event.id)


def test_new_event_without_questions_gets_the_usual_ones(database):
    event = save(database, make(questions=None))
    with database.read() as session:
        definition = read_definition(session, event.form_version_id)
    assert [question.id for question in definition.questions][-2:] == ["privacy", "marketing"]
    assert "サンプル株式会社" in definition.get_question("privacy").notice["ja"]


@pytest.mark.parametrize("missing", ["zoom_id", "starts_at", "duration_minutes", "timezone"])
def test_new_event_needs_what_only_zoom_knows(database, missing):
    with pytest.raises(DocumentError, match=f"{missing} is missing"):
        save(database, make(**{missing: None}))


def test_event_is_written_back_as_it_was_read(database):
    files = {"logo.png": make_png(), "header.jpg": make_png(size=(1500, 500))}
    logo = PictureRef("logo.png", {"ja": "サンプル"})
    event = save(database, make(logo=logo, header=PictureRef("header.jpg")), files)
    text, pictures = export(database, event)
    assert list(pictures) == ["autumn-2026-logo.png", "autumn-2026-header.webp"]
    again = save(database, read_document(text), pictures)
    assert (again.id, again.version) == (event.id, event.version)
    assert export(database, again) == (text, pictures)


def test_export_says_what_the_document_said(database):
    document = make()
    text, _ = export(database, save(database, document))
    written = read_document(text)
    privacy = next(q for q in written.questions if q.id == "privacy")
    assert privacy.notice != {}
    assert written == document


def test_usual_notice_follows_the_organization(database):
    event = save(database, make(questions=None))
    text, _ = export(database, event)
    assert "notice = " not in text
    assert "notice]" not in text
    moved = replace(read_document(text), organization=replace(OPERATOR, address="大阪府"))
    event = save(database, moved)
    with database.read() as session:
        notice = read_definition(session, event.form_version_id).get_question("privacy").notice
    assert "大阪府" in notice["ja"]
    assert "東京都" not in notice["ja"]


def test_pictures_may_be_missing_where_the_stored_ones_are_meant(database):
    event = save(database, make(logo=PictureRef("logo.png")), {"logo.png": make_png()})
    text, _ = export(database, event)
    assert save(database, read_document(text)).logo_id == event.logo_id


def test_speakers_picture_outlives_its_file(database):
    speaker = Speaker(id="hanako", name={"ja": "花子"}, picture=PictureRef("a.png"))
    event = save(database, make(speakers=(speaker,)), {"a.png": make_png(size=(900, 300))})
    text, pictures = export(database, event)

    assert save(database, read_document(text)).version == event.version
    assert save(database, read_document(text), pictures).speakers == event.speakers
    [content] = pictures.values()
    assert Image.open(io.BytesIO(content)).size == (240, 240)
    unknown = replace(speaker, picture=PictureRef("b.png"))
    with pytest.raises(DocumentError, match="speakers.hanako.file names b.png"):
        save(database, make(speakers=(unknown,)))


def test_picture_that_is_not_there_is_named(database):
    with pytest.raises(DocumentError, match=r"logo.file names logo.png, which is not there"):
        save(database, make(logo=PictureRef("logo.png")))


def test_picture_that_is_none_is_refused(database):
    with pytest.raises(DocumentError, match=r"header.file: The file is not a PNG"):
        save(database, make(header=PictureRef("a.png")), {"a.png": b"<svg onload=alert(1)>"})


def test_picture_can_be_taken_away(database):
    event = save(database, make(logo=PictureRef("logo.png")), {"logo.png": make_png()})
    changed = save(database, make(logo=None))
    assert (changed.logo_id, changed.logo_alt) == (None, {})
    assert changed.version > event.version


def test_import_without_a_difference_changes_nothing(database):
    event = save(database, make())
    again = save(database, make(), now=NOW + timedelta(hours=1))
    assert (again.version, again.form_version_id, again.updated_at) == (
        event.version,
        event.form_version_id,
        event.updated_at,
    )


@pytest.mark.parametrize(
    ("name", "year"),
    [("starts_at", 9999), ("starts_at", 2100), ("opens_at", 1), ("closes_at", 1999)],
)
def test_year_without_room_around_it_is_refused(database, name, year):
    with pytest.raises(DocumentError, match=f"{name} must be in a year from 2000 to 2099"):
        save(database, make(**{name: datetime(year, 6, 1, tzinfo=UTC)}))


def test_other_title_raises_the_version_and_keeps_the_form(database):
    event = save(database, make())
    changed = save(database, make(title={"ja": "冬の講座"}))
    assert changed.title == {"ja": "冬の講座"}
    assert changed.version == event.version + 1
    assert changed.form_version_id == event.form_version_id


def test_other_question_makes_a_new_version_of_the_form(database):
    event = save(database, make())
    question = Question("team", QuestionKind.TEXT, {"ja": "チーム名"})
    changed = save(database, make(questions=(question,)))
    with database.read() as session:
        versions = events.list_form_versions(session, event.id)
        assert [version.number for version in versions] == [2, 1]
        assert changed.form_version_id == versions[0].id
    assert changed.version > event.version


def test_other_organization_redraws_all_of_its_events(database):
    winter = {"slug": "winter", "zoom_id": 89999999999}
    one, other = save(database, make()), save(database, make(**winter))
    save(database, make(**winter, organization=replace(OPERATOR, address="大阪府")))
    with database.read() as session:
        assert events.need_event(session, one.id).version == one.version + 1
        assert events.need_event(session, other.id).version == other.version + 1


def test_organization_locks_the_link_policy_of_all_its_events(database):
    locked = replace(OPERATOR, link_policy="mail")
    event = save(database, make(link_policy="show", organization=locked))
    with database.read() as session:
        stored = events.need_event(session, event.id)
        assert read_link_policy(session, stored) is LinkPolicy.MAIL
        assert 'link_policy = "mail"' in export_event(session, stored).split("[organization]")[1]


def test_event_keeps_when_people_had_registered_for(database):
    first, later = NOW + timedelta(days=7), NOW + timedelta(days=14)
    event = save(database, make(starts_at=NOW + timedelta(days=3)))

    def move(starts_at, now=NOW):
        return save(database, make(starts_at=starts_at), now=now).former_starts_at

    assert move(first) is None, "nobody had registered"
    add_person(database, event)
    assert move(later) == first
    assert move(NOW + timedelta(days=20)) == first
    assert move(first) is None, "it is back"
    assert move(later) == first
    assert move(NOW - timedelta(days=365)) == first, "nobody is told of a slip"
    assert move(later) == first
    assert move(NOW + timedelta(days=30), now=NOW + timedelta(days=15)) == first


def test_consents_name_the_operator_who_was_named_later(database):
    nobody = {"organization": None, "questions": None}
    one = save(database, make(**nobody))
    other = save(database, make(slug="winter", zoom_id=89999999999, **nobody))
    text, _ = export(database, one)
    named = replace(read_document(text), organization=OPERATOR)

    save(database, named)

    for event in (one, other):
        with database.read() as session:
            stored = events.need_event(session, event.id)
            questions = read_definition(session, stored.form_version_id).questions
        privacy, news = (q for q in questions if q.consent)
        assert "サンプル株式会社" in privacy.notice["ja"]
        assert "サンプル株式会社" in news.label["ja"] and "サンプル株式会社" in news.label["en"]


def test_two_events_do_not_share_a_meeting(database):
    save(database, make())
    with pytest.raises(EventChangeRefused, match="autumn-2026 leads to the webinar"):
        save(database, make(slug="winter"))
    other = save(database, make(slug="winter", zoom_id=89999999999))
    with pytest.raises(EventChangeRefused, match="autumn-2026 leads to the webinar"):
        save(database, make(slug="winter"))
    assert other.zoom_id == 89999999999
    later = NOW + timedelta(days=8)
    save(database, make(slug="winter", starts_at=NOW + timedelta(days=14)), now=later)


def test_event_moves_to_another_meeting_while_nobody_is_registered(database):
    event = save(database, make())
    with database.write() as session:
        stored = events.need_event(session, event.id)
        stored.status, stored.known_read_at, stored.zoom_titles = "published", NOW, ["Budget"]
    moved = save(database, make(zoom_id=89999999999))
    assert (moved.zoom_id, moved.status, moved.known_read_at, moved.zoom_titles) == (
        89999999999,
        "draft",
        None,
        [],
    )


def test_event_with_people_stays_at_its_meeting(database):
    event = save(database, make())
    add_person(database, event)
    with pytest.raises(EventChangeRefused, match="give the other one a slug of its own"):
        save(database, make(zoom_id=89999999999))


@pytest.mark.parametrize("kept_aside", [False, True])
@pytest.mark.parametrize("choice", ["choose", "all"])
def test_who_chooses_dates_changes_only_while_nobody_has_sent_the_form(
    database, choice, kept_aside
):
    first = {"choose": "all", "all": "choose"}[choice]
    save(database, make(date_choice=choice))
    event = save(database, make(date_choice=first))
    assert event.date_choice == first
    add_person(database, event, is_suspicious=kept_aside)

    with pytest.raises(DatesDecided, match=f"date_choice stays {first}"):
        save(database, make(date_choice=choice))
    save(database, make(date_choice=first, capacity=7))


def test_more_seats_let_in_who_waits(database):
    event = save(database, make(capacity=1))
    add_person(database, event)
    waiting = add_person(database, event, "hanako@example.com")
    save(database, make(capacity=2))
    with database.read() as session:
        assert events.get_counter(session, event.id, events.SEATS) == 2
        names = [mail.name for mail in mails.list_mails(session, waiting.registration_id)]
        assert names == ["waitlisted", "approved"]


def test_closing_and_opening_again_are_each_others_reverse(database):
    event_id = save(database, make()).id
    with database.write() as session:
        event = events.need_event(session, event_id)
        for change in (close_event, reopen_event):
            with pytest.raises(EventChangeRefused, match="Only a"):
                change(session, event, now=NOW)
        event.status = "published"
        session.flush()
        # Whoever asks twice, as where an answer was lost, is told nothing else.
        assert [close_event(session, event, now=NOW) for _ in range(2)] == [True, False]
        assert event.status == "closed"
        assert [reopen_event(session, event, now=NOW) for _ in range(2)] == [True, False]
        assert event.status == "published"


@only_postgresql
@pytest.mark.parametrize("is_locked", [True, False])
def test_cancelled_event_does_not_come_back_to_life(database, monkeypatch, is_locked):
    """Somebody cancels between another's look at the event and their change."""
    if not is_locked:
        monkeypatch.setattr(events, "lock_event", events.need_event)
    event_id = save(database, make()).id
    publish(database, event_id)
    with database.write() as late:
        event = events.need_event(late, event_id)
        with database.write() as session:
            cancel_event(session, events.need_event(session, event_id), now=NOW)
        with pytest.raises(EventChangeRefused) if is_locked else nullcontext():
            close_event(late, event, now=NOW)

    with database.read() as session:
        status = events.need_event(session, event_id).status
        assert status == ("cancelled" if is_locked else "closed")


def test_event_does_not_come_back_to_a_meeting_that_another_has_taken(database):
    save(database, make())
    later = NOW + timedelta(days=8)
    save(database, make(slug="winter", starts_at=NOW + timedelta(days=14)), now=later)
    with pytest.raises(MeetingTaken, match="winter leads to the webinar"):
        save(database, make(starts_at=NOW + timedelta(days=15)), now=later)


def test_meeting_of_an_account_that_two_organizations_share_is_led_to_by_one_event(database):
    save(database, make())
    with database.write() as session:
        other = organizations.add_organization(session, name="Other", now=NOW)
        connection = organizations.add_connection(
            session, other.id, account_id="sandbox-account", now=NOW
        )
        theirs = make(slug="winter", organization=None)
        with pytest.raises(MeetingTaken, match="^Another event leads to the webinar"):
            save_event(session, theirs, pictures={}, connection=connection, now=NOW)
        connection.account_id = "another-account"
        session.flush()
        save_event(session, theirs, pictures={}, connection=connection, now=NOW)


def test_draft_is_not_cancelled(database):
    event_id = save(database, make()).id
    with database.write() as session:
        event = events.need_event(session, event_id)
        with pytest.raises(EventChangeRefused, match="nobody knows of it"):
            cancel_event(session, event, now=NOW)
