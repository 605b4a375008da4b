// CUSTODY_CHECK: an invariant that only our own mistake can break; on in every build. Input from
// the network or the disk is never checked with it: that is an absl::Status.

#ifndef CUSTODY_BASE_CHECK_H_
#define CUSTODY_BASE_CHECK_H_

namespace custody {

// Prints the broken invariant to stderr and aborts. An abort is as safe as an exit: nothing is
// acknowledged before it is durable.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace custody

#define CUSTODY_CHECK(condition)                              \
  do {                                                        \
    if (!(condition)) {                                       \
      ::custody::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)

#endif  // CUSTODY_BASE_CHECK_H_
