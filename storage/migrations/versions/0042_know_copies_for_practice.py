"""Know copies that were restored for practice"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.create_table(
        'rehearsal',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_rehearsal')),
    )


def downgrade() -> None:
    op.drop_table('rehearsal')
