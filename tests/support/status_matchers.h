// Matchers for absl::Status and StatusOr. There is no "is not OK": a test names the error.

#ifndef CUSTODY_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define CUSTODY_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// EXPECT_THAT(result, IsOk());
MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return arg.ok();
}

// EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("odd")));
MATCHER_P2(StatusIs, code, message, "") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

}  // namespace custody

// Declares `lhs` from a StatusOr, or fails the test.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL_(CUSTODY_TEST_CONCAT_(or_, __LINE__), lhs, expr)
#define CUSTODY_TEST_CONCAT_INNER_(a, b) a##b
#define CUSTODY_TEST_CONCAT_(a, b) CUSTODY_TEST_CONCAT_INNER_(a, b)
#define ASSERT_OK_AND_ASSIGN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  ASSERT_TRUE(tmp.ok()) << tmp.status();           \
  lhs = *std::move(tmp)

#define EXPECT_OK(expr) EXPECT_THAT((expr), ::custody::IsOk())
#define ASSERT_OK(expr) ASSERT_THAT((expr), ::custody::IsOk())

#endif  // CUSTODY_TESTS_SUPPORT_STATUS_MATCHERS_H_
