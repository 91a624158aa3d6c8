// V8 asks for each page of its heap at a random address. Scattered like that, a heap of 256 KB pages needs three
// page-table pages for each of them and a table entry for every 4 KB, and fork(2) copies them all. From here on new
// heap pages come one behind the other, at a base that is random still, in memory that may consist of huge pages: one
// entry for 2 MB. Of a huge page that is written to after a fork only the 4 KB around are copied.
#pragma once

namespace mp::fork {

// Once per process, as early as possible: pages that exist stay where they are. Without effect on a Node that hides
// what this needs: forks are slower then, nothing else.
void place_heap_densely();

// In the parent, after a fork: child_process.spawn() then copies no page tables of the heap, as on a Node without this
// library, whose V8 hides its pages itself. They are revealed right before the next fork: see heap_pages.h.
void hide_heap_from_others();

}  // namespace mp::fork
