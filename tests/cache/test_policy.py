"""Which runs leave the cache: properties that hold for any cache whatever."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.cache.policy import CachedRun, choose_victims

NOW = 1_800_000_000.0


def run(digest: str = "a", **changes: object) -> CachedRun:
    made = CachedRun(digest=digest, size_bytes=100, last_used=NOW - 60, rebuild_seconds=1.0)
    return replace(made, **changes)  # type: ignore[arg-type]


@st.composite
def caches(draw: st.DrawFn) -> list[CachedRun]:
    digests = draw(st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=12))
    return [
        CachedRun(
            digest=digest,
            size_bytes=draw(st.integers(0, 10**10)),
            # Clocks are set back, and disks come from other machines.
            last_used=NOW - draw(st.floats(-1e6, 1e9)),
            rebuild_seconds=draw(st.floats(0, 1e4)),
            is_exempt=draw(st.booleans()),
        )
        for digest in digests
    ]


def size(runs: object) -> int:
    return sum(item.size_bytes for item in runs)  # type: ignore[attr-defined]


LIMITS = st.integers(-(10**9), 10**11)


@given(caches(), LIMITS)
def test_what_stays_fits_or_could_not_go(runs: list[CachedRun], limit: int) -> None:
    victims = choose_victims(runs, limit, now=NOW)
    staying = [item for item in runs if item not in victims]
    assert size(staying) <= limit or all(item.is_exempt or not item.size_bytes for item in staying)


@given(caches(), LIMITS)
def test_no_run_goes_that_could_stay(runs: list[CachedRun], limit: int) -> None:
    victims = choose_victims(runs, limit, now=NOW)
    remaining = size(runs) - size(victims)
    assert not any(item.is_exempt for item in victims)
    assert len(set(victims)) == len(victims)
    for victim in victims:
        assert remaining + victim.size_bytes > limit


@given(caches(), LIMITS, st.randoms(use_true_random=False))
def test_the_order_of_a_directory_does_not_matter(
    runs: list[CachedRun], limit: int, random: object
) -> None:
    shuffled = list(runs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose_victims(runs, limit, now=NOW) == choose_victims(shuffled, limit, now=NOW)


@given(st.lists(st.floats(0, 1e8), min_size=2, max_size=10, unique=True), st.integers(0, 1000))
def test_equal_runs_go_by_last_use(ages: list[float], limit: int) -> None:
    runs = [run(str(number), last_used=NOW - age) for number, age in enumerate(ages)]
    victims = choose_victims(runs, limit, now=NOW)
    staying = [item for item in runs if item not in victims]
    if victims and staying:
        newest_victim = max(item.last_used for item in victims)
        assert newest_victim <= min(item.last_used for item in staying)


def test_what_is_dear_to_rebuild_stays_longer() -> None:
    cheap, dear = run("cheap", rebuild_seconds=1.0), run("dear", rebuild_seconds=30.0)
    assert choose_victims([cheap, dear], 100, now=NOW) == (cheap,)
    older = replace(dear, last_used=NOW - 6000)
    assert choose_victims([cheap, older], 100, now=NOW) == (older,)


def test_of_what_is_equally_old_the_large_goes() -> None:
    small, large = run("small", size_bytes=10), run("large", size_bytes=1000)
    assert choose_victims([small, large], 500, now=NOW) == (large,)
