"""Making an event from the dashboard: picked, pasted, or created at Zoom."""

from datetime import timedelta

import pytest

from services.events import read_current_form
from services.members import Role
from storage import events
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

HOST = "host@example.com"


def make_at_zoom(site, kind="webinar", **body):
    start = site.clock() + timedelta(days=7)
    plain = {
        "topic": "秋の説明会",
        "type": 5 if kind == "webinar" else 2,
        "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "timezone": "Asia/Tokyo",
    }
    return site.zoom.add_meeting(kind, **plain | body)["id"]


@pytest.fixture
def owner(site):
    site.add_event(slug="first")
    site.zoom.set_clock(site.clock())
    return sign_in(site)


def read_event(site, zoom_id):
    with site.database.read() as session:
        [event] = [e for e in events.list_events(session) if e.zoom_id == zoom_id]
        return event


def test_event_is_picked_from_the_hosts_list(site, owner):
    zoom_id = make_at_zoom(site)
    page = owner.open("/organizer/events/new")
    [button] = [b for b in page.root.find_all("button") if "秋の説明会" in b["aria-label"]]
    form = page.form("これを使う").fill(template="internal")
    form.fields.append((button["name"], button["value"]))
    answer = owner.try_post("/organizer/events/new", form.fields)

    event = read_event(site, zoom_id)
    assert (answer.status_code, event.status, event.title) == (303, "draft", {"ja": "秋の説明会"})
    assert event.public_id in answer.headers["Location"]
    with site.database.read() as session:
        asked = [question.id for question in read_current_form(session, event).questions]
    assert asked == ["department", "office", "for_speakers", "privacy"]


@pytest.mark.parametrize("write", ["{id}", "https://example.zoom.us/w/{id}?tk=x", " {id} "])
def test_event_is_made_of_a_pasted_number_or_link(site, owner, write):
    zoom_id = make_at_zoom(site)
    form = owner.open("/organizer/events/new").form("イベントを作成")
    fields = form.fill(reference=write.format(id=zoom_id)).fields

    assert owner.try_post("/organizer/events/new", fields).status_code == 303
    assert read_event(site, zoom_id).kind == "webinar"


def test_pasting_the_same_meeting_again_leads_to_its_event(site, owner):
    zoom_id = make_at_zoom(site)
    fields = (
        owner.open("/organizer/events/new")
        .form("イベントを作成")
        .fill(reference=str(zoom_id))
        .fields
    )
    first, second = (owner.try_post("/organizer/events/new", fields) for _ in range(2))

    assert first.headers["Location"].split("?")[0] == second.headers["Location"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "meeting", "type": 3}, "日時が決まっていません"),
        ({"kind": "meeting", "settings": {"use_pmi": True}}, "パーソナルミーティングID"),
    ],
)
def test_meeting_that_cannot_be_used_is_explained(site, owner, body, words):
    zoom_id = make_at_zoom(site, **body)
    form = owner.open("/organizer/events/new").form("イベントを作成").fill(reference=str(zoom_id))

    assert words in form.submit(status=422).text


def test_meeting_of_an_event_that_is_over_is_offered_again(site, owner):
    """A series at Zoom has one number for all of its dates."""
    zoom_id = make_at_zoom(site)
    ended = site.clock() - timedelta(days=7)
    site.add_event(slug="last", kind="webinar", zoom_id=zoom_id, starts_at=ended)

    page = owner.open("/organizer/events/new?host=me")

    assert [b for b in page.root.find_all("button") if "秋の説明会" in b["aria-label"]]


def test_unknown_number_is_told_at_the_page(site, owner):
    form = owner.open("/organizer/events/new").form("イベントを作成").fill(reference="81234567890")

    page = form.submit(status=422)

    assert "Zoomに見つかりません" in page.text


def test_number_that_zoom_shows_to_nobody_here_is_told(site, owner):
    """The host's plan or settings forbid it, whichever kind it is looked for as."""
    form = owner.open("/organizer/events/new").form("イベントを作成").fill(reference="81234567890")
    for kind in ("meetings", "webinars"):
        site.zoom.fault(path=f"/{kind}/81234567890", status=400, code=200, message="No permission.")

    assert "ホスト" in form.submit(status=502).text


def test_webinar_is_created_at_zoom_with_registration(site, owner):
    start = site.clock() + timedelta(days=10)
    form = (
        owner.open("/organizer/events/new")
        .form("Zoomに作成")
        .fill(
            title="新製品の説明会", kind="webinar", host=HOST, starts_at=f"{start:%Y-%m-%dT14:00}"
        )
    )
    first, second = (owner.try_post("/organizer/events/new/zoom", form.fields) for _ in range(2))

    made = [m for m in site.zoom.state()["meetings"] if m["details"]["topic"] == "新製品の説明会"]
    assert (first.status_code, second.status_code, len(made)) == (303, 303, 1)
    assert made[0]["settings"]["approval_type"] == 1
    assert read_event(site, made[0]["id"]).host_email == HOST


def test_what_is_missing_for_zoom_is_told_at_its_field(site, owner):
    form = (
        owner.open("/organizer/events/new")
        .form("Zoomに作成")
        .fill(title="", host="me", starts_at="2020-01-01T10:00")
    )

    page = form.submit(status=422)

    assert page.errors == [
        "タイトルを入力してください",
        "メールアドレスは name@example.com のような形式で入力してください",
    ]


def test_start_in_the_past_is_refused(site, owner):
    form = (
        owner.open("/organizer/events/new")
        .form("Zoomに作成")
        .fill(title="昔の会", starts_at="2020-01-01T10:00")
    )

    assert form.submit(status=422).errors == ["開始は今より後の日時にしてください"]


def test_outage_of_zoom_is_said_and_nothing_is_lost(site, owner):
    site.stop_zoom()
    form = owner.open("/organizer/events/new").form("イベントを作成").fill(reference="81234567890")

    page = form.submit(status=502)

    assert "Zoomが応答していません" in page.text
    assert page.form("イベントを作成")["reference"] == "81234567890"


def test_missing_scope_is_named(site, owner):
    scopes = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(scope for scope in scopes if "list_users" not in scope)

    assert "user:read:list_users" in owner.open("/organizer/events/new").text


def test_viewer_finds_no_way_to_make_one(site, owner):
    viewer = sign_in(site, Role.VIEWER)

    assert "新しいイベント" not in viewer.open("/organizer").text
