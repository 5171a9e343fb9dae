from __future__ import annotations

import pytest

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.wire.searches import decode_search, encode_search


def test_there_and_back():
    request = SearchRequest(
        query="a b: ü",
        filters=(("tag", ("x:y", "z")), ("seed", ("1", "2")), ("has_costs", ("true",))),
        sort_by="name",
        descending=False,
        limit=7,
        cursor="abc=",
    )
    assert decode_search(encode_search(request)) == request
    assert decode_search(encode_search(SearchRequest())) == SearchRequest()
    assert decode_search([]) == SearchRequest()


def test_values_of_filters_become_text():
    request = SearchRequest(filters=(("seed", (1,)), ("has_costs", (True,)), ("n", (2.0, 2.5))))
    assert [value for name, value in encode_search(request) if name == "filter"] == [
        "seed:1",
        "has_costs:true",
        "n:2.0",
        "n:2.5",
    ]


@pytest.mark.parametrize(
    "pairs",
    [
        [("filter", "x")],
        [("limit", "x")],
        [("descending", "x")],
        [("query", "a"), ("query", "b")],
    ],
)
def test_refuses(pairs):
    with pytest.raises(InvalidArgumentError):
        decode_search(pairs)


def test_other_parameters_are_for_others():
    assert decode_search([("no_track_activity", "1"), ("_", "123")]) == SearchRequest()
