#include "crypto/pae.h"

#include "absl/strings/str_format.h"

namespace custody {
namespace {

// Everything before the body.
std::string Head(std::string_view type, std::string_view body) {
  return absl::StrFormat("DSSEv1 %d %s %d ", type.size(), type, body.size());
}

}  // namespace

std::string PreAuthEncoding(std::string_view type, std::string_view body) {
  std::string encoded = Head(type, body);
  encoded.append(body);
  return encoded;
}

Digest PaeDigest(std::string_view type, std::string_view body) {
  return Sha256Hasher().Update(Head(type, body)).Update(body).Finish();
}

}  // namespace custody
