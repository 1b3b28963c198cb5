import pytest

from zoom_client import Kind, ZoomClient, find_missing_scopes
from zoom_client.scopes import _SCOPES, is_report_granted

BOTH_KINDS = pytest.mark.parametrize("kind", list(Kind))


def list_needed(kind):
    return find_missing_scopes([], kind)


@BOTH_KINDS
def test_nothing_granted_means_that_all_is_missing(kind):
    assert list_needed(kind) == [
        f"{kind}:read:{kind}:admin",
        f"{kind}:read:list_{kind}s:admin",
        f"{kind}:read:list_registrants:admin",
        f"{kind}:read:registrant:admin",
        f"{kind}:read:list_registration_questions:admin",
        f"{kind}:write:{kind}:admin",
        f"{kind}:write:registrant:admin",
        f"{kind}:write:batch_registrants:admin",
        f"{kind}:update:{kind}:admin",
        f"{kind}:update:registrant_status:admin",
        f"{kind}:update:registration_question:admin",
        f"{kind}:delete:registrant:admin",
        "user:read:user:admin",
        "user:read:list_users:admin",
        f"{kind}:read:list_past_instances:admin",
        f"report:read:list_{kind}_participants:admin",
    ]


@BOTH_KINDS
@pytest.mark.parametrize("suffix", ["", ":admin"])
def test_granular_scopes_are_enough(kind, suffix):
    granted = [scope.removesuffix(":admin") + suffix for scope in list_needed(kind)]
    assert find_missing_scopes(granted, kind) == []


@BOTH_KINDS
def test_classic_scopes_are_enough(kind):
    granted = [f"{kind}:read:admin", f"{kind}:write:admin", "user:read:admin", "report:read:admin"]
    assert find_missing_scopes(granted, kind) == []


def test_broad_webinar_scope_stands_for_granular_ones():
    granted = [f"webinar:{verb}:webinar:admin" for verb in ("read", "write", "update", "delete")]
    assert find_missing_scopes(granted, Kind.WEBINAR) == [
        "user:read:user:admin",
        "user:read:list_users:admin",
    ]


@BOTH_KINDS
def test_participants_are_listed_with_either_of_two_scopes(kind):
    report = f"report:read:list_{kind}_participants:admin"
    other = f"{kind}:read:list_past_participants"
    calls = ["list_participants"]
    assert find_missing_scopes([], kind, calls) == [report]
    assert find_missing_scopes([report], kind, calls) == []
    assert find_missing_scopes([other], kind, calls) == []
    assert [is_report_granted([scope], kind) for scope in (report, other)] == [True, False]


def test_only_what_is_missing_is_named():
    granted = set(list_needed(Kind.MEETING)) - {"meeting:update:registrant_status:admin"}
    missing = find_missing_scopes(granted, Kind.MEETING)
    assert missing == ["meeting:update:registrant_status:admin"]


def test_scopes_of_one_kind_do_not_serve_the_other():
    missing = find_missing_scopes(list_needed(Kind.MEETING), Kind.WEBINAR)
    assert len(missing) == len(list_needed(Kind.WEBINAR)) - 2


def test_calls_not_made_need_no_scope():
    missing = find_missing_scopes([], Kind.WEBINAR, ["add_registrant", "get_user"])
    assert missing == ["webinar:write:registrant:admin", "user:read:user:admin"]


def test_every_call_of_the_client_has_its_scope():
    calls = {name for name in vars(ZoomClient) if not name.startswith("_")}
    assert calls - {"scopes", "within"} == set(_SCOPES)
