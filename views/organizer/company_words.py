"""Why a company's account did not open anything, in words that say what to do."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

_WORDS = {
    "no_company": lazy_gettext(
        "No company sign-in is set up for this address. Use the link that your organization has"
        " given you, or your password"
    ),
    "stale": lazy_gettext(
        "This attempt began in another browser, was used already, or took too long. Please begin"
        " again."
    ),
    "declined": lazy_gettext(
        "Your company's sign-in did not let you in. If you did not stop it yourself, ask your"
        " administrators whether you may use this site."
    ),
    "silent": lazy_gettext("Your company's sign-in did not answer. Please try again in a minute."),
    "not_set_up": lazy_gettext(
        "Your company's sign-in is not set up rightly here. Please tell an owner of your"
        " organization; owners can sign in with their password."
    ),
    "no_address": lazy_gettext(
        "Your company's account says no email address, so nobody knows who was invited. Ask your"
        " administrators to let this site see it."
    ),
    "not_verified": lazy_gettext(
        "Your company's sign-in does not say that your email address is really yours. Ask your"
        " administrators to confirm it there; with Microsoft Entra ID, to add xms_edov to the"
        " app's optional claims."
    ),
    "other_domain": lazy_gettext(
        "Your address is none of those with which people get into this organization. Sign in there"
        " with your company's account, not a private one."
    ),
    "other_account": lazy_gettext(
        "Your address is already linked to another account of your company's sign-in. An owner of"
        " your organization can remove you and invite you again."
    ),
    "not_proven": lazy_gettext(
        "There is an account with your address that nobody has confirmed by mail yet. Set a new"
        " password under “Forgotten your password?” first, and begin again then."
    ),
    "not_invited": lazy_gettext(
        "Nobody has invited you to this organization yet. Ask one of its owners for an invitation."
    ),
    "not_fresh": lazy_gettext(
        "Your company's sign-in did not ask again who you are, or does not say when it did. Confirm"
        " it with your password instead."
    ),
    "somebody_else": lazy_gettext(
        "Another account was signed in there than the one that you use here."
    ),
}
_UNSOUND = lazy_gettext(
    "The answer of your company's sign-in proves nothing, so it was refused. Please begin again; if"
    " it happens again, tell an owner of your organization."
)


def explain(why: str) -> Any:
    """Return the words for one of our own; what only an attack or a broken provider causes has one
    answer.
    """
    return _WORDS.get(why, _UNSOUND)
