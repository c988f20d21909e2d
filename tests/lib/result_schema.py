#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Does a result.json have what docs/measures.md promises? Usage: result_schema.py FILE..."""
import json
import sys

number = (int, float)
maybe_number = (int, float, type(None))
VERDICTS = {"pass", "fail", "invalid", "skipped", "error", "known-defect"}

PHASE = {"name": str, "start_ms": maybe_number, "duration_ms": maybe_number, "bound_min_ms": maybe_number,
         "bound_max_ms": maybe_number, "inside": (bool, type(None))}
WRITES = {name: (int, type(None)) for name in ("attempted", "acknowledged", "failed", "unknown", "lost", "unexpected", "duplicated")}
FAULT = {"target": str, "mechanism": str, "verified": bool, "asked_ms": maybe_number, "effective_ms": maybe_number}
CONTENTS = {"node": str, "read": bool, "leader": bool, "rows": (int, type(None)), "only_here": (int, type(None)),
            "absent": (int, type(None)), "duplicates": (int, type(None)), "foreign": (int, type(None)), "missing": (int, type(None)),
            "lsn": (str, type(None)), "diverged": bool}
DEFECT = {"id": str, "software": str, "versions": str, "version": (str, type(None)), "affected": bool, "seen": bool,
          "seen_ms": maybe_number, "explains": str, "reference": str}
RECORD = {"sealed": bool, "complete": bool, "live": bool, "text": str, "bytes": int, "sha256": str, "missing": list}
HOLE = {"source": str, "node": (str, type(None)), "from_ms": number, "to_ms": number}
EXPECTATION = {"kind": str, "text": str, "ok": (bool, type(None)), "watched": (dict, type(None))}
BOUNDS = {"min_ms": number, "max_ms": number, "error_ms": number}
RESULT = {
    "scenario": str, "seed": (int, str), "verdict": str, "reason": str, "write_outage_ms": maybe_number,
    "recovery_ms": maybe_number, "resolution_ms": maybe_number, "phases": list, "writes": dict,
    "split_brain_ms": maybe_number, "record": dict, "availability": dict, "fault": (dict, type(None)), "versions": dict, "host": dict,
    "contents": list, "standby_ahead": list, "known_defects": list, "diverged_nodes": (int, type(None)),
    "holes": list, "expectations": list,
}


def complaints(where, value, schema):
    if not isinstance(value, dict):
        return [f"{where}: an object was expected, not {value!r}"]
    found = []
    for key, kind in schema.items():
        if key not in value:
            found.append(f"{where}.{key}: missing")
        elif not isinstance(value[key], kind) or (isinstance(value[key], bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))):
            found.append(f"{where}.{key}: {value[key]!r} has the wrong type")
    return found


def check(result):
    found = complaints("result", result, RESULT)
    if found:
        return found
    if result["verdict"] not in VERDICTS:
        found.append(f"result.verdict: {result['verdict']!r} is none of {sorted(VERDICTS)}")
    for i, phase in enumerate(result["phases"]):
        found += complaints(f"phases[{i}]", phase, PHASE)
    for i, node in enumerate(result["contents"]):
        found += complaints(f"contents[{i}]", node, CONTENTS)
    for i, hole in enumerate(result["holes"]):
        found += complaints(f"holes[{i}]", hole, HOLE)
    for i, expectation in enumerate(result["expectations"]):
        found += complaints(f"expectations[{i}]", expectation, EXPECTATION)
        if expectation.get("bounds") is not None:
            found += complaints(f"expectations[{i}].bounds", expectation["bounds"], BOUNDS)
    for i, defect in enumerate(result["known_defects"]):
        found += complaints(f"known_defects[{i}]", defect, DEFECT)
    found += complaints("record", result["record"], RECORD)
    found += complaints("writes", result["writes"], WRITES)
    if result["fault"] is not None:
        found += complaints("fault", result["fault"], FAULT)
    for key in ("write", "read"):
        share = result["availability"].get(key, "missing")
        if share is not None and not (isinstance(share, number) and 0 <= share <= 100):
            found.append(f"availability.{key}: {share!r} is no percentage")
    return found


def main():
    bad = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for complaint in check(json.load(file)):
                print(f"{path}: {complaint}")
                bad += 1
    return 1 if bad or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
