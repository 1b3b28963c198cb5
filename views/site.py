"""What every view needs: the parts that `create_app` has put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from flask import current_app

from config import Settings
from forms.registration import RegistrationForm
from services.event_views import EventView
from services.form_tokens import FormTokens
from services.keys import KeyRing
from services.links import Links
from services.tokens import TokenSigner
from storage.models import ZoomConnection
from storage.session import Database
from zoom_client import ZoomClient

from .kept_pages import Kept, KeptPages


@dataclass(frozen=True)
class Site:
    """The parts of one running site; `read_clock` returns the time, aware.

    `secret_is_new` says that this process has made the secret: nothing can depend on it yet.
    What is drawn for everybody alike is kept. Pages whose address has campaign tags are kept apart:
    the tags are the visitor's to choose, and must not push out the plain page.
    """

    settings: Settings
    database: Database
    keys: KeyRing
    signer: TokenSigner
    form_tokens: FormTokens
    links: Links
    make_zoom_client: Callable[[ZoomConnection], ZoomClient]
    read_clock: Callable[[], datetime]
    secret_is_new: bool = False
    plain_pages: KeptPages = field(default_factory=KeptPages)
    tagged_pages: KeptPages = field(default_factory=KeptPages)
    receipts: KeptPages = field(default_factory=KeptPages)
    form_classes: Kept[type[RegistrationForm]] = field(default_factory=Kept)
    event_views: Kept[EventView] = field(default_factory=Kept)


def get_site() -> Site:
    return cast(Site, current_app.extensions["site"])
