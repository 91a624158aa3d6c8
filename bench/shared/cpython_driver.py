"""One contender of bench/shared: a round of the case per line of input, answered with microseconds per operation."""
import json
import sys
import time
from multiprocessing import Array, Manager, Value
from multiprocessing.shared_memory import SharedMemory

ELEMENTS = 1_000_000
FEW = 2_000


def timed(count, body):
    start = time.perf_counter()
    body(count)
    return (time.perf_counter() - start) * 1e6 / count


def memory():
    def body(count):
        for _ in range(count):
            one = SharedMemory(create=True, size=4096)
            SharedMemory(one.name).close()
            one.close()
            one.unlink()
    return lambda: timed(1000, body)


def value_add():
    value = Value('i', 0)

    def body(count):
        for _ in range(count):
            with value.get_lock():
                value.value += 1
    return lambda: timed(20_000, body)


def array_sum(elements=ELEMENTS):
    array = Array('d', elements)

    def body(count):
        total = 0.0
        for _ in range(count // elements):
            for element in array.get_obj():
                total += element
    return lambda: timed(ELEMENTS, body)


def array_fill(elements=ELEMENTS):
    array = Array('d', elements).get_obj()

    def body(count):
        for _ in range(count // elements):
            for index in range(elements):
                array[index] = index
    return lambda: timed(ELEMENTS, body)


def manager_dict():
    manager = Manager()
    values = manager.dict()

    def body(count):
        for index in range(count):
            values['key'] = index
            values['key']
    body.manager = manager
    return lambda: timed(1000, body)


CASES = {
    'SharedMemory create+open+close+unlink': memory,
    'Value add': value_add,
    'Value += 1 under its lock': value_add,
    'SharedArray sum, element': array_sum,
    'SharedArray fill, element': array_fill,
    'SharedArray of 16 KiB sum, element': lambda: array_sum(FEW),
    'SharedArray of 16 KiB fill, element': lambda: array_fill(FEW),
    'Manager dict set+get, one after the other': manager_dict,
    'Manager dict set+get, 100 at a time': manager_dict,
}

if __name__ == '__main__':
    answer = CASES[sys.argv[1]]()
    print('{}', flush=True)
    for _ in sys.stdin:
        print(json.dumps(answer()), flush=True)
