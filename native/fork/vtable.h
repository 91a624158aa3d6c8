// Slot numbers of virtual functions, from pointers-to-member at compile time.
#pragma once

#include <cstddef>
#include <cstring>

namespace mp::fork {

// Itanium C++ ABI 2.3: a pointer to a virtual member function holds its table offset, plus 1 on x86-64; AArch64 moves
// that flag to the adjustment.
template <typename Member>
size_t slot_of(Member member) {
  ptrdiff_t raw[2];
  static_assert(sizeof(member) == sizeof(raw));
  std::memcpy(raw, &member, sizeof(raw));
#if defined(__aarch64__)
  return raw[0] / sizeof(void*);
#else
  return (raw[0] - 1) / sizeof(void*);
#endif
}

// Words before the first slot that the vtable symbol includes: offset to top, type information.
inline constexpr size_t kVtableHeader = 2;

}  // namespace mp::fork
