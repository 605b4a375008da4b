// The messages that nearly every rule works with, in one header for precompilation. Nobody includes
// it by hand: each file includes what it uses.

#ifndef CUSTODY_LIFECYCLE_MESSAGES_H_
#define CUSTODY_LIFECYCLE_MESSAGES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/options.pb.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/state.pb.h"
#include "custody/v1/verdict.pb.h"

#endif  // CUSTODY_LIFECYCLE_MESSAGES_H_
