"""Let organizers sign in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

fits_code_of = '0006'

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'audit_entry',
        sa.Column('id', _ID, nullable=False),
        sa.Column('chain', _ID, nullable=False),
        sa.Column('number', _ID, nullable=False),
        sa.Column('at', _MOMENT, nullable=False),
        sa.Column('actor', sa.String(length=30), nullable=False),
        sa.Column('action', sa.String(length=40), nullable=False),
        sa.Column('object', sa.String(length=80), nullable=False),
        sa.Column('facts', sa.JSON(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry')),
    )
    op.create_index(
        op.f('ix_audit_entry_chain_action_number'), 'audit_entry', ['chain', 'action', 'number']
    )
    op.create_index(
        op.f('ix_audit_entry_chain_actor_number'), 'audit_entry', ['chain', 'actor', 'number']
    )
    op.create_index(
        op.f('ix_audit_entry_chain_number'), 'audit_entry', ['chain', 'number'], unique=True
    )
    op.create_table(
        'audit_head',
        sa.Column('chain', _ID, autoincrement=False, nullable=False),
        sa.Column('number', _ID, nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint('chain', name=op.f('pk_audit_head')),
    )
    op.create_table(
        'organizer',
        sa.Column('id', _ID, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('email_key', sa.String(length=254), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('locale', sa.String(length=5), nullable=False),
        sa.Column('password_hash', sa.String(length=255), nullable=False),
        sa.Column('totp_secret', sa.LargeBinary(), nullable=True),
        sa.Column('totp_counter', sa.BigInteger(), nullable=False),
        sa.Column('recovery_codes', sa.JSON(), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_organizer')),
        sa.UniqueConstraint('email_key', name=op.f('uq_organizer_email_key')),
        sa.UniqueConstraint('public_id', name=op.f('uq_organizer_public_id')),
    )
    op.create_table(
        'access_link',
        sa.Column('id', _ID, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('purpose', sa.String(length=8), nullable=False),
        sa.Column('organization_id', _ID, nullable=True),
        sa.Column('organizer_id', _ID, nullable=True),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('role', sa.String(length=10), nullable=False),
        sa.Column('event_ids', sa.JSON(), nullable=True),
        sa.Column('locale', sa.String(length=5), nullable=False),
        sa.Column('invited_by', _ID, nullable=True),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('expires_at', _MOMENT, nullable=False),
        sa.Column('used_at', _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ['invited_by'],
            ['organizer.id'],
            name=op.f('fk_access_link_invited_by_organizer'),
            ondelete='SET NULL',
        ),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_access_link_organization_id_organization'),
        ),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_access_link_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_access_link')),
        sa.UniqueConstraint('public_id', name=op.f('uq_access_link_public_id')),
    )
    op.create_index(
        op.f('ix_access_link_organization_id_purpose'),
        'access_link',
        ['organization_id', 'purpose'],
    )
    op.create_index(op.f('ix_access_link_organizer_id'), 'access_link', ['organizer_id'])
    op.create_table(
        'membership',
        sa.Column('id', _ID, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('organization_id', _ID, nullable=False),
        sa.Column('organizer_id', _ID, nullable=False),
        sa.Column('role', sa.String(length=10), nullable=False),
        sa.Column('has_all_events', sa.Boolean(), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_membership_organization_id_organization'),
        ),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_membership_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_membership')),
        sa.UniqueConstraint(
            'organization_id',
            'organizer_id',
            name=op.f('uq_membership_organization_id_organizer_id'),
        ),
        sa.UniqueConstraint('public_id', name=op.f('uq_membership_public_id')),
    )
    op.create_index(op.f('ix_membership_organizer_id'), 'membership', ['organizer_id'])
    op.create_table(
        'organizer_session',
        sa.Column('id', _ID, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('organizer_id', _ID, nullable=False),
        sa.Column('organization_id', _ID, nullable=True),
        sa.Column('device', sa.String(length=100), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('seen_at', _MOMENT, nullable=False),
        sa.Column('proven_at', _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_organizer_session_organization_id_organization'),
        ),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_organizer_session_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_organizer_session')),
        sa.UniqueConstraint('public_id', name=op.f('uq_organizer_session_public_id')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_organizer_session_token_hash')),
    )
    op.create_index(
        op.f('ix_organizer_session_organizer_id'), 'organizer_session', ['organizer_id']
    )
    op.create_table(
        'passkey',
        sa.Column('id', _ID, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('organizer_id', _ID, nullable=False),
        sa.Column('credential_id', sa.LargeBinary(), nullable=False),
        sa.Column('public_key', sa.LargeBinary(), nullable=False),
        sa.Column('sign_count', sa.BigInteger(), nullable=False),
        sa.Column('transports', sa.JSON(), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('used_at', _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_passkey_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
        sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id')),
        sa.UniqueConstraint('public_id', name=op.f('uq_passkey_public_id')),
    )
    op.create_index(op.f('ix_passkey_organizer_id'), 'passkey', ['organizer_id'])
    op.create_table(
        'organizer_mail',
        sa.Column('id', _ID, nullable=False),
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('access_link_id', _ID, nullable=True),
        sa.Column('locale', sa.String(length=5), nullable=False),
        sa.Column('message_id', sa.String(length=120), nullable=False),
        sa.Column('state', sa.String(length=7), nullable=False),
        sa.Column('error', sa.Text(), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('sent_at', _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ['access_link_id'],
            ['access_link.id'],
            name=op.f('fk_organizer_mail_access_link_id_access_link'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_organizer_mail')),
        sa.UniqueConstraint('message_id', name=op.f('uq_organizer_mail_message_id')),
    )
    op.create_index(op.f('ix_organizer_mail_access_link_id'), 'organizer_mail', ['access_link_id'])
    op.create_table(
        'event_access',
        sa.Column('membership_id', _ID, nullable=False),
        sa.Column('event_id', _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_event_access_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['membership_id'],
            ['membership.id'],
            name=op.f('fk_event_access_membership_id_membership'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('membership_id', 'event_id', name=op.f('pk_event_access')),
    )


def downgrade() -> None:
    for table in (
        'event_access',
        'organizer_mail',
        'passkey',
        'organizer_session',
        'membership',
        'access_link',
        'organizer',
        'audit_head',
        'audit_entry',
    ):
        op.drop_table(table)
