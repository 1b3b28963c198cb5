from datetime import UTC, datetime

import pytest

from tests.zoom_sandbox.api import PERSON, refusal

KINDS = pytest.mark.parametrize("kind", ["meeting", "webinar"])


def get(api, meeting, registrant_id):
    return api.call("GET", f"{api.path(meeting)}/registrants/{registrant_id}")


@KINDS
def test_automatic_approval_answers_with_the_link(api, kind):
    meeting = api.create(kind, settings={"approval_type": 0})
    added = api.add(meeting).json()
    assert added["join_url"].startswith(f"{api.url}/w/{meeting['id']}?tk=")
    assert ("&uuid=WN_" in added["join_url"]) == (kind == "webinar")
    assert api.emails(meeting) == ["taro@example.com"]


@KINDS
def test_approval_by_hand_answers_without_a_link(api, kind):
    meeting = api.create(kind)
    added = api.add(meeting).json()
    assert "join_url" not in added
    assert api.emails(meeting, "pending") == ["taro@example.com"]
    read = get(api, meeting, added["registrant_id"]).json()
    assert (read["status"], "join_url" in read) == ("pending", False)


def test_auto_approve_on_a_meeting_answers_with_the_link(api):
    meeting = api.create()
    assert "join_url" in api.add(meeting, auto_approve=True).json()
    assert api.emails(meeting) == ["taro@example.com"]


def test_auto_approve_is_not_known_to_webinars(api):
    meeting = api.create("webinar")
    response = api.add(meeting, auto_approve=True)
    assert refusal(response) == (400, 300)
    assert response.json()["errors"] == [{"field": "auto_approve", "message": "Unknown field."}]


def test_webinar_answers_status_and_share_url(api):
    added = api.add(api.create("webinar")).json()
    assert added["status"] == "pending"
    assert added["share_url"].startswith(f"{api.url}/webinar/register/")


def test_person_reads_back_as_sent(api):
    meeting = api.create()
    sent = {"org": "例示商事", "country": "JP", "no_of_employees": "101-500"}
    added = api.add(meeting, **sent, auto_approve=True).json()
    read = get(api, meeting, added["registrant_id"]).json()
    assert {k: read[k] for k in PERSON} == PERSON
    assert (read["org"], read["country"]) == ("例示商事", "JP")
    assert read["no_of_employees"] == "101-250"
    assert (read["id"], read["join_url"]) == (added["registrant_id"], added["join_url"])


def test_same_address_again_keeps_id_and_link_but_renames(sandbox, api):
    meeting = api.create()
    first = api.add(meeting, auto_approve=True).json()
    again = api.add(meeting, email="TARO@example.com", first_name="次郎", auto_approve=True).json()
    assert (again["registrant_id"], again["join_url"]) == (
        first["registrant_id"],
        first["join_url"],
    )
    assert get(api, meeting, first["registrant_id"]).json()["first_name"] == "次郎"
    effects = [entry["effect"] for entry in sandbox.control.journal(action="add_registrant")]
    assert effects == ["add", "repeat"]


def test_pending_person_added_again_stays_pending(api):
    meeting = api.create()
    api.add(meeting)
    assert "join_url" not in api.add(meeting, auto_approve=True).json()


@pytest.mark.parametrize("action", ["cancel", "deny"])
def test_cancelled_or_denied_person_cannot_be_added_again(api, action):
    meeting = api.create()
    api.add(meeting, auto_approve=True)
    assert api.set_status(meeting, action, {"email": PERSON["email"]}).status_code == 204
    assert refusal(api.add(meeting, auto_approve=True)) == (400, 3000)
    assert api.emails(meeting, "denied") == ["taro@example.com"]


@KINDS
def test_approve_restores_the_same_link(api, kind):
    meeting = api.create(kind, settings={"approval_type": 0})
    added = api.add(meeting).json()
    api.set_status(meeting, "cancel", {"id": added["registrant_id"]})
    assert "join_url" not in get(api, meeting, added["registrant_id"]).json()
    api.set_status(meeting, "approve", {"id": added["registrant_id"]})
    assert get(api, meeting, added["registrant_id"]).json()["join_url"] == added["join_url"]


def test_deleted_person_can_be_added_with_a_new_link(api):
    meeting = api.create()
    first = api.add(meeting, auto_approve=True).json()
    path = f"{api.path(meeting)}/registrants/{first['registrant_id']}"
    assert api.call("DELETE", path).status_code == 204
    second = api.add(meeting, auto_approve=True).json()
    assert second["join_url"] != first["join_url"]
    assert api.emails(meeting) == ["taro@example.com"]


def test_wrong_key_of_status_answers_204_without_effect(api):
    meeting = api.create()
    api.add(meeting)
    body = {"action": "approve", "registrant": [{"email": PERSON["email"]}]}
    response = api.call("PUT", f"{api.path(meeting)}/registrants/status", body)
    assert response.status_code == 204
    assert api.emails(meeting, "pending") == ["taro@example.com"]


def test_wrong_id_beside_the_address_has_no_effect(api):
    meeting = api.create()
    api.add(meeting)
    other = api.add(meeting, email="hanako@example.com").json()
    for wrong in ("wrong", other["registrant_id"]):
        person = {"id": wrong, "email": PERSON["email"]}
        assert api.set_status(meeting, "approve", person).status_code == 204
    assert api.emails(meeting) == []


def test_status_takes_thirty_people_at_most(api):
    people = [{"email": f"p{number}@example.com"} for number in range(31)]
    assert refusal(api.set_status(api.create(), "approve", *people)) == (400, 300)


def test_unknown_action_is_refused(api):
    response = api.set_status(api.create(), "pending", {"email": PERSON["email"]})
    assert response.json()["errors"][0]["field"] == "action"


@KINDS
def test_batch_approves_only_when_told(api, kind):
    meeting = api.create(kind)
    path = f"{api.path(meeting)}/batch_registrants"
    other = {**PERSON, "email": "hanako@example.com"}
    pending = api.call("POST", path, {"registrants": [PERSON]}).json()
    approved = api.call("POST", path, {"auto_approve": True, "registrants": [other]}).json()
    assert ["join_url" in row for row in pending["registrants"]] == [False]
    assert ["join_url" in row for row in approved["registrants"]] == [True]
    assert [row["email"] for row in approved["registrants"]] == ["hanako@example.com"]


def test_batch_takes_thirty_people_at_most(api):
    people = [{**PERSON, "email": f"p{number}@example.com"} for number in range(31)]
    meeting = api.create()
    response = api.call("POST", f"{api.path(meeting)}/batch_registrants", {"registrants": people})
    assert refusal(response) == (400, 300)
    assert api.emails(meeting, "pending") == []


@pytest.mark.parametrize(("kind", "type_", "code"), [("meeting", 8, 303), ("webinar", 9, 300)])
def test_batch_is_for_single_dates_only(api, kind, type_, code):
    meeting = api.create(kind, type=type_)
    response = api.call("POST", f"{api.path(meeting)}/batch_registrants", {"registrants": [PERSON]})
    assert refusal(response) == (400, code)


def test_batch_takes_no_other_fields(api):
    person = {**PERSON, "org": "例示商事"}
    path = f"{api.path(api.create())}/batch_registrants"
    response = api.call("POST", path, {"registrants": [person]})
    assert response.json()["errors"] == [
        {"field": "registrants[0].org", "message": "Unknown field."}
    ]


def test_pages_together_list_everybody_once(sandbox, api):
    meeting = api.create()
    people = {f"p{number}@example.com" for number in range(7)}
    for email in people:
        sandbox.control.add_registrant(meeting["id"], email)
    path, seen, token = f"{api.path(meeting)}/registrants", [], ""
    while True:
        page = api.call("GET", path, page_size=3, **({"next_page_token": token} if token else {}))
        seen += [person["email"] for person in page.json()["registrants"]]
        token = page.json()["next_page_token"]
        if not token:
            break
    assert (len(seen), set(seen)) == (7, people)


def test_first_page_has_thirty_people(sandbox, api):
    meeting = api.create()
    for number in range(31):
        sandbox.control.add_registrant(meeting["id"], f"p{number}@example.com")
    page = api.call("GET", f"{api.path(meeting)}/registrants").json()
    assert (len(page["registrants"]), page["total_records"], page["page_count"]) == (30, 31, 2)


def test_page_token_is_good_for_fifteen_minutes(sandbox, api):
    meeting = api.create()
    for number in range(2):
        sandbox.control.add_registrant(meeting["id"], f"p{number}@example.com")
    path = f"{api.path(meeting)}/registrants"
    token = api.call("GET", path, page_size=1).json()["next_page_token"]
    other_query = api.call("GET", path, page_size=1, status="denied", next_page_token=token)
    sandbox.control.move_clock(seconds=15 * 60 + 1)
    late = api.call("GET", path, page_size=1, next_page_token=token)
    assert [refusal(response) for response in (other_query, late)] == [(400, 300), (400, 300)]


def test_page_size_over_300_is_refused(api):
    path = f"{api.path(api.create())}/registrants"
    assert api.call("GET", path, page_size=301).json()["errors"][0]["field"] == "page_size"


@pytest.mark.parametrize(
    ("kind", "getting", "deleting"), [("meeting", 3079, 300), ("webinar", 3079, 3000)]
)
def test_unknown_registrant_is_refused(api, kind, getting, deleting):
    meeting = api.create(kind)
    assert refusal(get(api, meeting, "nobody")) == (400, getting)
    path = f"{api.path(meeting)}/registrants/nobody"
    assert refusal(api.call("DELETE", path)) == (400, deleting)


@pytest.mark.parametrize(
    ("kind", "single", "batch"),
    [("meeting", (404, 404), (400, 404)), ("webinar", (400, 3000), (400, 3000))],
)
def test_registration_off_refuses_adding(api, kind, single, batch):
    meeting = api.create(kind, settings={"approval_type": 2})
    assert refusal(api.add(meeting)) == single
    path = f"{api.path(meeting)}/batch_registrants"
    assert refusal(api.call("POST", path, {"registrants": [PERSON]})) == batch


@KINDS
def test_nobody_can_register_when_over(sandbox, api, kind):
    meeting = api.create(kind)
    sandbox.control.set_clock(datetime(2030, 4, 1, 11, 1, tzinfo=UTC))
    api.sign_in()
    assert refusal(api.add(meeting)) == (400, 3038)


def test_registering_while_it_runs_is_possible(sandbox, api):
    meeting = api.create()
    sandbox.control.set_clock(datetime(2030, 4, 1, 10, 59, tzinfo=UTC))
    api.sign_in()
    assert api.add(meeting).status_code == 201


@KINDS
def test_full_meeting_refuses_one_more(sandbox, api, kind):
    meeting = api.create(kind, settings={"approval_type": 0})
    sandbox.control.change_meeting(meeting["id"], capacity=1)
    api.add(meeting)
    assert refusal(api.add(meeting, email="hanako@example.com")) == (400, 3043)
    assert api.emails(meeting) == ["taro@example.com"]


def test_webinar_restricts_the_number_of_registrants(api):
    settings = {"approval_type": 0, "registrants_restrict_number": 1}
    webinar = api.create("webinar", settings=settings)
    api.add(webinar)
    assert refusal(api.add(webinar, email="hanako@example.com")) == (400, 3043)


@pytest.mark.parametrize(("kind", "code"), [("meeting", 3043), ("webinar", 3035)])
def test_approving_over_capacity_is_refused(sandbox, api, kind, code):
    meeting = api.create(kind)
    sandbox.control.change_meeting(meeting["id"], capacity=1)
    api.add(meeting)
    api.add(meeting, email="hanako@example.com")
    people = [{"email": "taro@example.com"}, {"email": "hanako@example.com"}]
    assert refusal(api.set_status(meeting, "approve", *people)) == (400, code)
    assert api.emails(meeting) == ["taro@example.com"]


@pytest.mark.parametrize(
    ("kind", "hosts"),
    [("meeting", "a@example.com;B@example.com"), ("webinar", "a@example.com,B@example.com")],
)
def test_hosts_cannot_register(api, kind, hosts):
    meeting = api.create(kind, settings={"alternative_hosts": hosts})
    refused = [
        refusal(api.add(meeting, email=email)) for email in ("HOST@example.com", "b@example.com")
    ]
    assert refused == [(400, 3027), (400, 3027)]


def test_authentication_asks_for_a_zoom_account(sandbox, api):
    meeting = api.create(settings={"meeting_authentication": True})
    assert refusal(api.add(meeting)) == (400, 1001)
    sandbox.control.add_user("u2", PERSON["email"])
    assert api.add(meeting).status_code == 201


def test_free_plan_takes_no_registrations(start_sandbox, connect):
    api = connect(start_sandbox(plan="free"))
    assert refusal(api.add(api.create())) == (400, 200)


def test_changed_passcode_changes_the_link(api):
    meeting = api.create()
    added = api.add(meeting, auto_approve=True).json()
    api.call("PATCH", api.path(meeting), {"password": "new"})
    assert get(api, meeting, added["registrant_id"]).json()["join_url"] != added["join_url"]


def test_list_can_be_narrowed_by_source(api):
    webinar = api.create("webinar", settings={"approval_type": 0})
    api.add(webinar, source_id="mail")
    api.add(webinar, email="hanako@example.com")
    path = f"{api.path(webinar)}/registrants"
    listed = api.call("GET", path, tracking_source_id="mail").json()["registrants"]
    assert [person["email"] for person in listed] == ["taro@example.com"]
