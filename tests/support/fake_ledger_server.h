// A gRPC server in this process, over a log in memory, that answers as a test tells it to. It
// judges nothing: every event is recorded, unless the script says otherwise.
//
// Threads: the server's own; the script is guarded.

#ifndef CUSTODY_TESTS_SUPPORT_FAKE_LEDGER_SERVER_H_
#define CUSTODY_TESTS_SUPPORT_FAKE_LEDGER_SERVER_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "custody/v1/rpc_status.pb.h"
#include "tests/support/fake_log.h"

namespace custody {

// The status of a refused call, with its refusal in the details.
inline grpc::Status RefusedCall(grpc::StatusCode code, const std::string& message,
                                const v1::Refusal& refusal) {
  v1::RpcStatus details;
  details.set_code(code);
  details.set_message(message);
  auto* any = details.add_details();
  any->set_type_url("type.googleapis.com/custody.v1.Refusal");
  any->set_value(refusal.SerializeAsString());
  return grpc::Status(code, message, details.SerializeAsString());
}

class FakeLedgerServer final : public v1::LedgerService::Service {
 public:
  FakeLedgerServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    CUSTODY_CHECK(server_ != nullptr);
  }
  ~FakeLedgerServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

  // What the test may set; hold mutex while calls are under way.
  std::mutex mutex;
  FakeLog log;
  // Answers of the next calls of Record and of the next events of streams; OK: record.
  std::deque<grpc::Status> script;
  // The next streams end after this many answers, although more events came.
  std::deque<int> stream_breaks;
  // Applied to the next receipts.
  std::function<void(v1::RecordResponse*)> tamper;
  // Every event received, in order.
  std::vector<std::string> received;
  // When each of them came.
  std::vector<std::chrono::steady_clock::time_point> received_at;
  // Streams of events that were opened.
  int streams = 0;
  // Entries that a reader does not see.
  std::set<std::uint64_t> hidden;
  // The next readers hear nothing more after this many entries, until they give up.
  std::deque<int> read_silences;
  // A lie about their indices.
  std::uint64_t read_shift = 0;
  // Whoever asks for a receipt is told this; OK: is given it.
  grpc::Status receipt_status;
  int receipt_requests = 0;
  // What readers are shown in place of these entries.
  std::map<std::uint64_t, std::string> read_lies;
  // Readers so far. What stands above may be changed before each of them, who has this number.
  int reads = 0;
  std::function<void(int read)> before_read;

  grpc::Status Record(grpc::ServerContext*, const v1::RecordRequest* request,
                      v1::RecordResponse* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    return Answer(request->signed_event(), response);
  }

  grpc::Status RecordStream(grpc::ServerContext*,
                            grpc::ServerReaderWriter<v1::RecordStreamResponse,
                                                     v1::RecordStreamRequest>* stream) override {
    int answers_left = -1;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      ++streams;
      if (!stream_breaks.empty()) {
        answers_left = stream_breaks.front();
        stream_breaks.pop_front();
      }
    }
    v1::RecordStreamRequest request;
    while (stream->Read(&request)) {
      v1::RecordResponse answer;
      grpc::Status status;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        status = Answer(request.signed_event(), &answer);
      }
      if (answers_left == 0) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken by the test");
      }
      --answers_left;
      v1::RecordStreamResponse response;
      response.set_tag(request.tag());
      response.set_status_code(status.error_code());
      response.set_status_message(status.error_message());
      if (status.ok()) {
        *response.mutable_receipt() = answer.receipt();
        response.set_already_recorded(answer.already_recorded());
      } else {
        v1::RpcStatus details;
        details.ParseFromString(status.error_details());
        response.set_refusal(details.details_size() > 0 ? details.details(0).value() : "");
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status ReadEntries(grpc::ServerContext* context, const v1::ReadEntriesRequest* request,
                           grpc::ServerWriter<v1::ReadEntriesResponse>* stream) override {
    const std::lock_guard<std::mutex> lock(mutex);
    if (before_read) before_read(reads);
    ++reads;
    int entries_left = -1;
    if (!read_silences.empty()) {
      entries_left = read_silences.front();
      read_silences.pop_front();
    }
    const std::uint64_t end =
        request->end() == 0 ? log.size() : std::min(request->end(), log.size());
    for (std::uint64_t index = request->begin(); index < end; ++index) {
      if (hidden.count(index) != 0) {
        continue;
      }
      if (entries_left-- == 0) {
        while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return grpc::Status::CANCELLED;
      }
      v1::ReadEntriesResponse response;
      response.set_index(index + read_shift);
      const auto lie = read_lies.find(index);
      response.set_entry(lie == read_lies.end() ? log.EntryAt(index) : lie->second);
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetReceipt(grpc::ServerContext*, const v1::GetReceiptRequest* request,
                          v1::GetReceiptResponse* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    ++receipt_requests;
    if (!receipt_status.ok()) return receipt_status;
    if (request->index() >= log.size()) {
      return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "beyond the log");
    }
    *response->mutable_receipt() = log.ReceiptOf(request->index(), log.size());
    return grpc::Status::OK;
  }

  grpc::Status GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    response->set_checkpoint(log.SignedCheckpoint(log.size()));
    response->set_size(log.size());
    return grpc::Status::OK;
  }

  grpc::Status GetConsistencyProof(grpc::ServerContext*,
                                   const v1::GetConsistencyProofRequest* request,
                                   v1::GetConsistencyProofResponse* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    if (request->second_size() > log.size()) {
      return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "beyond the log");
    }
    for (const Digest& hash : log.Consistency(request->first_size(), request->second_size())) {
      response->add_hashes(std::string(hash.view()));
    }
    return grpc::Status::OK;
  }

 private:
  grpc::Status Answer(const v1::SignedEvent& signed_event, v1::RecordResponse* response) {
    received.push_back(signed_event.event());
    received_at.push_back(std::chrono::steady_clock::now());
    if (!script.empty()) {
      const grpc::Status status = script.front();
      script.pop_front();
      if (!status.ok()) {
        return status;
      }
    }
    std::uint64_t index = 0;
    const auto known = recorded_.find(signed_event.event());
    if (known == recorded_.end()) {
      index = log.AppendEvent(signed_event);
      recorded_[signed_event.event()] = index;
    } else {
      index = known->second;
      response->set_already_recorded(true);
    }
    *response->mutable_receipt() = log.ReceiptOf(index, log.size());
    if (tamper) {
      tamper(response);
    }
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::map<std::string, std::uint64_t> recorded_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAKE_LEDGER_SERVER_H_
