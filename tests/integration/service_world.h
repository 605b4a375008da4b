// A ledger with its gRPC server in this process, mutual TLS and all, over a store that fails on
// demand.
//
// Entry 0 enrols an administrator, a person of quality assurance, and one principal ("everything")
// that may do everything. Every principal has a client certificate of the world's own authority.
//
// Threads: one; stubs may be used from any.

#ifndef CUSTODY_TESTS_INTEGRATION_SERVICE_WORLD_H_
#define CUSTODY_TESTS_INTEGRATION_SERVICE_WORLD_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "custody/v1/admin_service.grpc.pb.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "custody/v1/provenance_service.grpc.pb.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger.h"
#include "daemon/services/server.h"
#include "storage/memory_store.h"
#include "tests/integration/wire_probe.h"
#include "tests/support/fault_store.h"
#include "tests/support/temp_folder.h"

namespace custody {

inline constexpr char kWorldOrigin[] = "test.example/ledger";

// A natural person with a key.
struct Person {
  std::string id;
  SigningKey key;
  v1::Role role;
  v1::Meaning meaning = v1::MEANING_APPROVED;
};

class CountingObserver final : public CallObserver {
 public:
  void OnAnswer(std::string_view method, const Principal* principal,
                const absl::Status& status) override;
  std::uint64_t refused() const { return refused_; }

 private:
  std::atomic<std::uint64_t> refused_ = 0;
};

class ServiceWorld {
 public:
  // Stops the process if the world cannot be made.
  explicit ServiceWorld(ServerOptions options = {});
  ~ServiceWorld();

  Ledger& ledger() { return *ledger_; }
  FaultStore& store() { return store_; }
  GrpcServer& server() { return *server_; }
  const CountingObserver& observer() const { return observer_; }

  // A client with the certificate of this name (made on first use; "everything" is enrolled).
  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& name);
  // A client that trusts the server and shows no certificate, or one of an authority of its own.
  std::shared_ptr<grpc::Channel> ChannelWithoutCertificate() const;
  std::shared_ptr<grpc::Channel> ChannelOfStranger() const;
  // What a client of this name holds, and the same key with a certificate that expired two days
  // ago.
  struct ClientFiles {
    std::string certificate_pem;
    std::string private_key_pem;
    Digest spki_sha256;
  };
  const ClientFiles& FilesOf(const std::string& name);
  ClientFiles ExpiredFilesOf(const std::string& name);
  const std::string& ca_pem() const { return ca_pem_; }
  std::shared_ptr<grpc::Channel> Connect(const std::string& certificate_pem,
                                         const std::string& private_key_pem) const;

  // Enrols the certificate of this name, by GOV-05a; returns the principal's id.
  std::string Enrol(const std::string& name, const std::vector<v1::Permission>& permissions,
                    const std::vector<std::string>& site_ids = {});
  void Revoke(const std::string& principal_id);
  // Enrols a person with this role at a site, by GOV-01a. `key` bounds the validity of the key;
  // its spki and algorithm are filled in.
  Person EnrolPerson(v1::Role role, const std::string& site_id, v1::Meaning meaning,
                     v1::SignerKey key = {});
  // Registers a site, by GOV-03a; returns its id.
  std::string AddSite();

  // Fills what is empty of the header; signed by these persons, each with its meaning.
  v1::SignedEvent Sign(v1::Event event, const std::vector<const Person*>& persons) const;
  v1::SignedEvent SiteEvent() const;
  // Records it directly in the ledger and waits; stops the process if it is refused.
  void MustRecord(const v1::SignedEvent& signed_event);
  // Through the client "everything".
  grpc::Status Record(const v1::SignedEvent& signed_event, v1::RecordResponse* response = nullptr);

  const Person& administrator() const { return administrator_; }
  const Person& quality() const { return quality_; }

 private:
  TempFolder folder_;
  SystemClock clock_;
  MemoryStore disk_;
  FaultStore store_;
  SigningKey ca_key_;
  std::string ca_pem_;
  Person administrator_;
  Person quality_;
  std::map<std::string, ClientFiles> clients_;
  CountingObserver observer_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_INTEGRATION_SERVICE_WORLD_H_
