"""Keep dates where Zoom refuses further ones"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('zoom_registrant', sa.Column('kept_dates', sa.JSON(), nullable=True))
    op.add_column('zoom_registrant', sa.Column('refused_dates', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('zoom_registrant', 'refused_dates')
    op.drop_column('zoom_registrant', 'kept_dates')
