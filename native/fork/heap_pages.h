// V8's pages are marked MADV_DONTFORK since nodejs/node PR 48523 (2023): a child would have no JavaScript heap.
#pragma once

#include "sys/result.h"

namespace mp::fork {

// Marks every private anonymous mapping MADV_DOFORK. New V8 pages are born hidden, so this precedes each fork.
sys::Status reveal_heap_to_children();

}  // namespace mp::fork
