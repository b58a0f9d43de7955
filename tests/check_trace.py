#!/usr/bin/env python3
"""Checks that a file of `mlpdist train --trace` is complete and follows the Trace Event Format.

Usage: check_trace.py FILE RANKS THREADS STEPS PHASE...

Every rank has THREADS threads, each named and with events; rank 0's first STEPS steps are there once; every PHASE is
a category of some event.
"""
import collections
import json
import sys


def nanoseconds(event, key):
    value = event[key]
    assert isinstance(value, (int, float)) and not isinstance(value, bool), f"{key} of {event}"
    return round(value * 1000)


def check_nesting(events, where):
    """On one thread events lie apart or one within the other; a reader takes them in the order of the file."""
    open_ends = []
    last = None
    for event in events:
        begin, end = nanoseconds(event, "ts"), nanoseconds(event, "ts") + nanoseconds(event, "dur")
        assert end >= begin, f"{where}: a negative duration: {event}"
        assert last is None or begin >= last, f"{where}: out of order: {event}"
        last = begin
        while open_ends and open_ends[-1] <= begin:
            open_ends.pop()
        assert not open_ends or end <= open_ends[-1], f"{where}: overlaps the one before: {event}"
        open_ends.append(end)


def main():
    path, ranks, threads, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    phases = sys.argv[5:]
    with open(path, encoding="ascii") as file:
        trace = json.load(file)
    assert trace["otherData"]["ranks"] == ranks
    assert trace["otherData"]["events_lost"] == 0
    assert trace["otherData"]["clock_error_us"] >= 0
    names, tracks = {}, collections.defaultdict(list)
    for event in trace["traceEvents"]:
        assert isinstance(event["name"], str) and event["name"], event
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int), event
        if event["ph"] == "M":
            names[event["name"], event["pid"], event["tid"]] = event["args"]
            continue
        assert event["ph"] == "X", event
        assert event["cat"] and isinstance(event["args"]["step"], int), event
        tracks[event["pid"], event["tid"]].append(event)
    for (pid, tid), events in tracks.items():
        check_nesting(events, f"rank {pid}, thread {tid}")
        assert names["thread_name", pid, tid]["name"], f"rank {pid}, thread {tid} has no name"
    assert {pid for pid, _ in tracks} == set(range(ranks)), "other ranks"
    for rank in range(ranks):
        assert names["process_name", rank, 0]["name"].startswith(f"rank {rank} on "), "no process name"
        for thread in range(threads):
            assert names["thread_name", rank, thread]["name"] == f"thread {thread}"
            assert tracks[rank, thread], f"rank {rank}, thread {thread} did nothing"
        done = [event["args"]["step"] for event in tracks[rank, 0] if event["cat"] == "step"]
        assert done == list(range(done[0], done[0] + steps)), f"rank {rank}: steps {done}"
        check_ranks_together(tracks, rank, trace["otherData"]["clock_error_us"])
    seen = {event["cat"] for events in tracks.values() for event in events}
    for phase in phases:
        assert phase in seen, f"no {phase}; there are {sorted(seen)}"


def check_ranks_together(tracks, rank, error):
    """Between ranks a step ends, when the clocks are aligned, after all have begun it: it sums over all."""
    begins = {event["args"]["step"]: event["ts"] for event in tracks[rank, 0] if event["cat"] == "step"}
    for event in tracks[0, 0]:
        if event["cat"] == "step":
            late = begins[event["args"]["step"]] - (event["ts"] + event["dur"])
            assert late <= 2 * error, f"rank {rank} begins step {event['args']['step']} {late} us after it is done"


main()
