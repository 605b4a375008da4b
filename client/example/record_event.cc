// Records that a thaw was started and prints the receipt.
//
//   record_event <endpoint> <ledger> <log key> <device id, hex> <device key.pem> <container id,
//   hex>
//
// For a ledger on this machine without TLS (development). In production fill the three PEM options
// and leave insecure_loopback_only alone.

#include <cstdio>
#include <string>

#include "custody/client.h"
#include "custody/event_builder.h"
#include "custody/signer.h"

namespace {

// Two digits a byte; anything else ends the text.
std::string Unhex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

absl::Status RecordThaw(char** arguments) {
  custody::ClientOptions options;
  options.endpoint = arguments[1];
  options.ledger = arguments[2];
  options.log_keys = {arguments[3]};
  options.insecure_loopback_only = true;
  auto client = custody::Client::Connect(options);
  if (!client.ok()) return client.status();
  auto signer = custody::Signer::ForDeviceFromFile(Unhex(arguments[4]), arguments[5], "");
  if (!signer.ok()) return signer.status();

  custody::EventBuilder builder(options.ledger);
  builder.event().mutable_thaw_started()->add_container_ids(Unhex(arguments[6]));
  const auto bytes = builder.Build();
  if (!bytes.ok()) return bytes.status();
  const auto signature = signer->SignEvent(
      *bytes, {.role = custody::v1::ROLE_DEVICE, .meaning = custody::v1::MEANING_PERFORMED});
  if (!signature.ok()) return signature.status();
  const auto signed_event = custody::MakeSignedEvent(*bytes, {*signature});
  if (!signed_event.ok()) return signed_event.status();

  // Keep signed_event until this has returned: a repetition must send these bytes.
  const auto result = (*client)->Record(*signed_event);
  if (!result.ok()) return result.status();
  std::printf("recorded as entry %llu under\n%s",
              static_cast<unsigned long long>(result->receipt.index()),
              result->receipt.checkpoint().c_str());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::puts("record_event <endpoint> <ledger> <log key> <device id> <key.pem> <container id>");
    return argc == 2 && std::string(argv[1]) == "--help" ? 0 : 2;
  }
  const absl::Status status = RecordThaw(argv);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    if (const auto refusal = custody::RefusalOf(status); refusal.has_value()) {
      for (const auto& reason : refusal->reasons()) {
        std::fprintf(stderr, "  %s\n  do: %s\n", reason.message().c_str(), reason.remedy().c_str());
      }
    }
    return 1;
  }
  return 0;
}
