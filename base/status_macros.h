// Two macros for absl::Status, with the meaning that later releases of Abseil give them, so that
// they can be deleted one day. There is no third.

#ifndef CUSTODY_BASE_STATUS_MACROS_H_
#define CUSTODY_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the calling function if `expr` is not OK.
#define CUSTODY_RETURN_IF_ERROR(expr)                                     \
  do {                                                                    \
    if (::absl::Status custody_status_ = (expr); !custody_status_.ok()) { \
      return custody_status_;                                             \
    }                                                                     \
  } while (false)

#define CUSTODY_CONCAT_INNER_(a, b) a##b
#define CUSTODY_CONCAT_(a, b) CUSTODY_CONCAT_INNER_(a, b)

// Assigns the value of a StatusOr to `lhs` (which may declare a variable), or returns its status.
#define CUSTODY_ASSIGN_OR_RETURN(lhs, expr) \
  CUSTODY_ASSIGN_OR_RETURN_IMPL_(CUSTODY_CONCAT_(custody_or_, __LINE__), lhs, expr)
#define CUSTODY_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                   \
  if (!tmp.ok()) {                                     \
    return std::move(tmp).status();                    \
  }                                                    \
  lhs = *std::move(tmp) /* NOLINT(bugprone-macro-parentheses): may declare */

#endif  // CUSTODY_BASE_STATUS_MACROS_H_
