// Reading a whole log from a custody-gateway, or any other server of C2SP tlog-tiles over HTTP that
// has the entries too.
//
// Nothing is believed: whoever takes the entries compares them with the signed note. While one
// bundle is used, the next is fetched; a server that is busy or away is asked again for a while.
//
// Threads: one thread.
// Limits:  65,535 bytes an entry, 64 KiB a note, 60 s an answer.

#ifndef CUSTODY_CLIENT_CLI_GATEWAY_LOG_H_
#define CUSTODY_CLIENT_CLI_GATEWAY_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/tiles.h"
#include "daemon/http/address.h"

namespace custody {

struct GatewayOptions {
  std::string url;              // http://... or https://...
  std::string token;            // Opens the entries; empty: none.
  std::string authorities_pem;  // Who certifies it; empty: whom the system believes.
};

class GatewayLog {
 public:
  // Takes the checkpoint, up to which everything is read then.
  // Errors: kInvalidArgument (the URL, or what it serves is no checkpoint); kUnavailable.
  static absl::StatusOr<GatewayLog> Open(GatewayOptions options);

  // As it was served; nothing here checks its signature.
  const std::string& note() const { return note_; }
  std::uint64_t size() const { return size_; }

  // Calls `visit` with the entries from `begin` on, until it returns an error, which is returned.
  // Errors: kPermissionDenied if the entries want a token, or another one; kDataLoss "entry N ..."
  //         if a bundle is malformed; kUnavailable.
  using Visitor = std::function<absl::Status(std::uint64_t index, std::string_view entry)>;
  absl::Status Read(std::uint64_t begin, const Visitor& visit) const;

 private:
  GatewayLog(GatewayOptions options, HttpUrl url)
      : options_(std::move(options)), url_(std::move(url)) {}

  absl::StatusOr<std::string> Get(const std::string& path, std::size_t bytes_max,
                                  int tries_max) const;
  absl::StatusOr<std::string> GetBundle(std::uint64_t number) const;

  GatewayOptions options_;
  HttpUrl url_;
  std::string note_;
  std::uint64_t size_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_GATEWAY_LOG_H_
