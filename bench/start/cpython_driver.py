"""One round per line of input: start a Process with an empty target, join it."""

import json
import multiprocessing
import sys
import time


def nothing():
    pass


def private_mb():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("RssAnon")).split()[1]) >> 10


def main():
    context = multiprocessing.get_context(sys.argv[1])
    size = int(sys.argv[2]) << 20
    # About 150 bytes an object: a tuple of an integer and a string.
    live = [(i, "item %d" % i) for i in range(size // 150)]
    print(json.dumps({"privateMB": private_mb()}), flush=True)
    for _ in sys.stdin:
        begin = time.monotonic()
        process = context.Process(target=nothing)
        process.start()
        process.join()
        print((time.monotonic() - begin) * 1e3, flush=True)
    del live


if __name__ == "__main__":
    main()
