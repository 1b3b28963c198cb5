"""Speakers, programme and materials, written in the dashboard and seen on the event's page."""

from dataclasses import replace

import pytest

from services.event_content import duplicate_event
from services.event_files import describe_event, export_event, list_pictures
from services.event_parts import MOST_ENTRIES
from storage import events, organizations
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.stage import LONG_PARTS
from tests.views.organizer.test_event_content import draw_picture, read, upload

pytestmark = only_sqlite

SAVE = "保存"


@pytest.fixture
def event(site):
    return site.add_event(slug="spring")


@pytest.fixture
def owner(site, event):
    return sign_in(site)


def open_entry(browser, event, part, entry="new"):
    return browser.open(f"/organizer/events/{event.public_id}/content/{part}/{entry}")


def add(browser, event, part, **values):
    return open_entry(browser, event, part).form(SAVE).fill(**values).submit()


def list_ids(site, event, part):
    return [row["id"] for row in getattr(read(site, event), part)]


def test_what_is_saved_stands_on_the_page(site, owner, event):
    form = open_entry(owner, event, "speakers").form(SAVE)
    form.fill(name_ja="山田 花子", name_en="Hanako", role_ja="例の会", picture_alt_ja="花子の写真")
    upload(owner, form, picture=draw_picture((400, 900)))
    add(owner, event, "programme", time_ja="14:00", title_ja="講演", speakers=["hanako"])
    page = add(owner, event, "materials", label_ja="資料", url="https://example.com/slides.pdf")

    assert "保存しました" in page.text
    public = site.visitor().open("/e/spring")
    for words in ("山田 花子", "例の会", "14:00", "講演"):
        assert words in public.text
    [picture] = public.root.find_all("img", alt="花子の写真")
    assert (picture["loading"], picture["width"], picture["height"]) == ("lazy", "96", "96")
    assert site.visitor().fetch(picture["src"]).headers["Content-Type"] == "image/webp"
    [link] = public.root.find_all("a", href="https://example.com/slides.pdf")
    assert (link["target"], link["rel"]) == ("_blank", "noopener noreferrer")


def test_second_editor_of_an_entry_is_told(site, owner, event):
    add(owner, event, "speakers", name_ja="花子", name_en="Hanako")
    second = sign_in(site)
    mine, theirs = (
        open_entry(browser, event, "speakers", "hanako").form(SAVE) for browser in (second, owner)
    )
    theirs.fill(name_ja="先の花子").submit()
    # A mistake on the way there does not make the change of the other one known.
    mine = mine.fill(name_ja="", name_en="").submit(status=422).form(SAVE)
    page = mine.fill(name_ja="後の花子").submit(status=409)

    assert read(site, event).speakers[0]["name"]["ja"] == "先の花子"
    assert "先の花子" in page.text
    page.form(SAVE).submit()
    assert read(site, event).speakers[0]["name"] == {"ja": "後の花子"}


def test_another_editors_new_entry_disturbs_no_texts(site, owner, event):
    content = owner.open(f"/organizer/events/{event.public_id}/content").form(SAVE)
    add(sign_in(site), event, "speakers", name_en="Hanako")

    content.fill(title_ja="新しい題名").submit()

    assert read(site, event).title["ja"] == "新しい題名"
    assert list_ids(site, event, "speakers") == ["hanako"]


def test_what_is_sent_twice_is_added_once(site, owner, event):
    form = open_entry(owner, event, "programme").form(SAVE).fill(title_en="Welcome")
    form.submit()
    form.submit()

    assert list_ids(site, event, "programme") == ["welcome"]


def test_removed_speaker_leaves_the_programme_too(site, owner, event):
    add(owner, event, "speakers", name_en="Hanako")
    add(owner, event, "programme", title_en="Talk", speakers=["hanako"])
    form = open_entry(owner, event, "speakers", "hanako").form(SAVE)
    removal = open_entry(owner, event, "speakers", "hanako").form("削除").press("削除")

    page = removal.submit()
    assert "削除しました" in page.text
    assert "削除しました" in removal.submit().text  # again, as after a lost answer
    changed = read(site, event)
    assert (changed.speakers, changed.programme[0]["speakers"]) == ([], [])
    told = form.submit(status=409)
    assert "先に削除しました" in told.text
    told.form(SAVE).submit()
    assert list_ids(site, event, "speakers") == ["hanako"]


def test_speaker_who_went_meanwhile_is_not_named(site, owner, event):
    add(owner, event, "speakers", name_en="Hanako")
    form = open_entry(owner, event, "programme").form(SAVE)
    form.fill(title_en="Talk", speakers=["hanako"])
    open_entry(owner, event, "speakers", "hanako").form("削除").press("削除").submit()

    form.submit()

    assert [row["speakers"] for row in read(site, event).programme] == [[]]


def test_nobody_removes_what_another_has_just_changed(site, owner, event):
    add(owner, event, "materials", label_en="Slides", url="https://example.com/1")
    removal = open_entry(owner, event, "materials", "slides").form("削除").press("削除")
    change = open_entry(sign_in(site), event, "materials", "slides").form(SAVE)
    change.fill(url="https://example.com/2").submit()

    assert "https://example.com/2" in removal.submit(status=409).text
    assert list_ids(site, event, "materials") == ["slides"]


def test_entries_move_by_their_buttons(site, owner, event):
    for title in ("One", "Two", "Three"):
        add(owner, event, "programme", title_en=title)
    page = owner.open(f"/organizer/events/{event.public_id}/content/lists")

    for form in page.root.find_all("form"):
        fields = [(control["name"], control["value"]) for control in form.find_all("input")]
        if ("entry", "three") in fields:
            owner.post(form["action"], [*fields, ("act", "up")])
    assert list_ids(site, event, "programme") == ["one", "three", "two"]


def test_what_can_be_no_entry_is_unknown(site, owner, event):
    form = open_entry(owner, event, "materials").form(SAVE)
    form.fill(label_en="Slides", url="https://example.com/")
    for part, entry in (("lists", "a"), ("materials", "A b"), ("materials", "a" * 33)):
        address = f"/organizer/events/{event.public_id}/content/{part}/{entry}"
        owner.open(address, status=404)
        owner.post(address, form.fields, status=404)
    moved = [*form.fields, ("act", "up"), ("part", "materials"), ("entry", "a\r\nb")]
    owner.post(f"/organizer/events/{event.public_id}/content/lists", moved)

    assert read(site, event).materials == []


@pytest.mark.parametrize("url", ["http://example.com", "javascript:alert(1)", "https://a@b.c/", ""])
def test_address_that_is_no_page_is_refused(site, owner, event, url):
    form = open_entry(owner, event, "materials").form(SAVE).fill(label_en="Slides", url=url)

    assert form.submit(status=422).errors
    assert read(site, event).materials == []


def test_mistakes_keep_what_was_typed(site, owner, event):
    form = open_entry(owner, event, "speakers").form(SAVE).fill(role_ja="例の会")
    page = upload(owner, form, 422, picture=b"<svg onload=alert(1)>")

    assert len(page.errors) == 2
    assert page.form(SAVE)["role_ja"] == "例の会"
    assert read(site, event).speakers == []


def test_list_has_an_end(site, owner, event):
    row = {"id": "", "label": {"ja": "資料"}, "url": "https://example.com/"}
    rows = [{**row, "id": f"m{number}"} for number in range(MOST_ENTRIES)]
    with site.database.write() as session:
        events.need_event(session, event.id).materials = rows
    form = open_entry(owner, event, "materials").form(SAVE)
    former = open_entry(owner, event, "materials", "m0").form(SAVE).fill(label_ja="初めの資料")

    full = form.fill(label_ja="もう1つ", url="https://example.com/more").submit(status=422)
    assert "これ以上" in full.text
    open_entry(owner, event, "materials", "m0").form("削除").press("削除").submit()
    form.submit()
    # What somebody else has removed meanwhile comes back only where there is room.
    again = former.submit(status=409).form(SAVE).submit(status=422)

    assert again.form(SAVE)["label_ja"] == "初めの資料"
    assert len(read(site, event).materials) == MOST_ENTRIES


def test_hostile_texts_stay_texts(site, event):
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        for name, rows in LONG_PARTS.items():
            setattr(found, name, rows)
        found.version += 1

    page = site.visitor(locale="en").open("/e/spring?lang=en")

    assert not page.root.find_all("b")
    assert "<script>alert(1)</script>" in page.text


def test_copy_and_file_have_the_same_lists(site, owner, event):
    form = open_entry(owner, event, "speakers").form(SAVE).fill(name_en="Hanako")
    upload(owner, form, picture=draw_picture((300, 300)))
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        found.is_listed = False
        connection = organizations.need_connection(session, found.connection_id)
        draft = replace(describe_event(session, found), slug="copy", zoom_id=found.zoom_id + 1)
        copied = duplicate_event(session, found, draft, connection, now=site.clock())

        assert (copied.speakers, copied.is_listed) == (found.speakers, False)
        assert list(list_pictures(session, found)) == ["spring-hanako.webp"]
        assert 'file = "spring-hanako.webp"' in export_event(session, found)
