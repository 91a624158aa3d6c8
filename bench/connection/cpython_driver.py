"""The same over CPython's Pipe.   python3 cpython_driver.py duplex|oneway pingpong|stream SIZE"""
import json
import multiprocessing as mp
import sys
import time

duplex, ping, size = sys.argv[1] == 'duplex', sys.argv[2] == 'pingpong', int(sys.argv[3])
count = 10_000 if ping else 50_000 if size <= 64 else int(256e6 / size)
value = b'\7' * size
mp.set_start_method('fork')
if duplex:
    here, peer = mp.Pipe()
    there, in_, back, answers = here, peer, peer, here
else:
    in_, there = mp.Pipe(duplex=False)
    answers, back = mp.Pipe(duplex=False)


def serve():
    while True:
        for _ in range(count):
            in_.recv_bytes()
            if ping:
                back.send_bytes(value)
        if not ping:
            back.send_bytes(b'1')


mp.Process(target=serve, daemon=True).start()
print('{}', flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    for _ in range(count):
        there.send_bytes(value)
        if ping:
            answers.recv_bytes()
    if not ping:
        answers.recv_bytes()
    print(json.dumps({'seconds': time.perf_counter() - began, 'count': count}), flush=True)
