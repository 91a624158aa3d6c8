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


def passes_until(lock, end):
    done = 0
    while time.monotonic_ns() < end:
        passes(lock, 100)
        done += 100
    return done


def contend(lock, ready, theirs):
    ready.release()
    theirs.value = passes_until(lock, time.monotonic_ns() + n * 1_000_000)


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


def contended():  # n is milliseconds
    lock, ready = context.Lock(), context.Semaphore(0)
    theirs = context.RawValue('q', 0)
    child = context.Process(target=contend, args=(lock, ready, theirs))
    child.start()
    ready.acquire()
    start = time.monotonic_ns()
    ours = passes_until(lock, start + n * 1_000_000)
    child.join()
    return (time.monotonic_ns() - start) / (ours + theirs.value)


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
