"""Files around the code: requirements, settings, documents."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import click
import pytest

from config import PREFIX, Settings
from services.event_documents import EventDocument, OrganizationTexts
from services.questions import Question
from services.zoom_preflight import CALLS
from tests.test_architecture import PRODUCT
from zoom_client import Kind
from zoom_client.scopes import find_missing_scopes

ROOT = Path(__file__).parents[1]
LISTS = ("requirements", "requirements-postgresql", "requirements-dev")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==([^\s;\\]+)", re.MULTILINE)
ROW = re.compile(r"^\| `(UKETSUKE_\w+)` \| (.*?) \|", re.MULTILINE)
KEYS = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|", re.MULTILINE)
VARIABLE = re.compile(r"\bUKETSUKE_[A-Z_]+[A-Z]")
COMMAND = re.compile(r"flask ([a-z-]+)(?: ([a-z]+))?")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")
# Split, so that this file passes its own test.
FOREIGN = ("/" + "work/", "sub" + "agent", "pypi" + ".org", "python" + "hosted", "npm" + "js")


def read_pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return {package.lower().replace("_", "-"): version for package, version in PIN.findall(text)}


@pytest.mark.parametrize("name", LISTS)
def test_lock_has_what_its_list_asks_for(name):
    asked, locked = read_pins(f"{name}.in"), read_pins(f"{name}.txt")

    assert asked
    assert asked.items() - locked.items() == set()


@pytest.mark.parametrize("name", LISTS)
def test_lock_has_no_direct_package_that_nobody_asked_for(name):
    asked = read_pins(f"{name}.in")
    entries = re.split(r"\n(?=\S)", (ROOT / f"{name}.txt").read_text())
    direct = {
        package.lower()
        for entry in entries
        for package, _ in PIN.findall(entry)
        if f"-r {name}.in" in entry
    }

    assert direct == set(asked)


@pytest.mark.parametrize("name", LISTS)
def test_lock_has_hashes_and_no_place_to_load_from(name):
    entries = re.split(r"\n(?=\S)", (ROOT / f"{name}.txt").read_text().strip())

    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry for entry in entries if "://" in entry] == []


def test_locks_agree():
    pins = [pin for name in LISTS for pin in read_pins(f"{name}.txt").items()]
    versions: dict[str, set[str]] = {}
    for package, version in pins:
        versions.setdefault(package, set()).add(version)

    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_every_setting_is_documented_with_its_default():
    documented = dict(ROW.findall((ROOT / "docs/settings.md").read_text()))

    assert documented == {
        PREFIX + setting.name.removeprefix("is_").upper(): write_default(setting.default)
        for setting in fields(Settings)
    }


def write_default(value: object) -> str:
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value}`" if str(value) else ""


def test_every_key_of_an_events_file_is_documented():
    text = (ROOT / "docs/events.md").read_text()
    documented = {key for row in KEYS.findall(text) for key in re.findall(r"`(\w+)`", row)}
    parts = (EventDocument, OrganizationTexts, Question)
    keys = {part.name for kind in parts for part in fields(kind)}

    made_of_others = {"attendance"}  # the event's own key says whether a notice speaks of it
    assert documented == keys - {"organization", "questions"} - made_of_others


def test_every_variable_that_the_code_reads_is_documented():
    read = {name for path in PRODUCT for name in VARIABLE.findall(path.read_text())}
    documents = "".join(path.read_text() for path in DOCUMENTS)

    assert [name for name in sorted(read) if f"`{name}" not in documents] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_documents_lead_somewhere(document):
    targets = LINK.findall(document.read_text())

    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_readme_names_every_scope_that_is_needed():
    named = re.findall(r"`((?:meeting|user|report):[a-z_:]+)`", (ROOT / "README.md").read_text())

    assert sorted(named) == sorted(find_missing_scopes([], Kind.MEETING, CALLS))


def test_commands_of_documents_exist():
    from app import create_app

    commands = create_app(Settings(secret_key="k" * 32)).cli.commands
    asked = {pair for path in DOCUMENTS for pair in COMMAND.findall(path.read_text())}
    parts = {
        name: set(group.commands) if isinstance(group, click.Group) else set()
        for name, group in commands.items()
    }

    assert len(asked) > 5
    assert {name for name, _ in asked} - parts.keys() == set()
    assert [
        (name, part) for name, part in asked if parts[name] and part and part not in parts[name]
    ] == []


def test_repository_speaks_of_the_product_alone():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a Git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    texts = {path: path.read_text(errors="ignore").lower() for path in paths if path.is_file()}

    assert [
        (path.name, word) for path, text in texts.items() for word in FOREIGN if word in text
    ] == []
