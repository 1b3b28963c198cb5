"""Links of their own: for a channel, for somebody who invites, for a registered person."""

import csv
import io

import pytest
import requests

from services.members import Role
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.people import HANAKO, TARO

pytestmark = only_sqlite

TAGS = {"utm_source": "mail", "utm_medium": "", "utm_campaign": "may"}
MADE = {"kind": "channel", "name": "5月のメール", **TAGS}


@pytest.fixture
def event(site):
    return site.add_event(slug="spring")


@pytest.fixture
def address(event):
    return f"/organizer/events/{event.public_id}/inviting"


@pytest.fixture
def editor(site, event):
    return sign_in(site, Role.EDITOR)


def make(editor, address, **fields):
    """Make a link and return its page and its code."""
    page = editor.post_form(f"{address}/new", f"{address}/new", MADE | fields)
    return page, page.url.rpartition("/")[2].partition("?")[0]


def register(site, query, person=TARO):
    return site.visitor().open(f"/e/spring?{query}").form().fill(**person).submit()


def find_person(editor, event, name="山田 太郎"):
    return editor.open(f"/organizer/events/{event.public_id}/people").follow(name)


def test_link_says_by_whom_people_came_and_can_be_renamed(site, event, editor, address):
    page, code = make(editor, address)
    requests.post(f"{site.url}/e/spring/seen/view?ref={code}", timeout=10)
    site.parts.visits.store()
    register(site, f"ref={code}&lang=ja")
    register(site, f"ref={code}&utm_source=other", HANAKO)

    assert f"{site.url}/e/spring?ref={code}" in page.text
    assert len(code) == 8 and "5月" not in page.url
    shown = editor.open(f"{address}/{code}")
    assert [dd.text for dd in shown.root.find_all("dd")][:3] == ["1", "0", "2"]
    people = shown.follow("2")
    assert "taro@example.com" in people.text and "5月のメール (2)" in people.text
    shown.form("保存").fill(name="6月のメール", utm_source="mail").submit()
    person = find_person(editor, event)
    assert "6月のメール" in person.text and "may" in person.text and "5月" not in person.text
    assert "other" in find_person(editor, event, "佐藤 花子").text
    sources = editor.open(f"/organizer/events/{event.public_id}/sources")
    assert (
        "mail / may / 6月のメール" in sources.text and "other / may / 6月のメール" in sources.text
    )
    assert editor.open(address).text.count("6月のメール") == 1


def test_link_that_is_put_away_still_counts(site, event, editor, address):
    page, code = make(editor, address)
    page.form("アーカイブする").submit()
    register(site, f"ref={code}")

    listed = editor.open(address)
    assert "アーカイブしたリンク（1件）" in listed.text
    assert listed.follow("5月のメール").follow("1").text.count("taro@example.com") == 1
    editor.open(f"{address}/{code}").form("一覧に戻す").submit()
    assert "アーカイブしたリンク" not in editor.open(address).text


def test_person_gets_a_link_that_says_nothing_of_them(site, event, editor, address):
    register(site, "")
    page = find_person(editor, event).form("この方の紹介リンクを作る").submit()
    code = page.url.rpartition("/")[2]
    again = editor.post_form(f"{address}/new", f"{find_person(editor, event).url}/link", {})
    register(site, f"ref={code}", HANAKO)

    assert again.url == page.url
    assert "山田 太郎" in page.text
    assert "山田" not in site.visitor().open(f"/e/spring?ref={code}").response.text
    assert "山田 太郎" in find_person(editor, event, "佐藤 花子").text
    editor.post_form(page.url, page.url, {"name": "別の名前"}, status=422)


def test_several_people_get_links_and_a_file_of_them(site, event):
    owner = sign_in(site)
    people = f"/organizer/events/{event.public_id}/people"
    assert "本人の紹介リンク" not in owner.fetch(f"{people}/export?format=csv").text
    register(site, "")
    register(site, "", HANAKO)
    boxes = [box["value"] for box in owner.open(people).root.find_all("input", name="person")]
    for result in ("完了しました", "変更はありません"):
        chosen = [("act", "link"), ("sure", "yes"), *(("person", box) for box in boxes)]
        done = post(owner, people, chosen)
        assert done.text.count(result) == 2

    rows = list(csv.DictReader(io.StringIO(owner.fetch(f"{people}/export?format=csv").text)))
    links = [row["本人の紹介リンク"] for row in rows]
    assert len(set(links)) == 2
    assert all(link.startswith(f"{site.url}/e/spring?ref=") for link in links)


def post(owner, address, fields):
    token = owner.open(address).root.find_all("input", name="csrf_token")[0]["value"]
    return owner.post(address, [*fields, ("csrf_token", token)])


def test_code_that_nobody_made_is_kept_as_it_was_typed(site, event, editor):
    register(site, "ref=" + "%3Cscript%3E" + "x" * 500)
    register(site, "ref=taro%40example.com", HANAKO)

    assert "<script>" + "x" * 32 in find_person(editor, event).text
    assert "専用リンク" not in find_person(editor, event, "佐藤 花子").text


def test_mistakes_are_said_and_two_editors_told(site, event, editor, address):
    refused = editor.post_form(
        f"{address}/new", f"{address}/new", MADE | {"name": "", "utm_source": "a@b.jp"}, status=422
    )
    assert "名前を入力してください" in refused.text and "使えません" in refused.text
    page, code = make(editor, address)
    first, second = (editor.open(f"{address}/{code}").form("保存") for _ in range(2))
    first.fill(name="先の名前").submit()
    told = second.fill(name="後の名前").submit(status=409)

    assert "先の名前" in told.text
    told.form("保存").submit()
    assert "後の名前" in editor.open(address).text
    for unknown in ("23456789", "new2"):
        editor.open(f"{address}/{unknown}", status=404)
    editor.post_form(page.url, f"{address}/{code}", {"act": "burn"}, status=422)


def test_qr_code_of_a_link_is_another_one(site, event, editor, address):
    _, code = make(editor, address)
    base = f"/organizer/events/{event.public_id}/qr.svg"
    plain, own = editor.fetch(base), editor.fetch(f"{base}?link={code}&save=1")

    assert plain.content != own.content
    assert f"spring-{code}-qr.svg" in own.headers["Content-Disposition"]
    editor.fetch(f"{base}?link=unknown", status=404)
