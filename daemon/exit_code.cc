#include "daemon/exit_code.h"

namespace custody {

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 4;
    case absl::StatusCode::kAlreadyExists:
      return 5;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return 70;
    default:
      return 3;
  }
}

}  // namespace custody
