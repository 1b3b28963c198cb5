"""Know since when the next look at a series' dates is due

An older version put each look off and never ended it, so all seemed due since the first one.
"""

from __future__ import annotations

from alembic import op


revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.execute(
        "UPDATE job SET due_since = run_at"
        " WHERE kind = 'zoom.dates' AND state = 'ready' AND reason = ''"
    )


def downgrade() -> None:
    pass
