"""Say which code fits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'schema_fit',
        sa.Column('oldest_revision', sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint('oldest_revision', name=op.f('pk_schema_fit')),
    )


def downgrade() -> None:
    op.drop_table('schema_fit')
