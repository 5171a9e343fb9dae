"""Asking for runs: from what people type, or filters, to one tree, and back.

::

    text ── grammar ─┐
                     ├─> conditions ──> model.query tree ──> SQL (registry) or evaluation
    filters ─────────┘        │                   └──> printing ──> text
              fields, literals┘
"""
