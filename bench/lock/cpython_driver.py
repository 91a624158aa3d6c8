# multiprocessing.Lock, by the line: pair, contended, handover. Each round prints nanoseconds per operation.
import multiprocessing
import sys
import time

context = multiprocessing.get_context('fork')
mode, n = sys.argv[1], int(sys.argv[2])


def passes(lock, n):
    acquire, release = lock.acquire, lock.release
    for _ in range(n):
        acquire()
        release()


def contend(lock, ready):
    ready.release()
    passes(lock, n)


def answer(a, b, ready):
    ready.release()
    for _ in range(n):
        a.acquire()
        b.release()


def pair():
    lock = context.Lock()
    start = time.monotonic_ns()
    passes(lock, n)
    return (time.monotonic_ns() - start) / n


def contended():
    lock, ready = context.Lock(), context.Semaphore(0)
    child = context.Process(target=contend, args=(lock, ready))
    child.start()
    ready.acquire()
    start = time.monotonic_ns()
    passes(lock, n)
    child.join()
    return (time.monotonic_ns() - start) / n / 2


def handover():
    a, b, ready = context.Lock(), context.Lock(), context.Semaphore(0)
    a.acquire()
    b.acquire()
    child = context.Process(target=answer, args=(a, b, ready))
    child.start()
    ready.acquire()
    start = time.monotonic_ns()
    for _ in range(n):
        a.release()
        b.acquire()
    child.join()
    return (time.monotonic_ns() - start) / n / 2


print('{}', flush=True)
for _ in sys.stdin:
    print({'pair': pair, 'contended': contended, 'handover': handover}[mode](), flush=True)
