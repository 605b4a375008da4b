// One encoding for messages that are stored or hashed by the ledger itself.

#ifndef CUSTODY_DAEMON_LEDGER_ENCODE_H_
#define CUSTODY_DAEMON_LEDGER_ENCODE_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include <string>

namespace custody {

// Fields in the order of their numbers, deterministic. Requires a message below 2 GiB.
inline std::string EncodeMessage(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ENCODE_H_
