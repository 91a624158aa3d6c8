# python3 cpython_driver.py KIND Pool|ProcessPoolExecutor: one round of a kind per line of input.
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

MAP, CHUNK1, APPLY, BUFFER, CPU, PRIMES = 1_000_000, 30_000, 2_000, 100, 16, 40_000


def echo(x):
    return x


def primes(n):
    return sum(all(c % f for f in range(2, int(c**0.5) + 1)) for c in range(2, n))


def main():
    kind, which = sys.argv[1:]
    multiprocessing.set_start_method("fork")
    if which == "Pool":
        pool = multiprocessing.Pool(2)
    else:
        pool = ProcessPoolExecutor(2)
    numbers = list(range(MAP))
    few = numbers[:CHUNK1]
    data = bytes(2**20)

    def apply(value, count):
        for _ in range(count):
            pool.apply(echo, (value,)) if which == "Pool" else pool.submit(echo, value).result()

    def start():
        with multiprocessing.Pool(8) as other:
            other.map(echo, range(8))
            return time.perf_counter()

    kinds = {
        "map": (MAP, lambda: pool.map(echo, numbers)),
        "chunk1": (CHUNK1, lambda: list(pool.map(echo, few, chunksize=1))),
        "imap": (CHUNK1, lambda: [None for _ in pool.imap(echo, few)]),
        "apply": (APPLY, lambda: apply(1, APPLY)),
        "buffer": (BUFFER, lambda: apply(data, BUFFER)),
        "cpu": (CPU, lambda: pool.map(primes, [PRIMES] * CPU, chunksize=1)),
        "start": (1, start),
    }
    count, run = kinds[kind]
    print("{}", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        end = run()
        seconds = (end if kind == "start" else time.perf_counter()) - began
        print(json.dumps({"seconds": seconds, "count": count}), flush=True)


if __name__ == "__main__":
    main()
