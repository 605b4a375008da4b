// A ledger that is kept by the real program: `custodyd init` and `custodyd serve` in a folder of
// its own, over mutual TLS and RocksDB, with a small authority of its own. The daemon can be
// killed and started again as often as one likes.
//
//   folder/  pki/     certificates       keys/    cards of the administrator and of quality
//            data/    the data directory anchor/  the anchor, beside it as on another disk
//            trust.toml, custodyd.toml, address, daemon.log (everything the daemon said)
//
// Threads: one; client_options() and NewChannel() from any once Create() has returned.
// Owns:    the daemon's process, which is killed at the end, also when the thread that started it
//          ends without one; not the folder.

#ifndef CUSTODY_TESTS_SUPPORT_REAL_LEDGER_H_
#define CUSTODY_TESTS_SUPPORT_REAL_LEDGER_H_

#include <grpcpp/channel.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/client.h"
#include "custody/signer.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"

namespace custody {

struct RealLedgerOptions {
  // Must exist and be empty.
  std::string folder;
  // Path of custodyd.
  std::string program;
  // Listens on a socket in the folder, so that its address is the same after each start and nobody
  // else can take it meanwhile. Otherwise a free port of 127.0.0.1, another one at each start.
  bool unix_socket = false;
  // Further settings of custodyd, "key=value".
  std::vector<std::string> settings;
};

// A signature to make.
struct SignBy {
  const Signer& signer;
  v1::Role role;
  v1::Meaning meaning = v1::MEANING_APPROVED;
};

class RealLedger {
 public:
  // Makes certificates and keys and runs `custodyd init`. Starts nothing.
  // Errors: kInternal with what the program said.
  static absl::StatusOr<std::unique_ptr<RealLedger>> Create(RealLedgerOptions options);
  // One that somebody else has made with the same files (deploy/quickstart.d/ledger.sh):
  // certificates, trust.toml and custodyd.toml of the folder. It has no administrator() and no
  // quality(). Errors: kNotFound for a missing file; those of reading trust.toml.
  static absl::StatusOr<std::unique_ptr<RealLedger>> Adopt(RealLedgerOptions options);
  ~RealLedger();
  RealLedger(const RealLedger&) = delete;
  RealLedger& operator=(const RealLedger&) = delete;

  // Starts `custodyd serve` and does not wait. It must not run. `environment`: further variables,
  // "NAME=value", of this process of it only.
  absl::Status Spawn(const std::vector<std::string>& environment = {});
  // Waits until it listens. Errors: kInternal with the end of its log if it ended before;
  // kDeadlineExceeded.
  absl::Status WaitUntilListening(std::chrono::milliseconds timeout);
  // Both.
  absl::Status Start(std::chrono::milliseconds timeout = std::chrono::seconds(60));
  // SIGKILL, and waits until the process is gone. Does nothing when it does not run.
  void Kill();
  // SIGTERM; the exit code, minus the signal's number if one ended it.
  int Stop();
  // The exit code, as Stop(), if it has ended by itself; nullopt while it runs.
  std::optional<int> ExitCodeIfEnded();
  // From now on the running daemon can write no file beyond this many bytes: its writes fail with
  // EFBIG, part of the bytes down. SIZE_MAX ends it.
  void LimitFileSize(std::size_t bytes) const;
  // The largest write-ahead log of the store now, bytes.
  std::size_t LargestWriteAheadLog() const;
  // What the running daemon holds: memory in bytes (resident), and sockets.
  std::size_t ResidentBytes() const;
  std::size_t OpenSockets() const;
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  // Runs another command of custodyd to its end, with the ledger's settings; what it says goes to
  // daemon.log. The exit code.
  int RunCommand(const std::string& command, const std::vector<std::string>& arguments = {});

  std::filesystem::path folder() const { return options_.folder; }
  std::filesystem::path data() const { return folder() / "data"; }
  std::filesystem::path anchor() const { return folder() / "anchor" / "checkpoint"; }
  std::string log() const;

  // For the address of the running daemon; the checkpoint is kept in memory.
  ClientOptions client_options() const;
  // A connection of its own, for stubs, made (connected_channel.h); to somebody who forwards to
  // the daemon, if one is named.
  //   window_bytes   what it takes of a stream before somebody reads; 0: as much as gRPC sees fit
  std::shared_ptr<grpc::Channel> NewChannel(const std::string& endpoint = {},
                                            int window_bytes = 0) const;
  // The port on 127.0.0.1 of the running daemon.
  std::uint16_t port() const;

  const std::string& origin() const { return origin_; }
  // The persons of entry 0.
  const Signer& administrator() const { return *administrator_; }
  const Signer& quality() const { return *quality_; }
  // Fills what is empty of the header; the bytes are made here. Stops the process on an event that
  // cannot be built.
  v1::SignedEvent Sign(v1::Event event, const std::vector<SignBy>& signers) const;
  // GOV-03a: a new site, which every ledger accepts.
  v1::SignedEvent NewSite() const;

 private:
  explicit RealLedger(RealLedgerOptions options) : options_(std::move(options)) {}
  absl::Status MakePki();
  absl::StatusOr<Signer> MakePerson(const std::string& name) const;
  absl::Status WriteConfig() const;
  absl::Status Init();
  std::string PathOf(const std::string& name) const { return (folder() / name).string(); }

  absl::Status ReadTrust();

  const RealLedgerOptions options_;
  std::string origin_ = "test.example/ledger";
  std::string ca_pem_;
  std::string client_pem_;
  std::string client_key_pem_;
  std::string log_key_;
  std::string address_;
  std::unique_ptr<Signer> administrator_;
  std::unique_ptr<Signer> quality_;
  pid_t pid_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_REAL_LEDGER_H_
