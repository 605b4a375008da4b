#include "crypto/openssl_ptr.h"

#include <openssl/err.h>

#include <array>
#include <climits>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace custody {

absl::Status OpensslError(std::string_view call) {
  const unsigned long code = ERR_peek_last_error();
  std::array<char, 256> text{};
  if (code != 0) {
    ERR_error_string_n(code, text.data(), text.size());
  }
  ERR_clear_error();
  return absl::InternalError(
      absl::StrFormat("%s failed: %s", call, code == 0 ? "no reason given" : text.data()));
}

BioPtr MemoryBio(std::string_view text) {
  CUSTODY_CHECK(text.size() <= INT_MAX);
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CUSTODY_CHECK(bio != nullptr);
  return bio;
}

std::string BioText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<std::size_t>(size));
}

}  // namespace custody
