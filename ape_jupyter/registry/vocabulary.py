"""The part of a registry that knows which words, values and parameters its index has."""

from __future__ import annotations

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.registry import reading
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.search import LISTED
from ape_jupyter.registry.search_index import vocabulary

__all__ = ["WithVocabulary"]


class WithVocabulary:
    """Tells what could be searched for; see ``Registry``."""

    _database: Connector
    # To read all words of a large library takes longer than a search; until a run changes,
    # they are the same.
    _words: tuple[int, dict[str, int]] = (-1, {})

    def words(self) -> dict[str, int]:
        """Return the words of letters that texts have, also in the trash; not to be changed."""
        with self._database.read() as connection:
            revision = reading.revision(connection)
            known = self._words
            if known[0] != revision:
                known = self._words = revision, vocabulary.words(connection)
            return known[1]

    def search_index_problem(self) -> str | None:
        """Return what is wrong with the index that searches are answered from; None if nothing."""
        with self._database.read() as connection:
            if not vocabulary.has_all_runs(connection):
                return "The search index does not have all runs."
        try:
            with self._database.write() as connection:
                vocabulary.check_words(connection)
        except CorruptedDataError:
            return "The words of the search index are not those of the runs."
        return None

    def values(self, field: str, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Return values of a text field, or tags, that begin so, and how many runs have each."""
        with self._database.read() as connection:
            return vocabulary.values_like(connection, LISTED, field, prefix, limit)

    def parameter_paths(self, prefix: str, limit: int) -> list[str]:
        """Return paths of parameters that begin so."""
        with self._database.read() as connection:
            return vocabulary.parameter_paths_like(connection, LISTED, prefix, limit)
