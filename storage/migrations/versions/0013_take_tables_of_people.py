"""Take tables of people: the file, its rows, and what became of each"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'people_import',
        sa.Column('id', KEY, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('file_name', sa.String(length=200), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('problem', sa.String(length=20), nullable=False),
        sa.Column('headings', sa.JSON(), nullable=False),
        sa.Column('columns', sa.JSON(), nullable=False),
        sa.Column('basis', sa.String(length=200), nullable=False),
        sa.Column('locale', sa.String(length=5), nullable=False),
        sa.Column('words_locale', sa.String(length=5), nullable=False),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_people_import_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_people_import')),
        sa.UniqueConstraint('public_id', name=op.f('uq_people_import_public_id')),
    )
    op.create_index('ix_people_import_event_id', 'people_import', ['event_id'])
    create_part('file', sa.Column('content', sa.LargeBinary(), nullable=False), key=())
    create_part(
        'row',
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('cells', sa.JSON(), nullable=False),
        sa.Column('result', sa.String(length=10), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        key=('position',),
    )


def downgrade() -> None:
    for name in ('people_import_row', 'people_import_file', 'people_import'):
        op.drop_table(name)


def create_part(name: str, *columns: sa.Column, key: tuple[str, ...]) -> None:
    op.create_table(
        f'people_import_{name}',
        sa.Column('import_id', KEY, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ['import_id'],
            ['people_import.id'],
            name=op.f(f'fk_people_import_{name}_import_id_people_import'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('import_id', *key, name=op.f(f'pk_people_import_{name}')),
    )
