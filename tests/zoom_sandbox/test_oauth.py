import pytest

from tests.zoom_sandbox.api import refusal


def test_token_lasts_an_hour_and_names_its_scopes(api):
    answer = api.ask_for_token().json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3599)
    assert "meeting:write:registrant:admin" in answer["scope"].split()
    assert answer["api_url"] == api.url


def test_token_may_be_asked_for_in_the_query(api):
    query = {"grant_type": "account_credentials", "account_id": "sandbox-account"}
    response = api.session.post(
        f"{api.url}/oauth/token",
        params=query,
        auth=("sandbox-client", "sandbox-secret"),
        timeout=10,
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"account_id": "wrong"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_get_no_token(api, changed, error):
    response = api.ask_for_token(**changed)
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_unknown_token_is_401_with_code_124(api):
    api.token = "made-up"
    response = api.call("GET", "/users/host@example.com")
    assert response.status_code == 401
    assert response.json() == {"code": 124, "message": "Invalid access token."}


def test_token_is_refused_after_an_hour(sandbox, api):
    sandbox.control.move_clock(seconds=3601)
    response = api.call("GET", "/users/host@example.com")
    assert response.status_code == 401
    assert response.json() == {"code": 124, "message": "Access token has expired."}


def test_expired_tokens_can_be_replaced(sandbox, api):
    sandbox.control.expire_tokens()
    assert api.call("GET", "/users/host@example.com").status_code == 401
    api.sign_in()
    assert api.call("GET", "/users/host@example.com").status_code == 200


def test_new_token_does_not_end_the_old_one(api):
    api.ask_for_token()
    assert api.call("GET", "/users/host@example.com").status_code == 200


def test_revoked_secret_gets_no_token_until_restored(sandbox, api):
    sandbox.control.revoke_secret()
    assert api.ask_for_token().json()["error"] == "invalid_client"
    sandbox.control.restore_secret()
    assert api.ask_for_token().status_code == 200


def test_missing_scope_is_named_in_code_4711(sandbox, api):
    meeting = api.create()
    sandbox.control.remove_scopes("meeting:write:registrant:admin")
    response = api.add(meeting)
    assert response.status_code == 400
    assert response.json() == {
        "code": 4711,
        "message": "Invalid access token, does not contain scopes:"
        "[meeting:write:registrant, meeting:write:registrant:admin].",
    }


def test_scope_granted_comes_with_the_next_token(sandbox, api):
    meeting = api.create()
    granted = sandbox.control.state()["scopes"]
    sandbox.control.remove_scopes("meeting:write:registrant:admin")
    api.sign_in()
    sandbox.control.grant_scopes(granted)
    assert api.add(meeting).status_code == 400
    api.sign_in()
    assert api.add(meeting).status_code == 201


@pytest.mark.parametrize("header", ["{}", "Basic {}", "bearer{}", "Bearer  {}"])
def test_token_without_its_scheme_is_refused(api, header):
    headers = {"Authorization": header.format(api.token)}
    url = f"{api.url}/v2/users/host@example.com"
    assert refusal(api.session.get(url, headers=headers, timeout=10)) == (401, 124)


def test_classic_scope_opens_the_same_call(sandbox, api):
    meeting = api.create()
    sandbox.control.grant_scopes(["meeting:write:admin"])
    api.sign_in()
    assert api.add(meeting).status_code == 201


def test_broad_webinar_scope_opens_calls_about_registrants(sandbox, api):
    webinar = api.create("webinar")
    sandbox.control.grant_scopes(["webinar:write:webinar:admin"])
    api.sign_in()
    assert api.add(webinar).status_code == 201


def test_every_token_asked_for_is_in_the_journal(sandbox, api):
    api.ask_for_token(client_secret="wrong")
    effects = [entry["effect"] for entry in sandbox.control.journal(operation="token")]
    assert effects == ["token", None]
