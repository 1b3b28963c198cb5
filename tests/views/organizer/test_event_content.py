"""Changing an event's content from the dashboard."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from storage import events
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


@pytest.fixture
def event(site):
    return site.add_event(
        slug="spring", description={"ja": "### 内容"}, capacity=10, brand_color="#0b57d0"
    )


@pytest.fixture
def owner(site, event):
    return sign_in(site)


def open_content(browser, event):
    return browser.open(f"/organizer/events/{event.public_id}/content")


def read(site, event):
    with site.database.read() as session:
        return events.need_event(session, event.id)


def draw_picture(size=(300, 100), format="PNG"):
    buffer = BytesIO()
    Image.new("RGB", size, "#336699").save(buffer, format)
    return buffer.getvalue()


def upload(browser, form, status=200, **files):
    sent = {name: (f"{name}.png", content, "image/png") for name, content in files.items()}
    return browser.post(form.action, form.fields, status=status, files=sent)


def test_saving_what_is_there_changes_nothing(site, owner, event):
    before = read(site, event)
    page = open_content(owner, event).form("保存").submit()
    after = read(site, event)

    assert "保存しました" in page.text
    assert (after.version, after.starts_at, after.title) == (
        before.version,
        before.starts_at,
        before.title,
    )


def test_changed_texts_and_times_are_on_the_public_page(site, owner, event):
    form = (
        open_content(owner, event)
        .form("保存")
        .fill(
            title_ja="夏の説明会", title_en="", capacity="12", has_waitlist=["yes"], fee_ja="無料"
        )
    )
    form.submit()

    changed = read(site, event)
    assert (changed.title, changed.capacity, changed.has_waitlist) == (
        {"ja": "夏の説明会"},
        12,
        True,
    )
    assert "無料" in site.visitor().open("/e/spring").text


def test_moment_is_read_in_the_events_zone(site, owner, event):
    open_content(owner, event).form("保存").fill(
        starts_at="2031-05-01T14:00", timezone="America/New_York"
    ).submit()

    assert read(site, event).starts_at.isoformat() == "2031-05-01T18:00:00+00:00"


def test_second_editor_is_told_and_nothing_is_overwritten(site, owner, event):
    second = sign_in(site)
    mine, theirs = (open_content(browser, event).form("保存") for browser in (second, owner))
    theirs.fill(title_ja="先に保存した題名").submit()
    # A mistake on the way there does not make the change of the other one known.
    mine = mine.fill(title_ja="").submit(status=422).form("保存")
    page = mine.fill(title_ja="後から保存した題名").submit(status=409)

    assert read(site, event).title["ja"] == "先に保存した題名"
    assert "先に保存した題名" in page.text
    assert "後から保存した題名" in page.text
    page.form("保存").submit()
    assert read(site, event).title["ja"] == "後から保存した題名"


def test_what_was_saved_already_is_no_second_editor(site, owner, event):
    form = open_content(owner, event).form("保存").fill(title_ja="新しい題名")
    form.submit()

    assert "保存しました" in form.submit().text


def test_event_does_not_come_back_to_a_meeting_that_another_has_taken(site, owner, event):
    ended = site.clock() - timedelta(days=1)
    with site.database.write() as session:
        events.need_event(session, event.id).starts_at = ended
    site.add_event(slug="autumn", zoom_id=event.zoom_id)
    form = open_content(owner, event).form("保存").fill(starts_at="2031-05-01T10:00")

    page = form.submit(status=422)

    assert any("別のイベントが同じZoom" in told for told in page.errors), page.errors
    assert read(site, event).starts_at == ended


def test_event_that_becomes_full_meanwhile_is_no_second_editor(site, owner, event):
    form = open_content(owner, event).form("保存")
    with site.database.write() as session:
        events.raise_version(session, events.need_event(session, event.id))

    assert "保存しました" in form.fill(fee_ja="無料").submit().text


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"title_ja": ""}, "イベントの言語でタイトルを入力してください"),
        ({"brand_color": "blue"}, "色は #0b57d0 のように入力してください"),
        ({"capacity": "many"}, "定員は 10 のように数字で入力してください"),
        ({"starts_at": "9999-12-31T23:59"}, "開始の年を確認してください"),
        ({"opens_at": "0001-01-01T00:00"}, "受付開始の年を確認してください"),
        ({"starts_at": "明日"}, "開始は 2026-12-10T14:00 のように日付と時刻を入力してください"),
        ({"fallback_url": "javascript:alert(1)"}, "https://www.example.com/page のように"),
        (
            {"opens_at": "2031-01-02T10:00", "closes_at": "2031-01-01T10:00"},
            "受付終了は受付開始より後にしてください",
        ),
    ],
)
def test_what_is_wrong_is_told_and_kept(site, owner, event, typed, error):
    page = open_content(owner, event).form("保存").fill(**typed).submit(status=422)

    assert any(error in told for told in page.errors), page.errors
    assert [page.form("保存")[name] for name in typed] == list(typed.values())


def test_address_of_a_published_event_stays(site, owner, event):
    form = open_content(owner, event).form("保存")
    form.fields.append(("slug", "elsewhere"))
    form.submit()

    assert read(site, event).slug == "spring"


def test_drafts_address_changes_with_its_pictures(site, owner, event):
    with site.database.write() as session:
        events.need_event(session, event.id).status = "draft"
    upload(owner, open_content(owner, event).form("保存"), header=draw_picture())
    open_content(owner, event).form("保存").fill(slug="summer").submit()

    changed = read(site, event)
    assert (changed.slug, changed.header_id is not None) == ("summer", True)


def test_address_of_another_event_is_refused(site, owner, event):
    site.add_event(slug="taken")
    with site.database.write() as session:
        events.need_event(session, event.id).status = "draft"
    page = open_content(owner, event).form("保存").fill(slug="taken").submit(status=422)

    assert page.errors == ["このURLは別のイベントが使っています。別のものにしてください"]


def test_picture_is_drawn_anew_shown_and_taken_away(site, owner, event):
    source = draw_picture((3000, 1000), "JPEG")
    form = open_content(owner, event).form("保存").fill(header_alt_ja="会場の写真")
    upload(owner, form, header=source)
    image = site.visitor().open("/e/spring").root.find_all("img")
    assert [(i["width"], i["alt"]) for i in image] == [("1600", "会場の写真")]

    form = open_content(owner, event).form("保存")
    form.fields.append(("remove_header", "yes"))
    form.submit()
    assert read(site, event).header_id is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg onload=alert(1)>", "PNG、JPEG、WebPの画像を選んでください"),
        (b"x" * (2 * 1024 * 1024 + 1), "2 MBより大きい"),
        (draw_picture()[:60], "壊れていて"),
    ],
)
def test_bad_picture_is_refused_at_its_field(site, owner, event, content, words):
    page = upload(owner, open_content(owner, event).form("保存"), status=422, logo=content)

    assert any(words in error for error in page.errors)
    assert read(site, event).logo_id is None


def test_too_much_at_once_is_refused(site, owner, event):
    form = open_content(owner, event).form("保存")
    big = b"x" * (3 * 1024 * 1024)
    sent = {name: (f"{name}.png", big, "image/png") for name in ("logo", "header")}

    owner.post(form.action, form.fields, status=413, files=sent)

    assert read(site, event).logo_id is None


def test_preview_shows_clean_markdown_and_saves_nothing(site, owner, event):
    text = "### 見出し\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    form = open_content(owner, event).form("保存").fill(description_ja=text, brand_color="#ffd43d")
    page = form.press("プレビュー").submit()

    assert "見出し" in [h.text for h in page.root.find_all("h3")]
    assert "#8f7400" in page.text
    assert "読みやすいように補正" in page.text
    assert page.form("保存")["description_ja"].replace("\r", "") == text
    assert read(site, event).description == {"ja": "### 内容"}


def test_more_seats_let_in_who_waits(site, owner, event):
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        found.capacity, found.has_waitlist = 1, True
    for name in ("a", "b"):
        visitor = site.visitor()
        visitor.open("/e/spring").form().fill(
            family_name="山田",
            given_name=name,
            email=f"{name}@example.com",
            question_privacy=["yes"],
        ).submit()
    open_content(owner, event).form("保存").fill(capacity="5").submit()

    with site.database.read() as session:
        assert events.list_counters(session, event.id).get("status:waitlisted", 0) == 0
        assert events.get_counter(session, event.id, events.SEATS) == 2


def test_tables_that_would_be_drawn_as_lines_are_refused(site, owner, event):
    table = "|".join("a" * 21) + "\n" + "|".join("-" * 21)

    page = open_content(owner, event).form("保存").fill(description_ja=table).submit(status=422)

    assert "20列、全部で2000マス" in page.errors[0]
    assert page.form("保存")["description_ja"] == table
