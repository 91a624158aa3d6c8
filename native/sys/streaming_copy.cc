#include "sys/streaming_copy.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mp::sys {

#if defined(__SSE2__)

namespace {

constexpr size_t kLine = 64;

void stream_line(uint8_t* to, const uint8_t* from) {
  const auto* source = reinterpret_cast<const __m128i*>(from);
  auto* target = reinterpret_cast<__m128i*>(to);
  const __m128i a = _mm_loadu_si128(source);
  const __m128i b = _mm_loadu_si128(source + 1);
  const __m128i c = _mm_loadu_si128(source + 2);
  const __m128i d = _mm_loadu_si128(source + 3);
  _mm_stream_si128(target, a);
  _mm_stream_si128(target + 1, b);
  _mm_stream_si128(target + 2, c);
  _mm_stream_si128(target + 3, d);
}

}  // namespace

void streaming_copy(uint8_t* to, const uint8_t* from, size_t size) {
  const size_t past_line = reinterpret_cast<uintptr_t>(to) % kLine;
  const size_t head = std::min(size, past_line == 0 ? 0 : kLine - past_line);
  if (head > 0) std::memcpy(to, from, head);
  size_t at = head;
  for (; size - at >= kLine; at += kLine) stream_line(to + at, from + at);
  if (at < size) std::memcpy(to + at, from + at, size - at);
  _mm_sfence();  // these stores keep no order otherwise
}

#else

void streaming_copy(uint8_t* to, const uint8_t* from, size_t size) {
  if (size > 0) std::memcpy(to, from, size);
}

#endif

}  // namespace mp::sys
