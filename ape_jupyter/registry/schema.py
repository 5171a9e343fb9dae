"""The tables of the registry."""

from __future__ import annotations

import sqlalchemy as sa

from ape_jupyter.model.listing import INDEXED_ORDERS

__all__ = [
    "DATABASE_VERSION",
    "INTEGER",
    "TEXT",
    "documents",
    "event_log",
    "events",
    "library_state",
    "metadata",
    "outcomes",
    "recent_searches",
    "saved_searches",
    "simulations",
    "tag_details",
    "tags",
    "tombstones",
]

DATABASE_VERSION = 5

metadata = sa.MetaData()

# Both databases are to sort text by code points, and to hold integers of 64 bits.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

# One row: the version of this schema, and a counter that grows with every change, by which
# clients learn whether what they show is still true.
library_state = sa.Table(
    "library_state",
    metadata,
    sa.Column("id", INTEGER, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("database_version", INTEGER, nullable=False),
    sa.Column("revision", INTEGER, nullable=False),
)

simulations = sa.Table(
    "simulations",
    metadata,
    sa.Column("sim_id", TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    # Times are ISO 8601 in UTC with microseconds: text of equal length sorts as time does.
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("registered_at", TEXT, nullable=False),
    sa.Column("last_accessed", TEXT),
    sa.Column("access_count", INTEGER, nullable=False),
    sa.Column("n_patients", INTEGER, nullable=False),
    sa.Column("n_patients_requested", INTEGER, nullable=False),
    sa.Column("n_patients_without_visits", INTEGER, nullable=False),
    sa.Column("n_visits", INTEGER, nullable=False),
    sa.Column("duration_years", sa.Float, nullable=False),
    sa.Column("start_date", TEXT, nullable=False),
    sa.Column("protocol_name", TEXT, nullable=False),
    sa.Column("protocol_version", TEXT, nullable=False),
    sa.Column("protocol_digest", TEXT, nullable=False),
    sa.Column("engine_type", TEXT, nullable=False),
    sa.Column("model_type", TEXT),
    sa.Column("seed", INTEGER),
    sa.Column("runtime_seconds", sa.Float),
    sa.Column("file_size_mb", sa.Float, nullable=False),
    sa.Column("checksum", TEXT, nullable=False, index=True),
    sa.Column("notes", TEXT, nullable=False),
    sa.Column("owner", TEXT, nullable=False),
    sa.Column("visibility", TEXT, nullable=False),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("is_pinned", sa.Boolean, nullable=False),
    sa.Column("revision", INTEGER, nullable=False),
    sa.Column("schema_version", TEXT, nullable=False),
    sa.Column("parent", TEXT),
    sa.Column("has_costs", sa.Boolean, nullable=False),
    sa.Column("has_resources", sa.Boolean, nullable=False),
    sa.Column("mean_final_vision", sa.Float),
    sa.Column("total_injections", INTEGER, nullable=False),
    sa.Column("discontinuation_rate", sa.Float),
    # Since when the run is in the trash; None when it is not.
    sa.Column("trashed_at", TEXT),
    # By which searches know a run: sets of small numbers are made and met much faster than
    # sets of texts. Given by the writer that adds the run.
    sa.Column("number", INTEGER),
    sa.Index("simulations_by_status_and_creation", "status", "created_at", "sim_id", "number"),
    # A narrow copy of what searches compare: most answers need not read the runs themselves.
    sa.Index(
        "simulations_by_number",
        *("number", "status", "created_at", "n_patients", "n_visits", "duration_years"),
        *("file_size_mb", "engine_type", "source", "is_pinned", "has_costs", "has_resources"),
        *("mean_final_vision", "total_injections", "discontinuation_rate", "sim_id"),
    ),
    # In each order that a list can have, its first page is read and nothing sorted. Sizes go
    # together: in the order of one, who looks for another may have to go far.
    *(
        sa.Index(
            f"simulations_by_{column}",
            *dict.fromkeys(
                (column, "sim_id", "status", "number", "n_patients", "n_visits", "duration_years")
            ),
        )
        for column in INDEXED_ORDERS
    ),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("sim_id", sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"), primary_key=True),
    # Case-folded: one run can not carry both "NHS" and "nhs".
    sa.Column("tag_key", TEXT, primary_key=True),
    sa.Column("tag", TEXT, nullable=False),
    # The number of the run.
    sa.Column("number", INTEGER),
    sa.Index("tags_by_key", "tag_key", "number"),
)

# What is known of a tag whichever runs carry it, and when none does.
tag_details = sa.Table(
    "tag_details",
    metadata,
    sa.Column("tag_key", TEXT, primary_key=True),
    sa.Column("colour", TEXT, nullable=False),
)

saved_searches = sa.Table(
    "saved_searches",
    metadata,
    sa.Column("owner", TEXT, primary_key=True),
    # Case-folded, like the keys of tags.
    sa.Column("name_key", TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("search", sa.JSON, nullable=False),
    sa.Column("is_shared", sa.Boolean, nullable=False),
    sa.Column("saved_at", TEXT, nullable=False),
)

recent_searches = sa.Table(
    "recent_searches",
    metadata,
    sa.Column("owner", TEXT, primary_key=True),
    # sha256 of the search: a long one would not fit into an index of PostgreSQL.
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("search", sa.JSON, nullable=False),
    sa.Column("searched_at", TEXT, nullable=False),
    sa.Index("recent_searches_by_age", "owner", "searched_at"),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("sim_id", sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", TEXT, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)

# What happened, in order. Runs that are gone keep their history, hence no foreign key.
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("sim_id", TEXT),
    sa.Column("timestamp", TEXT, nullable=False),
    sa.Column("user_id", TEXT, nullable=False),
    # JSON as text: its hash must come out the same after any number of years.
    sa.Column("data", TEXT, nullable=False),
    # sha256 over the hash before and the content of this row.
    sa.Column("hash", TEXT, nullable=False),
    sa.Index("events_by_run", "sim_id", "seq"),
)

# One row: both ends of the log. They outlive the events that were forgotten.
event_log = sa.Table(
    "event_log",
    metadata,
    sa.Column("id", INTEGER, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("forgotten_seq", INTEGER, nullable=False),
    sa.Column("forgotten_hash", TEXT, nullable=False),
    sa.Column("last_seq", INTEGER, nullable=False),
    sa.Column("last_hash", TEXT, nullable=False),
)

# What became of requests that carried a key: one whose reply was lost is asked again, and
# must not be done again.
outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("fingerprint", TEXT, nullable=False),
    sa.Column("done_at", TEXT, nullable=False),
    sa.Column("runs", sa.JSON, nullable=False),
    sa.Index("outcomes_by_age", "done_at"),
)

# Purged runs of which files may still be there.
tombstones = sa.Table(
    "tombstones",
    metadata,
    sa.Column("sim_id", TEXT, primary_key=True),
    sa.Column("checksum", TEXT, primary_key=True),
)
