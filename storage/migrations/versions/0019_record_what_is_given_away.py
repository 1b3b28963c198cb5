"""Record what is given to third parties"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'provision',
        sa.Column('id', KEY, nullable=False),
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('question_id', sa.String(length=32), nullable=False),
        sa.Column('recipient', sa.String(length=200), nullable=False),
        sa.Column('items', sa.JSON(), nullable=False),
        sa.Column('people', sa.Integer(), nullable=False),
        sa.Column('author', sa.String(length=22), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_provision_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_provision')),
    )
    op.create_index(op.f('ix_provision_event_id'), 'provision', ['event_id'])
    op.create_table(
        'provided_person',
        sa.Column('provision_id', KEY, nullable=False),
        sa.Column('registration_id', KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ['provision_id'],
            ['provision.id'],
            name=op.f('fk_provided_person_provision_id_provision'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['registration_id'],
            ['registration.id'],
            name=op.f('fk_provided_person_registration_id_registration'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint(
            'provision_id', 'registration_id', name=op.f('pk_provided_person')
        ),
    )
    op.create_index(
        op.f('ix_provided_person_registration_id'), 'provided_person', ['registration_id']
    )


def downgrade() -> None:
    op.drop_table('provided_person')
    op.drop_table('provision')
