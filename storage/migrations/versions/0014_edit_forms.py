"""Keep a working copy of an event's form, and who has edited a version"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

fits_code_of = '0013'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'form_draft',
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('questions', sa.JSON(), nullable=False),
        sa.Column('former', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('author', sa.String(length=22), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_form_draft_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('event_id', name=op.f('pk_form_draft')),
    )
    op.add_column(
        'form_version',
        sa.Column('author', sa.String(length=22), server_default='', nullable=False),
    )


def downgrade() -> None:
    op.drop_column('form_version', 'author')
    op.drop_table('form_draft')
