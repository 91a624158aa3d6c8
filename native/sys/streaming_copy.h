// memcpy(3) of memory that will not be read soon by who writes it: past the caches, which keep what they have. Where
// another process reads it, or nobody does for megabytes to come, this takes half the time, as no line has to be
// fetched to be overwritten.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mp::sys {

// What is written is visible to whoever sees a later store of this thread.
void streaming_copy(uint8_t* to, const uint8_t* from, size_t size);

}  // namespace mp::sys
