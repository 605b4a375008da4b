// deps: custody_lifecycle
//
// Bytes that pass the strict check are the only encoding of what they say: parsed and encoded again
// they are the same, for everything that is signed or hashed.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/record.pb.h"
#include "lifecycle/wire_check.h"

// The first byte chooses the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const std::array<const google::protobuf::Message*, 5> messages = {
      &custody::v1::Event::default_instance(), &custody::v1::Entry::default_instance(),
      &custody::v1::SignatureStatement::default_instance(),
      &custody::v1::BatchStatement::default_instance(), &custody::v1::Policy::default_instance()};
  const google::protobuf::Message& message = *messages[data[0] % messages.size()];
  const std::string_view bytes = custody::AsText({data + 1, size - 1});
  if (!custody::CheckStrictEncoding(bytes, *message.GetDescriptor()).ok()) return 0;
  const std::unique_ptr<google::protobuf::Message> parsed(message.New());
  CUSTODY_CHECK(parsed->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  CUSTODY_CHECK(parsed->SerializeAsString() == bytes);
  return 0;
}
