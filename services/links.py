"""Addresses of our own pages that carry a token."""

from __future__ import annotations

from typing import Protocol

from .tokens import Purpose, TokenSigner


class _Linked(Protocol):
    """A registration row, as far as links are concerned."""

    @property
    def public_id(self) -> str: ...
    @property
    def link_version(self) -> int: ...


class _Receipted(Protocol):
    """The row of a submission, or of a link of one use, as far as addresses are concerned."""

    @property
    def public_id(self) -> str: ...


class Links:
    """Makes absolute addresses; `base_url` has no slash at its end.

    The screen's join link belongs to the submission whose receipt shows it, the mail's to the
    registration: so a link from a mail is told from one that was read on a screen.
    """

    def __init__(self, base_url: str, signer: TokenSigner) -> None:
        self.base_url = base_url
        self._signer = signer

    def event(self, slug: str) -> str:
        return f"{self.base_url}/e/{slug}"

    def access(self, link: _Receipted) -> str:
        """Return the address at which an organizer's link of one use opens."""
        token = self._signer.make(Purpose.ACCESS, link.public_id)
        return f"{self.base_url}/organizer/enter/{token}"

    def receipt(self, submission: _Receipted) -> str:
        return f"{self.base_url}/s/{self.receipt_token(submission)}"

    def receipt_token(self, submission: _Receipted) -> str:
        return self._signer.make(Purpose.RECEIPT, submission.public_id)

    def mail_proof(self, submission: _Receipted) -> str:
        """Return the address, for a mail alone, at which a submission that waits is registered."""
        return f"{self.base_url}/v/{self._signer.make(Purpose.PROOF, submission.public_id)}"

    def join_from_screen(self, submission: _Receipted, registration: _Linked) -> str:
        return f"{self.base_url}/j/{self._screen(Purpose.JOIN_SCREEN, submission, registration)}"

    def join_from_mail(self, registration: _Linked) -> str:
        return f"{self.base_url}/j/{self._mail(Purpose.JOIN_MAIL, registration)}"

    def personal_from_screen(self, submission: _Receipted, registration: _Linked) -> str:
        token = self._screen(Purpose.PERSONAL_SCREEN, submission, registration)
        return f"{self.base_url}/r/{token}"

    def personal_from_mail(self, registration: _Linked) -> str:
        return f"{self.base_url}/r/{self._mail(Purpose.PERSONAL_MAIL, registration)}"

    def _screen(self, purpose: Purpose, submission: _Receipted, registration: _Linked) -> str:
        return self._signer.make(purpose, submission.public_id, registration.link_version)

    def _mail(self, purpose: Purpose, registration: _Linked) -> str:
        return self._signer.make(purpose, registration.public_id, registration.link_version)
