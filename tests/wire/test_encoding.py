from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
import pytest

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import ComparisonType
from ape_jupyter.model.protocol import AuditEvent
from ape_jupyter.wire.encoding import decode, decode_json, dumps, encode


@dataclass(frozen=True, kw_only=True)
class Part:
    number: int
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    name: str
    kind: ComparisonType
    at: datetime
    parts: tuple[Part, ...] = ()
    table: dict[str, Part] | None = None
    anything: Any = None
    word: Literal["a", "b"] = "a"
    flag: bool = False


WHOLE = Whole(
    name="ünï ✓",
    kind=ComparisonType.OVERLAY,
    at=datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    parts=(Part(number=1, share=0.5), Part(number=-2)),
    table={"x": Part(number=3)},
    anything={"deep": [1, None, "x"]},
)


def test_there_and_back():
    assert decode_json(Whole, dumps(WHOLE)) == WHOLE


def test_encoding():
    assert encode(WHOLE)["at"] == "2026-01-02T03:04:05.000600+00:00"
    assert encode(datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))).startswith(
        "2026-01-01T22:00"
    )
    assert encode([float("nan"), float("inf"), -0.5]) == [None, None, -0.5]
    assert encode({1: date(2026, 1, 2), None: {3, 1}}) == {"1": "2026-01-02", "None": [1, 3]}
    assert encode((np.float64("nan"), np.int64(3), np.bool_(True))) == [None, 3, True]
    assert encode(b"\xff") == "/w=="
    json.loads(dumps({"lone": "\ud800"}).encode("utf-8"))


def test_what_has_no_place_in_a_message():
    with pytest.raises(TypeError):
        encode(object())


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"name": 1}, "body.name should be text, and is 1"),
        ({"name": None}, "body.name should be text"),
        ({"kind": "opinion"}, "one of 'overlay', 'side_by_side', 'difference'"),
        ({"kind": ["overlay"]}, "one of"),
        ({"at": "yesterday"}, "body.at should be a time"),
        ({"parts": "abc"}, "body.parts should be a list"),
        ({"parts": [{"number": 1}, {"number": True}]}, "body.parts[1].number should be a whole"),
        ({"parts": [{"number": 1.0}]}, "body.parts[0].number"),
        ({"parts": [{"number": 1, "share": "x"}]}, "body.parts[0].share should be a number"),
        ({"parts": [{}]}, "body.parts[0] lacks the field 'number'"),
        ({"table": {"k": []}}, "body.table.k should be an object"),
        ({"word": "c"}, "one of 'a', 'b'"),
        ({"flag": 1}, "body.flag should be true or false"),
        ({"colour": "red"}, "body has no field 'colour'"),
        ({"name": {"x": "y" * 500}}, "…"),
    ],
)
def test_strict_decoding(change, part):
    data = {**encode(WHOLE), **change}
    with pytest.raises(InvalidArgumentError) as caught:
        decode(Whole, data)
    assert part in str(caught.value)
    assert len(str(caught.value)) < 300


def test_answers_may_have_more_fields():
    assert decode(Whole, {**encode(WHOLE), "colour": "red"}, unknown="ignore") == WHOLE


def test_whole_numbers_are_numbers_too():
    assert decode(Part, {"number": 1, "share": 1}).share == 1.0
    assert decode(tuple[float, ...] | tuple[str, ...], ["a"]) == ("a",)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 200_000])
def test_no_json(text):
    with pytest.raises(InvalidArgumentError, match="is not JSON"):
        decode_json(Whole, text)


def test_audit_events_keep_their_data():
    event = AuditEvent(event="x", timestamp=None, data={"a": {"b": [1.5]}})
    assert decode(AuditEvent, encode(event)) == event
