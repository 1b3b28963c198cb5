"""Keep what an organization sets for itself: zone, language, Zoom's plan"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

fits_code_of = '0009'


def upgrade() -> None:
    with op.batch_alter_table('organization') as table:
        table.add_column(
            sa.Column('timezone', sa.String(length=50), nullable=False, server_default='Asia/Tokyo')
        )
        table.add_column(
            sa.Column('default_locale', sa.String(length=5), nullable=False, server_default='ja')
        )
        table.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
    op.add_column(
        'zoom_connection',
        sa.Column('plan', sa.String(length=10), nullable=False, server_default=''),
    )


def downgrade() -> None:
    op.drop_column('zoom_connection', 'plan')
    with op.batch_alter_table('organization') as table:
        table.drop_column('version')
        table.drop_column('default_locale')
        table.drop_column('timezone')
