"""Events from the command line, with a Zoom to talk to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import events, known_registrants, organizations
from tests.fixtures.databases import only_sqlite
from tests.people import TARO

pytestmark = only_sqlite

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEDULE = ("starts_at", "duration_minutes", "timezone")
STARTS_AT = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)

FILE = """
slug = "autumn"
kind = "webinar"
zoom_id = {zoom_id}

[title]
ja = "秋の講座"

[organization]
name = "サンプル"
address = "東京都"
representative = "見本 一郎"
contact_email = "events@example.com"
"""


def make_meeting(site, kind="webinar", **body):
    plain = {
        "topic": "秋の講座",
        "agenda": "持ち物はありません。",
        "type": 5 if kind == "webinar" else 2,
        "start_time": f"{STARTS_AT:%Y-%m-%dT%H:%M:%SZ}",
        "duration": 45,
        "timezone": "Asia/Tokyo",
    }
    return site.zoom.add_meeting(kind, **{**plain, **body})["id"]


def write_file(folder, zoom_id, *, more="", name="autumn.toml"):
    path = folder / name
    path.write_text(more + FILE.format(zoom_id=zoom_id), encoding="utf-8")
    return str(path)


def get_event(site, slug):
    with site.database.read() as session:
        return events.get_event_by_slug(session, slug)


def test_event_is_added_as_zoom_has_it(site, run):
    zoom_id = make_meeting(site)
    done = run("event", "add", "--zoom-id", str(zoom_id), "--kind", "webinar", "--slug", "autumn")
    event = get_event(site, "autumn")
    assert done.output == "autumn is a draft. Next: flask event publish autumn\n"
    assert (event.title, event.description) == (
        {"ja": "秋の講座"},
        {"ja": "持ち物はありません。"},
    )
    assert (event.starts_at, event.duration_minutes, event.timezone) == (
        STARTS_AT,
        45,
        "Asia/Tokyo",
    )
    site.visitor().open("/e/autumn", status=404)


def test_event_without_slug_gets_one_that_does_not_tell_the_number(site, run):
    zoom_id = make_meeting(site, "meeting", topic="Workshop", agenda="")
    done = run("event", "add", "--zoom-id", str(zoom_id), "--kind", "meeting", "--language", "en")
    event = get_event(site, done.output.partition(" ")[0])
    assert event.slug.startswith("meeting-") and str(zoom_id) not in event.slug
    assert (event.title, event.default_locale) == ({"en": "Workshop"}, "en")


def test_slug_is_taken_once(site, run):
    zoom_id = str(make_meeting(site))
    add = ("event", "add", "--zoom-id", zoom_id, "--kind", "webinar", "--slug")
    run(*add, "autumn")
    assert "There is an event autumn already" in run(*add, "autumn", exit_code=1).stderr
    assert "--slug may have" in run(*add, "Herbst!", exit_code=1).stderr


def test_unknown_meeting_is_named(site, run):
    done = run("event", "add", "--zoom-id", "81234567890", "--kind", "webinar", exit_code=1)
    assert "Zoom has no webinar 81234567890" in done.stderr


def test_event_goes_from_file_to_open_form(site, run, tmp_path):
    zoom_id = make_meeting(site)
    run("event", "import", write_file(tmp_path, zoom_id))
    done = run("event", "publish", "autumn")
    assert done.output.splitlines()[-1] == f"Published: {site.url}/e/autumn"
    page = site.visitor().open("/e/autumn")
    assert page.heading == "秋の講座"
    settings = site.zoom.state()["meetings"][0]["settings"]
    assert settings["approval_type"] == 1
    assert settings["registrants_confirmation_email"] is False
    assert settings["registrants_email_notification"] is False


def test_publishing_an_event_that_was_closed_says_how_to_open_it(site, run, tmp_path):
    run("event", "import", write_file(tmp_path, make_meeting(site)))
    run("event", "publish", "autumn")
    run("event", "close", "autumn")
    assert run("event", "publish", "autumn").output.splitlines() == [
        f"Published: {site.url}/e/autumn",
        "Its form is still closed. Next: flask event reopen autumn",
    ]


def test_addresses_that_zoom_has_are_known_as_hashes(site, run, tmp_path):
    zoom_id = make_meeting(site, settings={"approval_type": 0})
    site.zoom.add_registrant(zoom_id, "Taro@Example.com", first_name="太郎")
    run("event", "import", write_file(tmp_path, zoom_id))
    assert "Zoom has 1 people already" in run("event", "publish", "autumn").output
    event = get_event(site, "autumn")
    keys = site.parts.keys
    with site.database.read() as session:
        assert event.known_read_at is not None
        for email, is_known in (("taro@example.com", True), ("hanako@example.com", False)):
            found = known_registrants.is_known(session, event.id, [keys.hash_email(email)])
            assert found is is_known


def test_publishing_again_leaves_our_own_people_unknown(site, run, tmp_path):
    zoom_id = make_meeting(site)
    run("event", "import", write_file(tmp_path, zoom_id))
    run("event", "publish", "autumn")
    site.zoom.add_registrant(zoom_id, "taro@example.com", first_name="太郎")
    run("event", "publish", "autumn")
    event = get_event(site, "autumn")
    with site.database.read() as session:
        hashes = site.parts.keys.list_email_hashes("taro@example.com")
        assert not known_registrants.is_known(session, event.id, hashes)


def test_dry_run_says_what_would_change_and_changes_nothing(site, run, tmp_path):
    run("event", "import", write_file(tmp_path, make_meeting(site)))
    done = run("event", "publish", "autumn", "--dry-run")
    assert "approval of registrants      registration is off  by hand" in done.output
    assert get_event(site, "autumn").status == "draft"
    assert {entry["effect"] for entry in site.zoom.journal()} == {None, "token"}
    run("event", "publish", "autumn")
    done = run("event", "publish", "autumn", "--dry-run")
    assert done.output == "Nothing has to be changed at Zoom.\n"


def test_questions_marked_for_zoom_are_asked_there(site, run, tmp_path):
    question = """
[[questions]]
id = "team"
kind = "text"
zoom_title = "チーム「名」"
label = { ja = "チーム名" }

[[questions]]
id = "privacy"
kind = "consent"
consent = "privacy"
label = { ja = "同意する" }
"""
    zoom_id = make_meeting(site)
    path = Path(write_file(tmp_path, zoom_id))
    path.write_text(path.read_text(encoding="utf-8") + question, encoding="utf-8")
    run("event", "import", str(path))
    run("event", "publish", "autumn")
    assert get_event(site, "autumn").zoom_titles == ["チーム「名」"]
    site.zoom.fault("set_questions", does="answer", status=204, body={})
    path.write_text(path.read_text(encoding="utf-8").replace("「名」", "の名"), encoding="utf-8")
    assert "Next: flask event publish autumn" in run("event", "import", str(path)).output
    done = run("event", "publish", "autumn")
    assert "Zoom did not keep the question “チームの名”" in done.stderr
    assert get_event(site, "autumn").zoom_titles == []


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        ('address = "東京都"\n', "its address"),
        ('representative = "見本 一郎"\n', "its representative"),
        ('contact_email = "events@example.com"\n', "its contact"),
    ],
)
def test_event_without_a_responsible_operator_is_not_published(site, run, tmp_path, line, gap):
    path = Path(write_file(tmp_path, make_meeting(site)))
    path.write_text(path.read_text(encoding="utf-8").replace(line, ""), encoding="utf-8")
    run("event", "import", str(path))
    done = run("event", "publish", "autumn", exit_code=1)
    assert f"Missing: {gap}" in done.stderr
    assert get_event(site, "autumn").status == "draft"


def test_event_without_a_privacy_notice_is_not_published(site, run, tmp_path):
    path = Path(write_file(tmp_path, make_meeting(site)))
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text + '[[questions]]\nid = "a"\nkind = "text"\nlabel = { ja = "あ" }\n', encoding="utf-8"
    )
    run("event", "import", str(path))
    done = run("event", "publish", "autumn", exit_code=1)
    assert 'a question of the kind consent with consent = "privacy"' in done.stderr


def test_real_account_needs_links_and_mails_that_work(start_site, make_runner, tmp_path):
    site = start_site(is_demo=False, base_url="", mail_url="")
    run = make_runner(site)
    run("event", "import", write_file(tmp_path, make_meeting(site)))
    done = run("event", "publish", "autumn", exit_code=1)
    assert "Set UKETSUKE_BASE_URL and UKETSUKE_MAIL_URL first" in done.stderr
    assert get_event(site, "autumn").status == "draft"


def test_installation_without_an_account_says_what_to_set(start_site, make_runner, tmp_path):
    site = start_site(zoom_client_secret="")
    done = make_runner(site)("event", "import", write_file(tmp_path, 5), exit_code=1)
    assert "No Zoom account: connect it in the dashboard, or set UKETSUKE_ZOOM" in done.stderr


def test_zoom_that_does_not_answer_leaves_a_draft(site, run, tmp_path):
    run("event", "import", write_file(tmp_path, make_meeting(site)))
    site.stop_zoom()
    assert run("event", "publish", "autumn", exit_code=1).stderr.startswith("Error: Zoom: ")
    assert get_event(site, "autumn").status == "draft"
    site.start_zoom()
    run("event", "publish", "autumn")


@pytest.mark.parametrize("step", range(7))
def test_publishing_that_broke_off_can_be_done_again(site, run, tmp_path, step):
    run("event", "import", write_file(tmp_path, make_meeting(site)))
    site.zoom.fault(skip=step, does="close", when="after")
    run("event", "publish", "autumn", exit_code=1)
    assert get_event(site, "autumn").status == "draft"
    run("event", "publish", "autumn")
    assert get_event(site, "autumn").status == "published"


def test_exported_event_is_imported_as_it_was(site, run, tmp_path):
    run("demo-events")
    path = tmp_path / "saved" / "mine.toml"
    path.parent.mkdir()
    run("event", "export", "demo", str(path))
    before = get_event(site, "demo")
    assert {file.name for file in path.parent.iterdir()} == {
        "mine.toml",
        "demo-logo.png",
        "demo-header.webp",
        "demo-hanako.webp",
        "demo-kenichi.webp",
    }
    run("event", "import", str(path))
    assert get_event(site, "demo").version == before.version
    assert run("event", "export", "demo").output == path.read_text(encoding="utf-8")


def list_texts(site):
    with site.database.read() as session:
        rows = organizations.list_organizations(session)
        return [(row[0].name, row[0].address, row[0].version) for row in rows]


def test_exported_event_changes_nothing_of_the_first_organization(start_two, make_runner, tmp_path):
    site = start_two()
    run = make_runner(site)
    path = tmp_path / "beta.toml"
    run("event", "export", "beta", str(path))
    before = list_texts(site)
    run("event", "import", str(path))
    assert list_texts(site) == before


def test_file_changes_the_texts_of_its_events_own_organization(start_two, make_runner, tmp_path):
    # Nothing of it needs the account of the first organization.
    site = start_two(zoom_client_secret="")
    run = make_runner(site)
    path = tmp_path / "beta.toml"
    text = run("event", "export", "beta").output
    address = "東京都千代田区見本町1-2-3"
    lines = [line for line in text.splitlines() if not line.startswith(SCHEDULE)]
    path.write_text("\n".join(lines).replace(address, "大阪府"), encoding="utf-8")
    run("event", "import", str(path))
    (alpha, *of_alpha), (beta, *of_beta) = list_texts(site)
    assert (alpha, *of_alpha) == ("Alpha", address, 1)
    assert (beta, *of_beta) == ("Beta", "大阪府", 2)


def test_new_event_gives_no_organization_the_texts_of_another(start_two, make_runner, tmp_path):
    site = start_two()
    run = make_runner(site)
    path = tmp_path / "copy.toml"
    text = run("event", "export", "beta").output.replace('slug = "beta"', 'slug = "copy"')
    path.write_text(
        text.replace(str(get_event(site, "beta").zoom_id), str(make_meeting(site, "meeting")))
    )
    before = list_texts(site)
    done = run("event", "import", str(path), exit_code=1)
    assert done.stderr.startswith("Error: a new event is Alpha's, and [organization] says")
    assert (get_event(site, "copy"), list_texts(site)) == (None, before)


def test_mistake_in_a_file_is_one_line(site, run, tmp_path):
    path = write_file(tmp_path, 5, more="capcity = 3\n")
    done = run("event", "import", path, exit_code=1)
    assert done.stderr == "Error: capcity is not a key that is known here\n"
    latin = tmp_path / "latin.toml"
    latin.write_bytes("title = 'é'".encode("latin-1"))
    assert "is not UTF-8 text" in run("event", "import", str(latin), exit_code=1).stderr


def test_file_without_a_meeting_is_refused(site, run, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(FILE.replace("zoom_id = {zoom_id}", ""), encoding="utf-8")
    assert "zoom_id is missing" in run("event", "import", str(path), exit_code=1).stderr


def test_list_shows_state_seats_and_title(site, run):
    site.add_event(slug="spring", capacity=30)
    lines = run("event", "list").output.splitlines()
    assert lines[0].split()[:6] == ["SLUG", "STATE", "SEATS", "PENDING", "WAITING", "START"]
    assert lines[1].split()[:5] == ["spring", "open", "0/30", "0", "0"]
    assert lines[1].endswith("春の説明会")


def test_list_counts_who_is_pending_and_who_waits(site, run):
    site.add_event(slug="spring", capacity=1, has_waitlist=True, approval="manual")
    for name in ("first", "second"):
        person = TARO | {"email": f"{name}@example.com"}
        site.visitor().open("/e/spring").form().fill(**person).submit()
    [_, line] = run("event", "list").output.splitlines()
    assert line.split()[2:5] == ["1/1", "1", "1"]


def test_event_is_closed_and_opened_again(site, run):
    site.add_event(slug="spring")
    run("event", "close", "spring")
    assert "受付を終了しました" in site.visitor().open("/e/spring").text
    assert "closed" in run("event", "close", "spring").output
    run("event", "reopen", "spring")
    assert site.visitor().open("/e/spring").form()


def test_cancelling_tells_people_and_deletes_nothing_at_zoom(site, run):
    site.add_event(slug="spring")
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    done = run("event", "cancel", "spring", "--yes")
    assert done.output.startswith("spring is cancelled; 1 people are told by mail.")
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com")[-1] == "中止"
    assert [m["id"] for m in site.zoom.state()["meetings"]] == [get_event(site, "spring").zoom_id]
    assert site.list_effects("taro@example.com") == ["add"]
    assert "was cancelled before" in run("event", "cancel", "spring", "--yes").output


def test_unknown_event_is_named(run):
    for command in ("publish", "close", "reopen", "export"):
        done = run("event", command, "nowhere", exit_code=1)
        assert "There is no event 'nowhere'" in done.stderr
