"""Know when Zoom was last asked to take somebody, and when it last refused somebody"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    last_attempt_at = sa.Column('last_attempt_at', sa.DateTime(timezone=True), nullable=True)
    op.add_column('zoom_registrant', last_attempt_at)
    op.add_column('event', sa.Column('refused_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'refused_at')
    op.drop_column('zoom_registrant', 'last_attempt_at')
