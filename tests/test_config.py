"""Reading the settings."""

from pathlib import Path

import pytest

from config import Settings, SettingsError, list_unknown


def test_nothing_is_required():
    assert Settings.from_env({}) == Settings()


def test_variables_become_values_of_their_kind():
    settings = Settings.from_env(
        {
            "UKETSUKE_INSTANCE": "/srv/uketsuke",
            "UKETSUKE_PORT": " 8080 ",
            "UKETSUKE_FORM_MIN_SECONDS": "0",
            "UKETSUKE_RATE_LIMITS": "off",
            "UKETSUKE_DEMO": "On",
            "UKETSUKE_MAIL_FROM": "0123@example.com",
        }
    )

    assert settings == Settings(
        instance=Path("/srv/uketsuke"),
        port=8080,
        form_min_seconds=0.0,
        rate_limits=False,
        is_demo=True,
        mail_from="0123@example.com",
    )


def test_file_holds_a_value_and_wins(tmp_path):
    (tmp_path / "secret").write_text("from the file\n")
    environ = {
        "UKETSUKE_ZOOM_ACCOUNT_ID": "account",
        "UKETSUKE_ZOOM_CLIENT_ID": "client",
        "UKETSUKE_ZOOM_CLIENT_SECRET": "from the variable",
        "UKETSUKE_ZOOM_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }

    assert Settings.from_env(environ).zoom_client_secret == "from the file"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("UKETSUKE_PORT", "eighty", "UKETSUKE_PORT must be a number, not 'eighty'"),
        ("UKETSUKE_RATE_LIMITS", "maybe", "UKETSUKE_RATE_LIMITS must be on or off, not 'maybe'"),
        ("UKETSUKE_ZOOM_ACCOUNT_ID", "only", "UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and"),
        ("UKETSUKE_PORT", "70000", "UKETSUKE_PORT must be 1 to 65535"),
        ("UKETSUKE_WORKER_THREADS", "0", "UKETSUKE_WORKER_THREADS must be 1 to 64"),
        ("UKETSUKE_FORM_MIN_SECONDS", "nan", "UKETSUKE_FORM_MIN_SECONDS must be 0 to 60"),
        ("UKETSUKE_BASE_URL", "events.example.com", "UKETSUKE_BASE_URL must be like https://"),
        ("UKETSUKE_BASE_URL", "https://", "UKETSUKE_BASE_URL must be like https://"),
        ("UKETSUKE_MAIL_URL", "http://mail.example.com", "UKETSUKE_MAIL_URL must begin with one"),
        (
            "UKETSUKE_BASE_URL",
            "https://a.example/events",
            "UKETSUKE_BASE_URL must be like https://",
        ),
        ("UKETSUKE_MAIL_URL", "smtp://a:b@c@host:x", "UKETSUKE_MAIL_URL must begin with one"),
        ("UKETSUKE_ZOOM_API_URL", "zoom.us", "UKETSUKE_ZOOM_API_URL must begin with https://"),
        ("UKETSUKE_PRIVATE_WEBHOOK_HOSTS", "http://n8n", "UKETSUKE_PRIVATE_WEBHOOK_HOSTS must be"),
        ("UKETSUKE_PRIVATE_SIGN_IN_HOSTS", "a b", "UKETSUKE_PRIVATE_SIGN_IN_HOSTS must be names"),
        ("UKETSUKE_INSTANCE", "/dev/null/x", "UKETSUKE_INSTANCE must name a folder"),
        ("UKETSUKE_INSTANCE", "app.py", "UKETSUKE_INSTANCE must name a folder"),
        ("UKETSUKE_MAIL_FROM", "Desk <a@example.com>", "UKETSUKE_MAIL_FROM must be an address"),
        ("UKETSUKE_SECURITY_CONTACT", "security@example.com", "UKETSUKE_SECURITY_CONTACT must be"),
        ("UKETSUKE_SECURITY_CONTACT", "https://a b", "UKETSUKE_SECURITY_CONTACT must be like"),
        ("UKETSUKE_DATABASE_URL", "mysql://db", "UKETSUKE_DATABASE_URL must begin with postgresql"),
        ("UKETSUKE_SECRET_KEY", "short", "UKETSUKE_SECRET_KEY must have at least 32 characters"),
        ("UKETSUKE_LOG_LEVEL", "LOUD", "UKETSUKE_LOG_LEVEL must be DEBUG, INFO"),
        ("UKETSUKE_CARD_FONT", "/nowhere.ttf", "UKETSUKE_CARD_FONT must name a font file"),
        ("UKETSUKE_MAIL_URL_FILE", "/nowhere", "UKETSUKE_MAIL_URL_FILE: /nowhere cannot be read"),
    ],
)
def test_value_that_cannot_be_used_is_named(name, value, message):
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})

    assert str(caught.value).startswith(message)


def test_names_of_hosts_may_have_ports():
    hosts = "n8n, n8n:5678, n8n:*, 127.0.0.1:*, [::1]:*, 受付.example"
    assert Settings.from_env({"UKETSUKE_PRIVATE_WEBHOOK_HOSTS": hosts}).private_webhook_hosts


def test_variable_that_is_no_setting_is_named():
    known = ("UKETSUKE_PORT", "UKETSUKE_SECRET_KEY_FILE", "UKETSUKE_DEMO", "UKETSUKE_FAULT_POINT")
    assert list_unknown(dict.fromkeys((*known, "UKETSUKE_SENDER", "PATH"), "x")) == [
        "UKETSUKE_SENDER"
    ]


def test_refused_secret_is_not_repeated():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"UKETSUKE_SECRET_KEY": "hunter2"})

    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show_in_a_trace():
    secrets = {
        "UKETSUKE_SECRET_KEY": "k" * 32,
        "UKETSUKE_DATABASE_URL": "postgresql://me:hunter1@db.example.com/site",
        "UKETSUKE_MAIL_URL": "smtp://me:hunter2@mail.example.com",
        "UKETSUKE_ZOOM_CLIENT_SECRET": "hunter3",
    }
    account = {"UKETSUKE_ZOOM_ACCOUNT_ID": "account", "UKETSUKE_ZOOM_CLIENT_ID": "client"}

    shown = repr(Settings.from_env(secrets | account))

    assert [secret for secret in secrets.values() if secret in shown] == []


def test_public_address_decides_sender_and_hosts():
    settings = Settings(base_url="https://events.example.com/")

    assert settings.site_url == "https://events.example.com"
    assert settings.sender == "noreply@events.example.com"
    assert settings.trusted_hosts[0] == "events.example.com"
    assert "elsewhere.example" not in settings.trusted_hosts


def test_trial_is_at_home_on_this_machine(tmp_path):
    settings = Settings(instance=tmp_path, port=8080)

    assert settings.site_url == "http://127.0.0.1:8080"
    assert settings.database_address == f"sqlite:///{tmp_path}/uketsuke.sqlite3"
    assert settings.mailbox == tmp_path / "mailbox"
    assert not settings.has_zoom_account
