"""What every view needs: the parts that `create_app` has put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from flask import Request, current_app, g, request

from config import Settings
from forms.registration import RegistrationForm
from oidc_client import OidcClient
from outbound import HostRules, HttpPool
from services.event_views import EventView
from services.form_tokens import FormTokens
from services.keys import KeyRing
from services.links import Links
from services.proofs_of_work import ProofsOfWork
from services.submission_limits import Tallies
from services.tokens import TokenSigner
from services.zoom_connections import ZoomSettings
from storage.ciphers import Cipher
from storage.events import EventHead
from storage.models import ZoomConnection
from storage.session import Database
from zoom_client import Credentials, Plan, ZoomClient

from .card_shelf import Cards
from .first_looks import FirstLooks
from .kept_pages import Kept, KeptPages
from .visit_counts import NetworkTally, VisitCounter


@dataclass(frozen=True)
class ZoomClients:
    """Where clients of Zoom come from.

    `of_connection` is for what is stored, `of_page` the same while somebody waits at a page,
    `on_trial` for credentials that somebody has just typed: such a client shares its token with
    nobody. The last two ask with few at once.
    """

    settings: ZoomSettings
    of_connection: Callable[[ZoomConnection], ZoomClient]
    of_page: Callable[[ZoomConnection], ZoomClient]
    on_trial: Callable[[Credentials, Plan], ZoomClient]


@dataclass(frozen=True)
class WebhookWay:
    """How webhooks go out, and where they may go."""

    pool: HttpPool
    rules: HostRules


@dataclass(frozen=True)
class Site:
    """The parts of one running site; `read_clock` returns the time, aware.

    `secret_is_new` says that this process has made the secret: nothing can depend on it yet.
    What is drawn for everybody alike is kept; `frame_origins` are those that were listed last, by
    the addresses of frames.
    """

    settings: Settings
    database: Database
    cipher: Cipher
    keys: KeyRing
    signer: TokenSigner
    form_tokens: FormTokens
    proofs_of_work: ProofsOfWork
    links: Links
    zoom: ZoomClients
    oidc: OidcClient
    webhooks: WebhookWay
    read_clock: Callable[[], datetime]
    visits: VisitCounter
    secret_is_new: bool = False
    forms: KeptPages = field(default_factory=KeptPages)
    framed_forms: KeptPages = field(default_factory=KeptPages)
    lists: KeptPages = field(default_factory=KeptPages)
    sitemaps: Kept[bytes] = field(default_factory=lambda: Kept(1))
    receipts: KeptPages = field(default_factory=KeptPages)
    first_looks: FirstLooks = field(default_factory=FirstLooks)
    proof_pages: KeptPages = field(default_factory=KeptPages)
    form_classes: Kept[type[RegistrationForm]] = field(default_factory=Kept)
    cards: Cards = field(default_factory=Cards)
    event_views: Kept[EventView] = field(default_factory=Kept)
    networks: NetworkTally = field(default_factory=NetworkTally)
    tallies: Tallies = field(default_factory=Tallies)
    event_heads: Kept[EventHead | None] = field(default_factory=Kept)
    frame_origins: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def make_zoom_client(self, connection: ZoomConnection) -> ZoomClient:
        """Return the client of a connection, as its row says now."""
        return self.zoom.of_connection(connection)


def get_site() -> Site:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return cast(Site, app.extensions["site"])


def get_request() -> Request:
    """Return this request itself: through Flask's proxy each look at it takes five times as long.

    For what every visitor needs; elsewhere the proxy reads better.
    """
    return cast(Request, request._get_current_object())  # type: ignore[attr-defined]


def get_notes() -> Any:
    """Return Flask's `g` itself, as `get_request` does."""
    return g._get_current_object()
