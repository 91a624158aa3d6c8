"""The same values through CPython's queues and pipes. A round per line of input.
   python3 cpython_driver.py KIND PRODUCERS CONSUMERS Queue|SimpleQueue|Pipe"""
import json
import multiprocessing as mp
import sys
import time

kind, producers, consumers, what = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if kind == 'string64':
    value, count = 'x' * 64, 20_000
elif kind == 'object':
    value, count = {'id': 4711, 'name': 'a small object', 'tags': ['red', 'green']}, 20_000
else:
    value = b'\7' * int(kind)
    count = max(16, min(5_000, 256_000_000 // int(kind)))


class PipeQueue:
    def __init__(self):
        self.receiver, self.sender = mp.Pipe(duplex=False)
        self.put, self.get = self.sender.send, self.receiver.recv


def produce(queue, start):
    while True:
        for _ in range(start.get()):
            queue.put(value)


def consume(queue, go, done):
    while True:
        go.get()
        for _ in range(count // consumers):
            queue.get()
        done.put(1)


mp.set_start_method('fork')
small = kind in ('string64', 'object')
queue = mp.Queue(4096 if small else 4) if what == 'Queue' else mp.SimpleQueue() if what == 'SimpleQueue' else PipeQueue()
start, go, done = mp.SimpleQueue(), mp.SimpleQueue(), mp.SimpleQueue()
for _ in range(producers):
    mp.Process(target=produce, args=(queue, start), daemon=True).start()
for _ in range(consumers):
    mp.Process(target=consume, args=(queue, go, done), daemon=True).start()
print('{}', flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    for _ in range(consumers):
        go.put(1)
    for _ in range(producers):
        start.put(count // producers)
    for _ in range(consumers):
        done.get()
    print(json.dumps({'seconds': time.perf_counter() - began, 'count': count}), flush=True)
