"""What was measured on which machine: docs/benchmark/NAME.json, and the table of them in README and docs/benchmark.md.

`python benchmarks/machines.py keep NAME BENCHMARK.json.. [--peers BENCH.json] [--about TEXT]` takes what `diptych
benchmark --json` and `benchmarks/bench.py --json` wrote into docs/benchmark/NAME.json; `python benchmarks/machines.py`
writes the tables again.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench_table import limits, ratio, rival, speed_of
from contestants import contestants

from diptych.panel import NAMES

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "benchmark"
PAGES = ("README.md", "README.ko.md", "docs/benchmark.md", "docs/ko/benchmark.md")
TASKS = ("training", "greedy", "beam 5")
ATTENTIONS = ("general", "additive")
PEERS = {"opennmt": "OpenNMT-py"}
HEADS = {
    "en": ("processor, 2 threads", "", *TASKS, "training, multiple of OpenNMT-py"),
    "ko": ("프로세서, 스레드 2개", "", "학습", "그리디 탐색", "빔 서치(5)", "학습, OpenNMT-py 대비(배)"),
}
MARKS = re.compile(r"(<!-- machines: benchmarks/machines.py writes this -->\n).*?(<!-- end -->)", re.DOTALL)

Values = Mapping[str, Any]


def main() -> None:
    """Keep a machine's results, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keep", nargs="*", metavar="keep NAME BENCHMARK.json..")
    parser.add_argument("--peers", type=Path, help="what benchmarks/bench.py --json wrote")
    parser.add_argument("--about", default="", help="what else a reader has to know of these figures")
    arguments = parser.parse_args()
    if arguments.keep:
        _, name, *paths = arguments.keep
        reports = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
        peers = json.loads(arguments.peers.read_text(encoding="utf-8")) if arguments.peers else None
        kept = json.dumps(summary(name, reports, peers, arguments.about), indent=1)
        (KEPT / f"{name.lower().replace(' ', '-')}.json").write_text(kept + "\n", encoding="utf-8")
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        path.write_text(with_table(text, table(machines(), "ko" if ".ko" in page or "/ko/" in page else "en")), "utf-8")


def summary(name: str, reports: Sequence[Values], peers: Values | None, about: str) -> dict[str, Any]:
    """A machine's results: of each panel, attention and task in float32, and how many times a peer's speed."""
    where = reports[0]["environment"]
    results: dict[str, Any] = {}
    for each in (each for report in reports for each in report["benchmarks"] if each["precision"] == "float32"):
        found = {"speed": round(each["speed"]["median"]), "unit": each["unit"]}
        found["percent_of_limit"] = each["percent_of_machine"] and round(each["percent_of_machine"])
        found["percent_in_system"] = round(each["percent_in_system"], 1)
        found |= {"kernels": list(each["choices"].values())} if each["task"] == "training" else {}
        results.setdefault(each["backend"], {}).setdefault(each["attention"], {})[each["task"]] = found
    kept = {
        "machine": name,
        **{key: where[key] for key in ("processor", "processor_family", "threads", "peak_gflops_per_second")},
        "date": where["time"][:10],
        "packages": where["packages"],
        "about": about,
        "results": results,
    }
    return kept | ({"peers": against(peers)} if peers else {})


def against(peers: Values) -> dict[str, Any]:
    """From `bench.py`: everybody's training in float32, its share of the limit, and ours as multiples of each peer."""
    every = [each for each in contestants([]) if each.precision == "float32"]
    rounds = peers["rounds"]["train"]
    at_most = limits(every, rounds)
    found: dict[str, Any] = {}
    for each in every:
        if speeds := [speed_of(turn[each.key]) for turn in rounds if each.key in turn]:
            row: dict[str, Any] = {"tokens_per_second": round(max(speeds))}
            row["percent_of_limit"] = round(100 * max(speeds) / at_most[each.attention, "float32"])
            for peer in PEERS:
                times = ratio(rounds, each.key, rival(every, each, peer), speed_of)
                row |= {f"times_{peer}": round(times, 2)} if times else {}
            found.setdefault(each.name, {})[each.attention] = row
    return found


def machines() -> list[Values]:
    """What is kept, the newest first."""
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in KEPT.glob("*.json")]
    return sorted(kept, key=lambda each: (each["date"], each["machine"]), reverse=True)


def table(kept: Sequence[Values], language: str = "en") -> str:
    """Markdown: a row for each machine and panel; general / additive attention, shares of the limit, see `share`."""
    lines = [f"| {' | '.join(HEADS[language])} |", "|---" * len(HEADS[language]) + "|"]
    for machine in kept:
        peak = machine["peak_gflops_per_second"].get("float32")
        about = f"{machine['machine']} ({machine['processor_family']}), {peak:,.0f} GFLOP/s, {machine['date']}"
        for backend, by_attention in machine["results"].items():
            shares = [
                pair([share(by_attention.get(attention, {}).get(task, {})) for attention in ATTENTIONS])
                for task in TASKS
            ]
            peers = machine.get("peers", {}).get(backend, {})
            times = [number(peers.get(attention, {}).get("times_opennmt")) for attention in ATTENTIONS]
            if {*shares, pair(times)} == {"–"}:
                continue  # ONNX Runtime, whose products cannot be timed by themselves
            cells = [about, NAMES[backend], *(f"{each} %" if each != "–" else each for each in shares), pair(times)]
            lines.append(f"| {' | '.join(cells)} |")
            about = ""
    return "\n".join(lines) + "\n"


def share(result: Values) -> str:
    """The share of the machine's limit; with a star, where only that of the framework's own products was measured."""
    own = result.get("percent_of_own_ceiling")
    return number(result.get("percent_of_limit")) if own is None else f"{number(own)}*"


def number(value: float | None) -> str:
    """A number, or a dash where it is not known."""
    return "–" if value is None else f"{value:g}"


def pair(values: Sequence[str]) -> str:
    """Two values, or a dash where neither is known."""
    return " / ".join(values) if set(values) != {"–"} else "–"


def with_table(text: str, written: str) -> str:
    """A page with this table between its marks."""
    return MARKS.sub(lambda found: found[1] + "\n" + written + "\n" + found[2], text)


if __name__ == "__main__":
    main()
