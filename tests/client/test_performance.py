"""What a suggestion of a server does in the process that asked for it."""

from __future__ import annotations

import os

import pytest

from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.errors import ServerUnavailableError
from ape_jupyter.library.suggestion import Suggestion
from ape_jupyter.model.performance import Advice, SuggestionKind


@pytest.fixture
def library():
    with RemoteLibrary("http://127.0.0.1:9/", "a token of nobody") as library:
        yield library


def suggestion(library, pid):
    advice = Advice(
        suggestion_id="drop_copies-1",
        kind=SuggestionKind.DROP_COPIES,
        sim_id=None,
        sentence="Drop the pandas copies.",
        evidence={"pid": pid},
        saves_mb=1000.0,
        saves_seconds=None,
    )
    return Suggestion(advice, library._apply)


def test_own_copies_are_dropped_here_and_no_server_is_asked(library):
    found = suggestion(library, os.getpid())
    assert (str(found), found.saves_mb) == ("Drop the pandas copies.", 1000)
    assert "given back" in str(found.apply())


def test_all_else_is_for_the_server(library):
    with pytest.raises(ServerUnavailableError):
        suggestion(library, os.getppid()).apply()
