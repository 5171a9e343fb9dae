"""The tables of the registry."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["DATABASE_VERSION", "documents", "library_state", "metadata", "simulations", "tags"]

DATABASE_VERSION = 1

metadata = sa.MetaData()

# One row: the version of this schema, and a counter that grows with every change, by which
# clients learn whether what they show is still true.
library_state = sa.Table(
    "library_state",
    metadata,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("database_version", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)

simulations = sa.Table(
    "simulations",
    metadata,
    sa.Column("sim_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # Times are ISO 8601 in UTC with microseconds: text of equal length sorts as time does.
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("registered_at", sa.Text, nullable=False),
    sa.Column("last_accessed", sa.Text),
    sa.Column("access_count", sa.Integer, nullable=False),
    sa.Column("n_patients", sa.Integer, nullable=False),
    sa.Column("n_patients_requested", sa.Integer, nullable=False),
    sa.Column("n_patients_without_visits", sa.Integer, nullable=False),
    sa.Column("n_visits", sa.Integer, nullable=False),
    sa.Column("duration_years", sa.Float, nullable=False),
    sa.Column("start_date", sa.Text, nullable=False),
    sa.Column("protocol_name", sa.Text, nullable=False),
    sa.Column("protocol_version", sa.Text, nullable=False),
    sa.Column("protocol_digest", sa.Text, nullable=False),
    sa.Column("engine_type", sa.Text, nullable=False),
    sa.Column("model_type", sa.Text),
    sa.Column("seed", sa.Integer),
    sa.Column("runtime_seconds", sa.Float),
    sa.Column("file_size_mb", sa.Float, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False, index=True),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("is_pinned", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("schema_version", sa.Text, nullable=False),
    sa.Column("parent", sa.Text),
    sa.Column("has_costs", sa.Boolean, nullable=False),
    sa.Column("has_resources", sa.Boolean, nullable=False),
    sa.Column("mean_final_vision", sa.Float),
    sa.Column("total_injections", sa.Integer, nullable=False),
    sa.Column("discontinuation_rate", sa.Float),
    # Case-folded text of everything that words are searched in, tags included.
    sa.Column("search_text", sa.Text, nullable=False),
    sa.Index("simulations_by_status_and_creation", "status", "created_at", "sim_id"),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("sim_id", sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"), primary_key=True),
    # Case-folded: one run can not carry both "NHS" and "nhs".
    sa.Column("tag_key", sa.Text, primary_key=True),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Index("tags_by_key", "tag_key", "sim_id"),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("sim_id", sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)
