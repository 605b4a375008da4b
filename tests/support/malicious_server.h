// A ledger whose operator lies: a gRPC server on loopback that asks a true daemon and changes the
// answers on their way. It may hold the log's key, as an operator does.
//
// Threads: the server's own; a lie is set while no call is under way.
// Owns:    the server; the channel's daemon must outlive it.

#ifndef CUSTODY_TESTS_SUPPORT_MALICIOUS_SERVER_H_
#define CUSTODY_TESTS_SUPPORT_MALICIOUS_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "custody/v1/provenance_service.grpc.pb.h"

namespace custody {

// What is changed; empty: the truth is passed on.
struct Lies {
  std::function<void(v1::GetCheckpointResponse*)> checkpoint;
  std::function<void(v1::GetConsistencyProofResponse*)> consistency;
  std::function<void(v1::GetReceiptRequest*)> receipt_question;
  std::function<void(v1::GetSubjectRequest*)> subject_question;
  std::function<void(v1::GetSubjectResponse*)> subject;
  std::function<void(v1::VerifyDoseRequest*)> dose_question;
  std::function<void(v1::VerifyDoseResponse*)> verdict;
  std::function<void(std::vector<v1::ReadEntriesResponse>*)> entries;
  std::function<void(v1::ExportBundleRequest*)> bundle_question;
  std::function<void(v1::Bundle*)> bundle;
};

class MaliciousServer {
 public:
  explicit MaliciousServer(const std::shared_ptr<grpc::Channel>& truth)
      : ledger_(*this, truth), provenance_(*this, truth) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&ledger_);
    builder.RegisterService(&provenance_);
    server_ = builder.BuildAndStart();
    CUSTODY_CHECK(server_ != nullptr);
  }
  ~MaliciousServer() { server_->Shutdown(std::chrono::system_clock::now()); }
  MaliciousServer(const MaliciousServer&) = delete;
  MaliciousServer& operator=(const MaliciousServer&) = delete;

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

  Lies lies;

 private:
  // Asks the truth, with a changed question and a changed answer.
  template <typename Stub, typename Request, typename Response>
  static grpc::Status Forward(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      Request request, Response* response, const std::function<void(Request*)>& question,
      const std::function<void(Response*)>& answer) {
    if (question) question(&request);
    grpc::ClientContext context;
    const grpc::Status status = (stub.*method)(&context, request, response);
    if (status.ok() && answer) answer(response);
    return status;
  }
  // Everything that a stream of the truth holds.
  template <typename Response>
  static std::vector<Response> ReadAll(grpc::ClientReader<Response>& reader) {
    std::vector<Response> answers;
    for (Response response; reader.Read(&response);) answers.push_back(response);
    return answers;
  }

  class LedgerPart final : public v1::LedgerService::Service {
   public:
    LedgerPart(MaliciousServer& server, const std::shared_ptr<grpc::Channel>& truth)
        : server_(server), truth_(v1::LedgerService::NewStub(truth)) {}

    grpc::Status Record(grpc::ServerContext*, const v1::RecordRequest* request,
                        v1::RecordResponse* response) override {
      return Forward<v1::LedgerService::Stub, v1::RecordRequest, v1::RecordResponse>(
          *truth_, &v1::LedgerService::Stub::Record, *request, response, {}, {});
    }
    grpc::Status GetReceipt(grpc::ServerContext*, const v1::GetReceiptRequest* request,
                            v1::GetReceiptResponse* response) override {
      return Forward<v1::LedgerService::Stub, v1::GetReceiptRequest, v1::GetReceiptResponse>(
          *truth_, &v1::LedgerService::Stub::GetReceipt, *request, response,
          server_.lies.receipt_question, {});
    }
    grpc::Status GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest* request,
                               v1::GetCheckpointResponse* response) override {
      return Forward<v1::LedgerService::Stub, v1::GetCheckpointRequest, v1::GetCheckpointResponse>(
          *truth_, &v1::LedgerService::Stub::GetCheckpoint, *request, response, {},
          server_.lies.checkpoint);
    }
    grpc::Status GetConsistencyProof(grpc::ServerContext*,
                                     const v1::GetConsistencyProofRequest* request,
                                     v1::GetConsistencyProofResponse* response) override {
      const grpc::Status status = Forward<v1::LedgerService::Stub, v1::GetConsistencyProofRequest,
                                          v1::GetConsistencyProofResponse>(
          *truth_, &v1::LedgerService::Stub::GetConsistencyProof, *request, response, {}, {});
      if (!server_.lies.consistency) return status;
      server_.lies.consistency(response);
      return grpc::Status::OK;
    }
    grpc::Status ReadEntries(grpc::ServerContext*, const v1::ReadEntriesRequest* request,
                             grpc::ServerWriter<v1::ReadEntriesResponse>* writer) override {
      grpc::ClientContext context;
      const auto reader = truth_->ReadEntries(&context, *request);
      std::vector<v1::ReadEntriesResponse> answers = ReadAll(*reader);
      if (server_.lies.entries) server_.lies.entries(&answers);
      for (const v1::ReadEntriesResponse& answer : answers) writer->Write(answer);
      return reader->Finish();
    }

   private:
    MaliciousServer& server_;
    const std::unique_ptr<v1::LedgerService::Stub> truth_;
  };

  class ProvenancePart final : public v1::ProvenanceService::Service {
   public:
    ProvenancePart(MaliciousServer& server, const std::shared_ptr<grpc::Channel>& truth)
        : server_(server), truth_(v1::ProvenanceService::NewStub(truth)) {}

    grpc::Status VerifyDose(grpc::ServerContext*, const v1::VerifyDoseRequest* request,
                            v1::VerifyDoseResponse* response) override {
      return Forward<v1::ProvenanceService::Stub, v1::VerifyDoseRequest, v1::VerifyDoseResponse>(
          *truth_, &v1::ProvenanceService::Stub::VerifyDose, *request, response,
          server_.lies.dose_question, server_.lies.verdict);
    }
    grpc::Status GetSubject(grpc::ServerContext*, const v1::GetSubjectRequest* request,
                            v1::GetSubjectResponse* response) override {
      return Forward<v1::ProvenanceService::Stub, v1::GetSubjectRequest, v1::GetSubjectResponse>(
          *truth_, &v1::ProvenanceService::Stub::GetSubject, *request, response,
          server_.lies.subject_question, server_.lies.subject);
    }
    grpc::Status ExportBundle(grpc::ServerContext*, const v1::ExportBundleRequest* request,
                              grpc::ServerWriter<v1::ExportBundleResponse>* writer) override {
      v1::ExportBundleRequest question = *request;
      if (server_.lies.bundle_question) server_.lies.bundle_question(&question);
      grpc::ClientContext context;
      const auto reader = truth_->ExportBundle(&context, question);
      std::string bytes;
      for (const v1::ExportBundleResponse& answer : ReadAll(*reader)) bytes += answer.piece();
      const grpc::Status status = reader->Finish();
      v1::Bundle bundle;
      if (!status.ok() || !bundle.ParseFromString(bytes)) return status;
      if (server_.lies.bundle) server_.lies.bundle(&bundle);
      v1::ExportBundleResponse response;
      response.set_piece(bundle.SerializeAsString());
      writer->Write(response);
      return status;
    }

   private:
    MaliciousServer& server_;
    const std::unique_ptr<v1::ProvenanceService::Stub> truth_;
  };

  LedgerPart ledger_;
  ProvenancePart provenance_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_MALICIOUS_SERVER_H_
