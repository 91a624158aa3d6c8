"""One case of bench/scale, so many items a round, as node_driver.mjs has it.
   python3 cpython_driver.py children|locks|segments COUNT"""
import json
import multiprocessing
import os
import sys
import time
from multiprocessing.shared_memory import SharedMemory

context = multiprocessing.get_context('fork')
mode, n = sys.argv[1], int(sys.argv[2])


def wait_for_end(read_end, write_end):
    os.close(write_end)
    os.read(read_end, 1)


def children():  # milliseconds
    read_end, write_end = os.pipe()
    began = time.perf_counter()
    processes = [context.Process(target=wait_for_end, args=(read_end, write_end)) for _ in range(n)]
    for process in processes:
        process.start()
    live = time.perf_counter()
    os.close(write_end)
    for process in processes:
        process.join()
    ended = time.perf_counter()
    for process in processes:
        process.close()
    os.close(read_end)
    return {'started': (live - began) * 1e3 / n, 'ended': (ended - live) * 1e3 / n}


def locks():  # nanoseconds
    began = time.perf_counter()
    all_of_them = [context.Lock() for _ in range(n)]
    for lock in all_of_them:
        lock.acquire()
        lock.release()
    del lock, all_of_them
    return (time.perf_counter() - began) * 1e9 / n


def segments():  # microseconds
    began = time.perf_counter()
    all_of_them = [SharedMemory(create=True, size=4096) for _ in range(n)]
    for one in all_of_them:
        one.buf[0] = 1
    for one in all_of_them:
        one.close()
        one.unlink()
    return (time.perf_counter() - began) * 1e6 / n


print('{}', flush=True)
for _ in sys.stdin:
    print(json.dumps({'children': children, 'locks': locks, 'segments': segments}[mode]()), flush=True)
