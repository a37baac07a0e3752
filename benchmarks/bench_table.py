"""The tables of the benchmark: training and decoding, and how many times each is as fast as each peer."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from contestant import Contestant

from diptych.benchmark.machine import Fastest, merge, seconds

Round = dict[str, dict[str, Any]]
"""What each contestant of a round was measured to do, by its key."""

AGAINST = ("opennmt", "joey", "keras_fit", "textbook_tensorflow", "textbook_pytorch")
HEADS = ("/OpenNMT", "/Joey", "/Keras", "/TF loop", "/PT loop")


def speed_of(result: dict[str, Any]) -> float:
    """Target tokens a second in training: the median of a turn's blocks."""
    return statistics.median(result["training"]["target_tokens_per_second"])


def rate_of(result: dict[str, Any], search: str, unit: str) -> float | None:
    """Sentences or emitted target tokens a second; None if it has no such search."""
    found = result["decoding"].get(search)
    return found[unit] / found["seconds"] if found else None


def ratio(
    rounds: Sequence[Round], ours: str, theirs: str, speed: Callable[[dict[str, Any]], float | None]
) -> float | None:
    """How many times as fast, round by round: the median of those rounds in which both were measured."""
    found = []
    for turns in rounds:
        if ours in turns and theirs in turns:
            speeds = speed(turns[ours]), speed(turns[theirs])
            if all(speeds):
                found.append(speeds[0] / speeds[1])  # type: ignore[operator]
    return statistics.median(found) if found else None


def rival(contestants: Sequence[Contestant], contestant: Contestant, name: str) -> str:
    """The key of a peer: with the same attention if it has it, else with the one that it has."""
    same = [each for each in contestants if each.name == name]
    best = [each for each in same if each.attention == contestant.attention] or same
    return best[0].key if best else ""


def limits(contestants: Sequence[Contestant], rounds: Sequence[Round]) -> dict[tuple[str, str], float]:
    """By attention and precision, the target tokens a second that the products alone would take on this machine.

    Each product by the fastest kernel that any of ours has: the same limit for everybody.
    """
    found: dict[tuple[str, str], float] = {}
    for attention, precision in dict.fromkeys((each.attention, each.precision) for each in contestants):
        keys = [each.key for each in contestants if (each.attention, each.precision) == (attention, precision)]
        ceilings = [turn[key]["ceiling"] for turn in rounds for key in keys if "ceiling" in turn.get(key, {})]
        fastest: Fastest = {}
        for ceiling in ceilings:
            merge(fastest, ceiling["products"])
        if ceilings:
            found[attention, precision] = ceilings[0]["target_tokens"] / seconds(ceilings[0]["products"], fastest)
    return found


def peak(rounds: Sequence[Round]) -> float:
    """The GFLOP/s of the fastest product that was timed; 0 where none was."""
    ceilings = [result["ceiling"] for turn in rounds for result in turn.values() if "ceiling" in result]
    return max((each["gflops_per_second"] for ceiling in ceilings for each in ceiling["products"]), default=0.0)


def training_table(contestants: Sequence[Contestant], rounds: Sequence[Round]) -> list[str]:
    """Lines: speeds, the share of the limit, the system's share of the processors' time, memory, ratios."""
    heads = "".join(f"{head:>9}" for head in HEADS)
    columns = f"{'tokens/s':>9}{'range':>16}{'limit':>7}{'system':>8}{'MB':>7}"
    lines = [f"{'training':<20}{'attention':<10}{'precision':<10}{columns}{heads}"]
    at_most = limits(contestants, rounds)
    for contestant in contestants:
        turns = [turn[contestant.key] for turn in rounds if contestant.key in turn]
        if turns:
            blocks = [speed for turn in turns for speed in turn["training"]["target_tokens_per_second"]]
            spread = f"{min(blocks):,.0f}-{max(blocks):,.0f}"
            memory = max(turn["peak_rss_bytes"] for turn in turns) / 1e6
            ratios = [ratio(rounds, contestant.key, rival(contestants, contestant, name), speed_of) for name in AGAINST]
            limit = at_most.get((contestant.attention, contestant.precision))
            share = f"{100 * statistics.median(blocks) / limit:.0f} %" if limit else "-"
            user, system = (sum(turn[f"{mode}_seconds"] for turn in turns) for mode in ("user", "system"))
            lines.append(
                f"{contestant.title:<20}{contestant.attention:<10}{contestant.precision:<10}"
                f"{statistics.median(blocks):>9,.0f}{spread:>16}{share:>7}{100 * system / (user + system):>6.1f} %"
                f"{memory:>7,.0f}{''.join(map(times, ratios))}"
            )
    return lines


def decoding_table(contestants: Sequence[Contestant], rounds: Sequence[Round]) -> list[str]:
    """Lines: seconds for 1,000 sentences, emitted tokens a second, and ratios to OpenNMT-py of the same search."""
    parts = [f"{search + ' s/1000':>14}{'tokens/s':>10}{'/sent.':>8}{'/token':>8}" for search in ("greedy", "beam5")]
    lines = [f"{'decoding':<20}{'attention':<10}{'MB':>7}{''.join(parts)}   ratios to OpenNMT-py"]
    for contestant in contestants:
        turns = [turn[contestant.key] for turn in rounds if contestant.key in turn]
        if turns:
            memory = max(turn["peak_rss_bytes"] for turn in turns) / 1e6
            line = f"{contestant.title:<20}{contestant.attention:<10}{memory:>7,.0f}"
            opennmt = rival(contestants, contestant, "opennmt")
            for search in ("greedy", "beam5"):
                sentences, tokens = (
                    [rate_of(turn, search, unit) for turn in turns] for unit in ("sentences", "target_tokens")
                )
                if None in sentences:
                    line += f"{'-':>14}{'-':>10}{'-':>8}{'-':>8}"
                    continue
                line += f"{1000 / statistics.median(sentences):>14.2f}{statistics.median(tokens):>10,.0f}"  # type: ignore[type-var]
                for unit in ("sentences", "target_tokens"):
                    found = ratio(rounds, contestant.key, opennmt, lambda turn, s=search, u=unit: rate_of(turn, s, u))
                    line += times(found, 8)
            lines.append(line)
    return lines


def times(value: float | None, width: int = 9) -> str:
    """A ratio, to three digits."""
    if value is None:
        return f"{'-':>{width}}"
    return f"{value:>{width}.1f}" if value >= 10 else f"{value:>{width}.2f}"
