// One encoding for messages that are stored or hashed by the ledger itself.

#ifndef CUSTODY_DAEMON_LEDGER_ENCODE_H_
#define CUSTODY_DAEMON_LEDGER_ENCODE_H_

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <string>

namespace custody {

// Fields in the order of their numbers; deterministic, since no message of ours has a map. Requires
// a message below 2 GiB.
inline std::string EncodeMessage(const google::protobuf::MessageLite& message) {
  std::string bytes(message.ByteSizeLong(), '\0');
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes.data()));
  return bytes;
}

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ENCODE_H_
