// How a client reaches a ledger, whom it believes, and how patient it is.
//
// A client believes nothing that the server says about the log: it believes the log's key, which is
// configured here. Take `ledger` and `log_keys` from the operator on paper or from trust.toml, not
// from the server.
//
// Threads: values.

#ifndef CUSTODY_CLIENT_CONNECTION_H_
#define CUSTODY_CLIENT_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace custody {

// Recording is safe to repeat: the same bytes carry the same event id, and the ledger answers a
// repetition with the first receipt. So calls are repeated after UNAVAILABLE, RESOURCE_EXHAUSTED
// (after the wait that the refusal names), and a lost answer (DEADLINE_EXCEEDED of one attempt).
struct RetryPolicy {
  // Tries in all, the first included; 0: as many as the deadline allows; 1: never again.
  std::uint32_t attempts_max = 0;
  // Wait before the second try. Doubles each time up to backoff_max; the real wait is drawn evenly
  // from the upper half, so that many clients do not come back at once.
  std::chrono::milliseconds backoff_first{100};
  std::chrono::milliseconds backoff_max{5000};
  // Longest time for one try.
  std::chrono::milliseconds attempt_deadline{10000};
  // Longest time for one stream of entries that are in the log; then it goes on in a new one, so a
  // connection that fell silent costs this long.
  std::chrono::milliseconds stream_deadline{60000};
};

// A log key out of use, and the largest checkpoint, in entries, that it may have signed.
struct RetiredLogVkey {
  std::string vkey;
  std::uint64_t last_size = 0;
};

struct ClientOptions {
  // "custody.example.org:7443", "dns:///custody.example.org:7443" or "unix:/run/custody/socket".
  std::string endpoint;

  // Mutual TLS, PEM: the authority that signed the server's certificate, this client's certificate
  // (with its chain) and its private key. Each may be given as a file instead; text wins.
  std::string ca_certificate_pem;
  std::string certificate_pem;
  std::string private_key_pem;
  std::string ca_certificate_file;
  std::string certificate_file;
  std::string private_key_file;
  // Name expected in the server's certificate when it is not the host of the endpoint.
  std::string server_name_override;

  // Without TLS. Only for development on one machine: the endpoint must be 127.0.0.1, [::1],
  // localhost or unix:, else Connect() refuses.
  bool insecure_loopback_only = false;

  // Origin of the ledger, for example "custody.example.org/ledger".
  std::string ledger;
  // Verifier keys of the log ("name+hash+base64", C2SP vkey); more than one during a rotation.
  // Without `ledger` and keys only GetStatus() and calls that carry no checkpoint work; everything
  // else is kFailedPrecondition.
  std::vector<std::string> log_keys;
  // Keys that sign no longer, for receipts of their time.
  std::vector<RetiredLogVkey> retired_log_keys;
  // Where the newest checkpoint that was seen is kept; every later one must be consistent with it.
  // Empty: only in memory, so a fork is noticed only within one run. One file per ledger.
  std::string checkpoint_file;

  // Longest time for one call with all its retries. Streams of answers (traces, entries, bundles)
  // have it for the whole stream; Watch() and RecordStream have none.
  std::chrono::milliseconds deadline{30000};
  RetryPolicy retry;
  // A silent connection is tested after this time, and given up after the next.
  std::chrono::milliseconds keepalive_time{30000};
  std::chrono::milliseconds keepalive_timeout{10000};
  // Largest message that is accepted, bytes.
  std::uint32_t message_bytes_max = 64U << 20;
};

// What one call may have of its own.
struct CallOptions {
  // 0: ClientOptions::deadline.
  std::chrono::milliseconds deadline{0};
  // Ends the call early with kCancelled. A recording that was cancelled may still be recorded.
  std::stop_token stop;
  // Record() only: the answer comes when a quorum of witnesses has cosigned a checkpoint over the
  // event, or after `witnessed_wait` (at most 60 s; added to the deadline) with the durable
  // receipt; RecordResult::witnessed tells.
  bool wait_witnessed = false;
  std::chrono::milliseconds witnessed_wait{10000};
};

// Errors: kInvalidArgument naming the option and its value.
absl::Status Validate(const ClientOptions& options);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CONNECTION_H_
