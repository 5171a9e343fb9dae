"""A million searches of hostile and careless text: each has a meaning or a helpful error.

    python -m benchmarks.search_fuzz [--count 1000000] [--seed 1] [--cap-ms 250]

Every search that is understood must survive printing and parsing. The first one that breaks
a rule is shown, and the command fails. The cap is on CPU time, which neighbours do not change.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.services.search.fields import FLAGS, field_names
from ape_jupyter.services.search.grammar import MAX_CHARACTERS, parse
from ape_jupyter.services.search.printing import query_text

WORDS = [
    *('"', '"', "“", "”", "(", ")", "((", "-", "--", " ", " ", "  ", ",", ", ", ":", "<", ">", "="),
    *(
        "!=",
        ">=",
        ":<",
        "..",
        "..<",
        "*",
        ".",
        "\\",
        '\\"',
        "'",
        "&",
        "|",
        "%",
        "\t",
        "\n",
        "$",
        "{",
    ),
    *("AND", "OR", "NOT", "and", "10k", "1.5M", "2026-01", "2026-13", "30d", "1y", "5%", "1e999"),
    *("protocol.", "protocol.x", "parameters.a.b", "nhs/site", "treat", "sim_20260101-x", "眼科"),
    *("\u00ad", "e\u0301", "ß", "\u200b", "\U0001f600", "\x00", "\ud800", "\u037a", "İ", "ﬁ"),
    *("drop table", "'; --", "__import__('os')", "{{x}}", "<script>", "../..", "%00", "$where"),
    *("name:x", "tag:nhs,b", "n_patients:1..2", "created:<30d", "is:pinned", "-has:costs"),
    *(flag.name for flag in FLAGS),
    *field_names(),
]
# What makes careless parsers slow: long runs of one thing, and deep nesting.
LONG = [
    *("(", ")", "-", "a ", "a:", '"', '""', "\\", "a,", "tag:a,", "a.b.", " ", "( a OR ", "NOT "),
    *(
        "a" * 50,
        "1",
        "..",
        "e\u0301",
        "a=",
        "x<",
        "protocol.a",
        "(a (b OR ",
        '"\\',
        "AND ",
        "眼",
        "İ",
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cap-ms", type=float, default=250.0)
    options = parser.parse_args()
    source = random.Random(options.seed)
    parse("x")  # building the parser is not part of any search
    outcomes: Counter[str] = Counter()
    slowest, slowest_text, total = 0.0, "", 0.0
    for number in range(options.count):
        text = _text(source)
        started = time.thread_time()
        try:
            tree = parse(text)
        except QuerySyntaxError as error:
            outcome = "error"
            is_fine = 0 <= error.position <= len(text) and bool(error.hint)
        except Exception as error:  # noqa: BLE001 - any other is what this looks for
            sys.exit(f"Search {number} raised {error!r}:\n{text!r}")
        else:
            outcome = "understood"
            printed = query_text(tree)  # long names for short ones can make it too long
            is_fine = len(printed) > MAX_CHARACTERS or parse(printed) == tree
        # With printing and parsing again, an upper bound.
        took = time.thread_time() - started
        outcomes[outcome] += 1
        total += took
        if took > slowest:
            slowest, slowest_text = took, text
        if not is_fine or took * 1000 > options.cap_ms:
            sys.exit(f"Search {number} broke a rule after {took * 1000:.1f} ms:\n{text!r}")
    result = {
        "searches": options.count,
        **outcomes,
        "mean_ms": round(total / options.count * 1000, 3),
        "slowest_ms": round(slowest * 1000, 1),
        "slowest_begins": slowest_text[:60],
    }
    print(json.dumps(result, indent=2, ensure_ascii=True))


def _text(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.80:
        return "".join(source.choices(WORDS, k=source.randint(1, 14)))
    if kind < 0.90:
        return " ".join(source.choices(WORDS, k=source.randint(1, 14)))
    if kind < 0.997:
        return "".join(chr(source.randrange(0x2FF)) for _ in range(source.randint(0, 40)))
    piece = source.choice(LONG)
    middle = "".join(source.choices(WORDS, k=3))
    count = source.randint(1, MAX_CHARACTERS // len(piece))
    return piece * count + middle + source.choice(LONG) * source.randint(0, 20)


if __name__ == "__main__":
    main()
