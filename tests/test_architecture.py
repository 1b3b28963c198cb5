"""The shape of the code: who may import what, who may commit, how long things may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Each package, the packages of ours that it may import, and those of others.
MAY_IMPORT = {
    "outbound": ((), ("requests", "urllib3", "certifi")),
    "zoom_client": (("outbound",), ()),
    "oidc_client": (("outbound",), ("joserfc",)),
    "zoom_sandbox": ((), ("flask", "werkzeug", "requests")),
    "config": ((), ()),
    "storage": ((), ("sqlalchemy", "alembic", "cryptography", "psycopg")),
    "services": (
        ("oidc_client", "storage", "zoom_client"),
        (
            *("sqlalchemy.orm", "itsdangerous", "icalendar", "PIL", "tomli_w"),
            *("altcha", "argon2", "markdown_it", "openpyxl", "pyotp", "segno", "webauthn"),
        ),
    ),
    "forms": (
        ("services",),
        ("wtforms", "flask_babel", "babel", "email_validator", "werkzeug"),
    ),
    "views": (
        ("config", "forms", "oidc_client", "outbound", "services", "storage", "zoom_client"),
        (
            *("flask", "flask_babel", "werkzeug", "markupsafe", "nh3", "dns"),
            *("sqlalchemy.orm", "sqlalchemy.exc"),
        ),
    ),
    "worker": (
        ("config", "outbound", "services", "storage", "zoom_client"),
        ("flask", "flask_babel", "sqlalchemy.orm", "sqlalchemy.exc"),
    ),
    "cli": (
        ("config", "services", "storage", "views", "worker", "zoom_client", "zoom_sandbox"),
        ("click", "flask", "sqlalchemy.orm", "sqlalchemy.exc", "waitress"),
    ),
    "app": (
        (
            *("cli", "config", "oidc_client", "outbound", "services", "storage", "views"),
            "zoom_client",
        ),
        ("flask", "flask_babel", "werkzeug"),
    ),
}
PRODUCT = [
    path
    for package in MAY_IMPORT
    for path in [ROOT / f"{package}.py", *sorted((ROOT / package).rglob("*.py"))]
    if path.exists() and "versions" not in path.parts
]

# Besides views, worker and commands: what the client shares with all processes around a call.
MAY_COMMIT = {
    *("views", "worker", "cli", "storage"),
    *("services/zoom_tokens.py", "services/zoom_budget.py"),
}
# Who may speak to other machines: the one way out, and the stand-in for Zoom, an app of its own.
NETWORK = {"outbound", "zoom_sandbox"}
OF_THE_NETWORK = {
    *("socket", "ssl", "select", "selectors", "asyncio", "socketserver", "wsgiref"),
    *("http.client", "urllib.request", "ftplib", "imaplib", "poplib", "smtplib", "telnetlib"),
    *("xmlrpc.client", "requests", "urllib3", "certifi", "httpx", "aiohttp", "dns.resolver"),
}
OTHERWISE_ON_THE_NETWORK = {
    "cli/serve.py": {"socket", "urllib.request"},  # asks its own processes whether they are there
    "cli/sockets.py": {"socket"},  # listens
    "cli/web_server.py": {"select", "socket"},  # listens
    "views/txt_records.py": {"dns.resolver"},  # asks the system's name server, nobody else
    "worker/alarms.py": {"socket"},  # this machine's name
    "worker/smtp.py": {"smtplib", "socket", "ssl"},  # the operator's mail server
}
MAY_READ_THE_CLOCK = {"app.py", "zoom_client/client.py", "zoom_sandbox/clock.py"}
# What runs for long, and those who hand a transaction on: whatever happens, others wait for them.
MAY_CATCH_EVERYTHING = {"worker/loop.py", "cli/web_processes.py", "storage/write_queue.py"}
MAY_MARK_SAFE = {"views/markdown.py"}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")


def test_every_package_has_its_place():
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}

    assert found | {"app", "config"} == set(MAY_IMPORT)


def test_modules_import_only_what_their_layer_may():
    def is_allowed(path: Path, name: str) -> bool:
        ours, others = MAY_IMPORT[package_of(path)]
        allowed = (package_of(path), *ours, *others)
        return any(name == module or name.startswith(f"{module}.") for module in allowed)

    assert find(lambda path: [n for n in list_imports(path) if not is_allowed(path, n)]) == []


def test_clients_are_made_in_app_alone():
    made = ("ZoomClient", "OidcClient", "HttpPool")
    packages = ("services", "views", "worker")

    assert (
        find(
            lambda path: [
                call
                for call, _ in list_calls(path)
                if package_of(path) in packages and call.split(".")[-1] in made
            ]
        )
        == []
    )


def test_calls_to_other_systems_go_through_one_package():
    used = {
        name_of(path): {name for node in walk(path) for name in list_imported(node)}
        & OF_THE_NETWORK
        for path in PRODUCT
        if package_of(path) not in NETWORK
    }

    assert {name: found for name, found in used.items() if found} == OTHERWISE_ON_THE_NETWORK


def test_only_the_outermost_layers_commit():
    def is_commit(name: str, call: ast.Call) -> bool:
        # A file's `write` is told by its argument.
        is_file = name.endswith(".write") and call.args
        return name.endswith((".commit", ".write", ".write_if_possible")) and not is_file

    def may_commit(path: Path) -> bool:
        return not MAY_COMMIT.isdisjoint({package_of(path), name_of(path)})

    assert (
        find(
            lambda path: [
                name
                for name, call in list_calls(path)
                if is_commit(name, call) and not may_commit(path)
            ]
        )
        == []
    )


def test_time_is_passed_in():
    clocks = find(lambda path: [name for name, _ in list_calls(path) if name in CLOCKS])

    assert {place.split(":")[0] for place in clocks} == MAY_READ_THE_CLOCK


def test_requests_go_through_a_session():
    bare = {f"requests.{verb}" for verb in VERBS}

    assert find(lambda path: [name for name, _ in list_calls(path) if name in bare]) == []


def test_modules_are_short():
    assert [
        name_of(path) for path in PRODUCT if len(path.read_text().splitlines()) > LONGEST_MODULE
    ] == []


def test_functions_are_short():
    def is_long(node: ast.AST) -> bool:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        return (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION

    assert find(lambda path: [node.name for node in walk(path) if is_long(node)]) == []


def test_only_those_whom_others_need_catch_everything():
    caught = find(
        lambda path: [
            ast.unparse(node.type)
            for node in walk(path)
            if isinstance(node, ast.ExceptHandler)
            and node.type is not None
            and ast.unparse(node.type) in ("Exception", "BaseException")
        ]
    )

    assert {place.split(":")[0] for place in caught} == MAY_CATCH_EVERYTHING


def test_only_cleaned_markdown_is_marked_safe():
    marked = find(
        lambda path: [
            name
            for name, _ in list_calls(path)
            if name.split(".")[-1] in ("Markup", "render_template_string")
        ]
    )

    assert {place.split(":")[0] for place in marked} == MAY_MARK_SAFE


def test_no_module_hides_one_of_the_standard_library():
    names = {path.stem for path in ROOT.glob("*.py")} | {
        path.name for path in ROOT.iterdir() if path.is_dir()
    }

    assert names & sys.stdlib_module_names == set()


def find(look: Callable[[Path], Iterable[str]]) -> list[str]:
    """Return what `look` finds in each module of the product, as `module: finding`."""
    return [f"{name_of(path)}: {finding}" for path in PRODUCT for finding in look(path)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def walk(path: Path) -> Iterator[ast.AST]:
    return ast.walk(parse(path))


def list_imports(path: Path) -> list[str]:
    """List the modules that a module imports from elsewhere, functions' own imports included."""
    names = []
    for node in walk(path):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]


def list_imported(node: ast.AST) -> list[str]:
    """List what an import names: modules, and `module.name` where it takes names of one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def list_calls(path: Path) -> list[tuple[str, ast.Call]]:
    """List the calls in a module as `function`, `module.function` or `.method`."""
    calls = []
    for node in walk(path):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                owner = function.value.id if isinstance(function.value, ast.Name) else ""
                calls.append((f"{owner}.{function.attr}", node))
            elif isinstance(function, ast.Name):
                calls.append((function.id, node))
    return calls


def test_migrations_follow_one_another():
    # Two that were written at once have one number, and only one of them would be run.
    files = sorted((ROOT / "storage" / "migrations" / "versions").glob("[0-9]*.py"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
    for number, file in zip(numbers, files, strict=True):
        assert f"\nrevision = '{number:04}'\n" in file.read_text(encoding="utf-8")
