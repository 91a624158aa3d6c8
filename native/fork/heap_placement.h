// V8 asks for each page of its heap at a random address. Scattered like that, a heap of 256 KB pages needs three page-table pages
// for each of them, and fork(2), which copies page tables, takes 2.3 times as long as for the same memory in one place
// (256 MB: 24 ms instead of 11). From here on new pages are asked for one behind the other, at a base that is random still.
#pragma once

namespace mp::fork {

// Once per process, as early as possible: pages that exist stay where they are. Without effect on a Node that hides what
// this needs: forks are slower then, nothing else.
void place_heap_densely();

}  // namespace mp::fork
