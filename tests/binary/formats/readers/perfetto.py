"""Checks a file against the rules of the Trace Event Format: python3 perfetto.py FILE

Every slice nests in its track, every flow has one beginning and one end, each inside a slice, in order of time,
and every process and track has a name. Prints what it counted as JSON.
"""

import json
import sys
from collections import defaultdict
from decimal import Decimal


def main(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file, parse_float=Decimal, parse_int=Decimal)
    events = document["traceEvents"]
    slices, flows, named, used = defaultdict(list), defaultdict(list), set(), set()
    instants = 0
    for event in events:
        track = (event["pid"], event["tid"])
        phase = event["ph"]
        if phase == "M":
            named.add((event["name"], track))
            continue
        used.add(track)
        assert event["ts"] >= 0, event
        if phase == "X":
            assert event["dur"] >= 0, event
            slices[track].append((event["ts"], event["ts"] + event["dur"]))
        elif phase == "i":
            assert event["s"] in ("t", "p", "g"), event
            instants += 1
        elif phase in ("s", "f"):
            flows[(event["cat"], event["name"], event["id"])].append((phase, event["ts"], track, event.get("bp")))
        else:
            raise AssertionError(f"no such phase: {event}")

    for track, list_ in slices.items():
        open_ = []
        for start, end in sorted(list_, key=lambda slice_: (slice_[0], -slice_[1])):
            while open_ and open_[-1] <= start:
                open_.pop()
            assert not open_ or end <= open_[-1], f"slices of {track} cross at {start}"
            open_.append(end)

    for flow, ends in flows.items():
        assert [phase for phase, *_ in ends] == ["s", "f"], f"flow {flow} is not a pair: {ends}"
        (_, sent, _, _), (_, received, _, binding) = ends
        assert sent <= received and binding == "e", f"flow {flow} runs back"
        for _, time, track, _ in ends:
            assert any(start <= time <= end for start, end in slices[track]), f"flow {flow} ends outside of a slice"

    for pid, tid in used:
        assert ("process_name", (pid, 0)) in named and ("thread_name", (pid, tid)) in named, (pid, tid)
    print(json.dumps({"slices": sum(map(len, slices.values())), "flows": len(flows), "instants": instants}))


main(sys.argv[1])
