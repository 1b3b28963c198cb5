"""Puts the site together: settings, database, keys, clients, views."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask
from flask_babel import Babel
from werkzeug.middleware.proxy_fix import ProxyFix

from cli import init_cli
from cli.web_server import WAITED_SECONDS, WAITING
from config import Settings, SettingsError
from oidc_client import OidcClient
from outbound import HostRules, HttpPool
from services.form_tokens import FormTokens
from services.keys import KeyRing
from services.links import Links
from services.messages import write_line
from services.proofs_of_work import ProofsOfWork
from services.tokens import TokenSigner
from services.unseen import split_unseen
from services.zoom_budget import SharedBudget
from services.zoom_connections import ZoomSettings, choose_credentials
from services.zoom_tokens import SharedTokenStore
from storage.ciphers import Cipher
from storage.migrate import is_set_up
from storage.models import ZoomConnection
from storage.secret_keys import FILE_NAME, make_secret_key, read_secret_keys
from storage.session import Database
from views import (
    api,
    cards,
    embed,
    embed_script,
    health,
    home,
    joining,
    mail_proofs,
    mailbox,
    metrics,
    organization_pages,
    personal,
    receipts,
    registration,
    sitemap,
    static_files,
    visits,
)
from views.access_log import init_access_log
from views.bodies import init_bodies
from views.errors import init_errors
from views.framing import get_frame, is_framed
from views.headers import SecuredResponse
from views.locale import list_language_links, read_locale, select_locale
from views.markdown import render_markdown
from views.organizer import init_organizer
from views.overload import Admission
from views.retries import init_retries
from views.site import Site, WebhookWay, ZoomClients
from views.visit_counts import VisitCounter
from zoom_client import Credentials, MemoryTokenStore, Plan, TokenStore, ZoomClient

BODY_BYTES = 256 * 1024
FORM_PARTS = 200
CLIENTS = 64
OIDC_BYTES = 512 * 1024
WEBHOOK_BYTES = 1024 * 1024


class _App(Flask):
    """Flask as every request needs it."""

    response_class = SecuredResponse

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view or hook as it is: none is a coroutine, and Flask would ask each time."""
        return func


def create_app(
    settings: Settings | None = None, *, read_clock: Callable[[], datetime] | None = None
) -> Flask:
    """Assemble the site.

    Args:
        settings: read from the environment if not given.
        read_clock: returns the time, aware; tests hand in their own.
    """
    settings = settings or _read_settings()
    app = _App(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES,
        MAX_FORM_PARTS=FORM_PARTS,
        TRUSTED_HOSTS=settings.trusted_hosts,
        BABEL_TRANSLATION_DIRECTORIES="translations",
    )
    with _exiting_if_unusable():
        found = _find_secrets(settings)
        secrets = found or make_secret_key(settings.instance)
        keys = KeyRing(secrets)
    signer = TokenSigner(keys)
    clock = read_clock or _read_clock
    with _exiting_if_unusable():
        cipher = Cipher(secrets)
        database = Database(settings.database_address, cipher=cipher, threads=settings.most_threads)
    app.extensions["site"] = Site(
        settings=settings,
        database=database,
        cipher=cipher,
        keys=keys,
        signer=signer,
        form_tokens=FormTokens(keys),
        proofs_of_work=ProofsOfWork(keys),
        links=Links(settings.site_url, signer),
        zoom=_build_zoom_clients(settings, database, cipher, clock),
        oidc=_build_oidc_client(settings),
        webhooks=_build_webhook_way(settings),
        read_clock=clock,
        visits=VisitCounter(database),
        secret_is_new=not found,
    )
    _init_views(app, settings)
    init_cli(app)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    return app


def _read_settings() -> Settings:
    """Read the environment; a setting that cannot be used ends the process with one clear line."""
    try:
        return Settings.from_env()
    except SettingsError as error:
        raise SystemExit(f"Error: {error}") from error


def _find_secrets(settings: Settings) -> list[bytes]:
    """Return the installation's secrets, or none where one may be made: there is no database yet.

    Raises:
        ValueError: there is a database, or perhaps one, and no secret.
    """
    if secrets := read_secret_keys(settings.secret_key, settings.instance):
        return secrets
    if is_set_up(settings.database_address):
        raise ValueError(
            f"{settings.instance / FILE_NAME} is missing, and the database was made with it: put it"
            " back, or set UKETSUKE_SECRET_KEY. If it is lost for good, write a new secret of 32"
            " characters or more there and run flask accept-secret."
        )
    return []


@contextmanager
def _exiting_if_unusable() -> Iterator[None]:
    """End the process with one line if a key, folder or driver of the installation is unusable."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SystemExit(f"Error: {error}: install requirements-postgresql.txt too") from error
    except (OSError, ValueError) as error:
        raise SystemExit(f"Error: {error}") from error


def _init_views(app: Flask, settings: Settings) -> None:
    # Before Babel, which makes the environment.
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=select_locale, default_locale="ja")
    app.jinja_env.filters.update(
        markdown=render_markdown, split_unseen=split_unseen, as_line=write_line
    )
    app.jinja_env.globals.update(static_url=static_files.static_url, is_framed=is_framed)
    app.context_processor(
        lambda: {"locale": read_locale(), "language_links": list_language_links()}
    )
    app.context_processor(lambda: {"frame": get_frame()})
    blueprints = [
        cards,
        home,
        organization_pages,
        sitemap,
        static_files,
        registration,
        receipts,
        embed,
        mail_proofs,
        embed_script,
        joining,
        personal,
        api,
        visits,
        health,
        metrics,
    ]
    if settings.is_demo:
        blueprints.append(mailbox)
    for view in blueprints:
        app.register_blueprint(view.bp)
    init_organizer(app)
    init_retries(app)
    init_access_log(app)
    init_bodies(app)
    init_errors(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    # Outermost: who is turned away costs the app nothing.
    app.wsgi_app = Admission(  # type: ignore[method-assign]
        app, app.wsgi_app, waited=WAITED_SECONDS, waiting=WAITING
    )


def _build_zoom_clients(
    settings: Settings, database: Database, cipher: Cipher, clock: Callable[[], datetime]
) -> ZoomClients:
    """Return the factory of clients: two pools for the process, what is shared beside them.

    Half of the threads that serve pages may wait for Zoom; the others serve who registers.
    """
    pool, pool_of_pages = HttpPool(), HttpPool(at_once=_half(settings.web_threads))
    account = ZoomSettings(
        Credentials(settings.zoom_account_id, settings.zoom_client_id, settings.zoom_client_secret),
        Plan(settings.zoom_plan),
        settings.zoom_oauth_url,
    )

    def build(
        credentials: Credentials, plan: Plan, store: TokenStore, pool: HttpPool
    ) -> ZoomClient:
        return ZoomClient(
            credentials,
            token_store=store,
            api_url=settings.zoom_api_url,
            oauth_url=settings.zoom_oauth_url,
            pool=pool,
            budget=SharedBudget(database, credentials.account_id, plan, read_clock=clock),
            now=clock,
        )

    # By the credentials too: as soon as others are stored, a connection has another client.
    @lru_cache(maxsize=CLIENTS)
    def make_client(
        connection_id: int, credentials: Credentials, plan: Plan, pool: HttpPool
    ) -> ZoomClient:
        owner = f"{credentials.account_id}/{credentials.client_id}"
        store = SharedTokenStore(database, connection_id, owner=owner, read_clock=clock)
        return build(credentials, plan, store, pool)

    def connect(connection: ZoomConnection, pool: HttpPool) -> ZoomClient:
        return make_client(connection.id, *choose_credentials(connection, account, cipher), pool)

    return ZoomClients(
        settings=account,
        of_connection=lambda connection: connect(connection, pool),
        of_page=lambda connection: connect(connection, pool_of_pages),
        on_trial=lambda credentials, plan: build(
            credentials, plan, MemoryTokenStore(), pool_of_pages
        ),
    )


def _build_oidc_client(settings: Settings) -> OidcClient:
    rules = HostRules(settings.private_hosts)
    pool = HttpPool(
        size=4,
        max_bytes=OIDC_BYTES,
        rules=rules,
        at_once=_half(settings.web_threads),
    )
    return OidcClient(pool, rules)


def _build_webhook_way(settings: Settings) -> WebhookWay:
    rules = HostRules(settings.webhook_hosts, settings.ports_of_webhooks, takes_http=True)
    return WebhookWay(HttpPool(size=4, max_bytes=WEBHOOK_BYTES, rules=rules), rules)


def _half(threads: int) -> int:
    return max(1, threads // 2)


def _read_clock() -> datetime:
    return datetime.now(UTC)
