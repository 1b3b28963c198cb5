"""QR codes of addresses, as pictures for the screen and for print."""

from __future__ import annotations

from io import BytesIO

import segno

QUIET_ZONE = 4
"""Modules of white around it, as ISO/IEC 18004 wants them."""

PNG_SCALE = 20


def draw_qr_svg(address: str) -> bytes:
    """Draw black on white, whatever the page's colours: many readers know no other."""
    return _draw(address, "svg", scale=10, svgclass=None, lineclass=None, xmldecl=False)


def draw_qr_png(address: str) -> bytes:
    return _draw(address, "png", scale=PNG_SCALE)


def _draw(address: str, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(buffer, kind=kind, border=QUIET_ZONE, dark="#000", light="#fff", **options)
    return buffer.getvalue()
