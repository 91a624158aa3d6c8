# The same in CPython: python3 cpython_driver.py <MB> [--freeze]
import gc
import json
import os
import sys


def private_mb():
    kilobytes = 0
    with open("/proc/self/smaps_rollup") as lines:
        for line in lines:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def load(megabytes):
    records = []
    before = private_mb()
    while private_mb() - before < megabytes:
        for _ in range(10_000):
            i = len(records)
            records.append({"id": i, "name": f"user {i}", "tags": [i % 7, i % 11, f"t{i % 100}"], "nested": {"half": i * 1.5, "when": i}})
    return records


def read_all(records):
    total = 0
    for record in records:
        total += record["id"] + len(record["name"]) + int(record["nested"]["half"]) + record["nested"]["when"]
        for tag in record["tags"]:
            total += ord(tag[0]) if isinstance(tag, str) else tag
    return total


before = private_mb()
records = load(int(sys.argv[1]))
read_all(records)
if "--freeze" in sys.argv:
    gc.collect()
    gc.freeze()
heap = private_mb() - before
receiver, sender = os.pipe()
child = os.fork()
if child == 0:
    figures = {"start": private_mb()}
    read_all(records)
    figures["read"] = private_mb()
    gc.collect()
    figures["collected"] = private_mb()
    os.write(sender, json.dumps(figures).encode())
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps({"heapMB": heap, **json.loads(os.read(receiver, 4096))}))
