"""`/metrics`: who may read it, that Prometheus can, and what it counts."""

import re
from datetime import timedelta

import pytest

from app import create_app
from config import Settings
from storage import heartbeats, zoom_budgets
from tests.fixtures.databases import only_sqlite
from tests.people import HANAKO, TARO
from views.metrics import MEDIA_TYPE

TOKEN = "a token for prometheus"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
HELP = re.compile(rf"# HELP ({NAME}) ([^\\\n]|\\\\|\\n)+")
TYPE = re.compile(rf"# TYPE ({NAME}) gauge")
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")


def parse(text):
    """Read the text format strictly: HELP, TYPE, then at least one sample, each series once."""
    assert text.endswith("\n") and "\n\n" not in text
    lines = iter(text.splitlines())
    found, line = {}, next(lines, None)
    while line is not None:
        helped, typed = HELP.fullmatch(line), TYPE.fullmatch(next(lines))
        assert helped and typed and helped[1] == typed[1], line
        name, line = helped[1], next(lines, None)
        assert name.startswith("uketsuke_") and name not in {key for key, _ in found}
        count = len(found)
        while line is not None and not line.startswith("#"):
            sample = SAMPLE.fullmatch(line)
            assert sample and sample[1] == name, line
            assert (name, sample[2]) not in found, line
            found[name, sample[2]] = float(sample[3])
            line = next(lines, None)
        assert len(found) > count, f"{name} has no sample"
    return found


def ask(site, **options):
    headers = options.pop("headers", {})
    address = options.pop("address", "127.0.0.1")
    return site.app.test_client().get(
        "/metrics",
        headers=headers,
        environ_base={"REMOTE_ADDR": address},
        base_url=site.url,
    )


def read(site):
    answer = ask(site)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    return {
        (name.removeprefix("uketsuke_"), labels): value
        for (name, labels), value in parse(answer.text).items()
    }


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "uketsuke_a 1\n",
        "# HELP uketsuke_a x\n# TYPE uketsuke_a gauge\n",
        "# HELP uketsuke_a x\n# TYPE uketsuke_a gauge\nuketsuke_a NULL\n",
        '# HELP uketsuke_a x\n# TYPE uketsuke_a gauge\nuketsuke_a{b="c"d"} 1\n',
        "# HELP uketsuke_a x\n# TYPE uketsuke_a gauge\nuketsuke_a 1\nuketsuke_a 1\n",
        "# HELP uketsuke_a x\n# TYPE uketsuke_b gauge\nuketsuke_a 1\n",
    ],
)
def test_parser_is_strict(bad):
    with pytest.raises((AssertionError, StopIteration)):
        assert parse(bad)


def test_what_waits_is_counted(site):
    site.add_event(slug="spring")
    site.add_event(slug="over", starts_at=site.clock() - timedelta(hours=2))
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    succeeded_at = site.clock().timestamp()
    site.stop_zoom()
    site.visitor().open("/e/spring").form().fill(**HANAKO).submit()
    site.drain()
    site.clock.move(minutes=2)
    with site.database.write() as session:
        heartbeats.beat(session, "w", started_at=site.clock(), now=site.clock())
        use_up_one(session, "HEAVY", now=site.clock())

    found = read(site)

    spring = 'event="spring"'
    assert found["registrations_registered", spring] == 1
    assert found["registrations_waiting", spring] == 1
    assert found["registrations_without_link", spring] == 1
    assert 120 <= found["oldest_waiting_seconds", spring] < 150
    assert (found["mails", 'state="due"'], found["mails", 'state="failed"']) == (1, 0)
    assert (found["workers_alive", None], found["database_up", None]) == (1, 1)
    assert found["zoom_budget_left", 'account="1",label="HEAVY"'] == 29_999
    last_success = found["zoom_last_success_timestamp_seconds", 'account="1"']
    assert 0 <= succeeded_at - last_success < 30
    assert found["zoom_paused", 'account="1"'] == 0
    assert 0 <= found["disk_used_ratio", None] <= 1
    assert not [labels for _, labels in found if labels and "over" in labels]


def use_up_one(session, label, *, now):
    zoom_budgets.reserve(
        session,
        "sandbox-account",
        label,
        interval=0.0,
        patience=1.0,
        per_day=None,
        day=now.date(),
        now=now.timestamp(),
    )


@only_sqlite
def test_what_was_put_aside_is_counted_by_its_class(site):
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form()
    form.fill(**TARO | {"email": "host@example.com"}).submit()
    site.drain()

    found = read(site)

    assert found["jobs_parked", 'kind="zoom.sync",reason="HostCannotRegister"'] == 1
    assert found["registrations_refused", 'event="spring"'] == 1


@only_sqlite
def test_only_this_machine_may_read(site):
    assert ask(site).status_code == 200
    assert ask(site, address="203.0.113.7").status_code == 404
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        assert ask(site, headers={name: "127.0.0.1"}).status_code == 404
    assert ask(site, headers={"Authorization": "Bearer "}, address="10.0.0.1").status_code == 404


@only_sqlite
def test_proxy_on_this_machine_opens_nothing(start_site):
    site = start_site(trusted_proxies=1)
    assert ask(site).status_code == 200
    assert ask(site, headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert ask(site, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


@only_sqlite
def test_token_opens_it_to_other_machines(start_site):
    site = start_site(metrics_token=TOKEN)
    right, wrong = f"Bearer {TOKEN}", f"Bearer {TOKEN}x"
    assert ask(site, headers={"Authorization": right}, address="10.0.0.1").status_code == 200
    assert ask(site, headers={"Authorization": wrong}, address="10.0.0.1").status_code == 404


def test_database_that_is_away_leaves_the_disk_to_be_read(tmp_path):
    url = "postgresql://127.0.0.1:1/none"
    app = create_app(Settings(instance=tmp_path, database_url=url, secret_key="k" * 32))
    text = app.test_client().get("/metrics").text
    app.extensions["site"].database.dispose()
    found = parse(text)
    assert 0 <= found.pop(("uketsuke_disk_used_ratio", None)) <= 1
    assert found == {("uketsuke_database_up", None): 0}
