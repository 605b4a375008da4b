// Recording, streams, watches, health.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "crypto/pae.h"
#include "crypto/random.h"
#include "daemon/health_keeper.h"
#include "daemon/services/status_translation.h"
#include "lifecycle/batch_statement.h"
#include "tests/integration/service_world.h"
#include "tests/support/connected_channel.h"

namespace custody {
namespace {

using grpc::StatusCode;

std::uint64_t TreeSize(ServiceWorld& world) { return world.ledger().Snapshot()->size(); }

TEST(RecordingTest, AnswersWithAReceiptAndThenWithTheSameOne) {
  ServiceWorld world;
  const v1::SignedEvent event = world.SiteEvent();
  v1::RecordResponse first;
  v1::RecordResponse second;
  ASSERT_TRUE(world.Record(event, &first).ok());
  EXPECT_FALSE(first.already_recorded());
  ASSERT_TRUE(world.Record(event, &second).ok());
  EXPECT_TRUE(second.already_recorded());
  EXPECT_EQ(first.receipt().SerializeAsString(), second.receipt().SerializeAsString());
  v1::Entry entry;
  ASSERT_TRUE(entry.ParseFromString(first.receipt().entry()));
  EXPECT_EQ(entry.signed_event().event(), event.event());
}

// Arrivals of material at a site, signed by one operator with one statement.
v1::RecordBatchRequest ArrivalsOf(ServiceWorld& world, const Person& person,
                                  const std::string& site_id, int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) {
    v1::Event event;
    event.set_site_id(site_id);
    event.mutable_environment_monitored()->add_batch_ids(RandomBytes(16));
    events.push_back(world.Sign(std::move(event), {&person}).event());
  }
  v1::BatchStatement statement;
  statement.set_events_root(std::string(BatchRoot(events).view()));
  statement.set_events_count(static_cast<std::uint32_t>(count));
  statement.set_key_id(std::string(person.key.verify_key().key_id().view()));
  statement.set_person_id(person.id);
  statement.set_role(person.role);
  statement.set_meaning(person.meaning);
  statement.set_signed_at_ms(SystemClock().WallMs());
  statement.set_ledger(kWorldOrigin);
  v1::RecordBatchRequest request;
  request.set_statement(statement.SerializeAsString());
  request.set_signature(
      *person.key.Sign(PreAuthEncoding(kBatchStatementPayloadType, request.statement())));
  for (std::string& event : events) request.add_events(std::move(event));
  return request;
}

TEST(RecordBatchTest, EachEventHasItsReceiptInTheOrderOfTheCall) {
  ServiceWorld world;
  const std::string site = world.AddSite();
  const Person person = world.EnrolPerson(v1::ROLE_OPERATOR, site, v1::MEANING_PERFORMED);
  const v1::RecordBatchRequest request = ArrivalsOf(world, person, site, 100);
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  v1::RecordBatchResponse first;
  v1::RecordBatchResponse second;
  grpc::ClientContext context;
  grpc::ClientContext again;
  ASSERT_TRUE(stub->RecordBatch(&context, request, &first).ok());
  ASSERT_TRUE(stub->RecordBatch(&again, request, &second).ok());
  ASSERT_EQ(first.outcomes_size(), 100);
  std::uint64_t last_index = 0;
  for (int i = 0; i < first.outcomes_size(); ++i) {
    const v1::RecordOutcome& outcome = first.outcomes(i);
    ASSERT_EQ(outcome.status_code(), 0) << outcome.status_message();
    EXPECT_GT(outcome.receipt().index(), last_index);
    last_index = outcome.receipt().index();
    v1::Entry entry;
    ASSERT_TRUE(entry.ParseFromString(outcome.receipt().entry()));
    EXPECT_EQ(entry.signed_event().event(), request.events(i));
    EXPECT_TRUE(second.outcomes(i).already_recorded());
    EXPECT_EQ(second.outcomes(i).receipt().SerializeAsString(),
              outcome.receipt().SerializeAsString());
  }
}

TEST(RecordBatchTest, AFalseSignatureRecordsNothing) {
  ServiceWorld world;
  const std::string site = world.AddSite();
  const Person person = world.EnrolPerson(v1::ROLE_OPERATOR, site, v1::MEANING_PERFORMED);
  v1::RecordBatchRequest request = ArrivalsOf(world, person, site, 3);
  (*request.mutable_signature())[5] ^= 1;
  const std::uint64_t size = TreeSize(world);
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  v1::RecordBatchResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->RecordBatch(&context, request, &response).ok());
  for (const v1::RecordOutcome& outcome : response.outcomes()) {
    EXPECT_EQ(outcome.status_code(), StatusCode::UNAUTHENTICATED);
    EXPECT_FALSE(outcome.refusal().empty());
  }
  EXPECT_EQ(TreeSize(world), size);
}

TEST(RecordBatchTest, AStatementOverOtherEventsFailsTheCall) {
  ServiceWorld world;
  const std::string site = world.AddSite();
  const Person person = world.EnrolPerson(v1::ROLE_OPERATOR, site, v1::MEANING_PERFORMED);
  v1::RecordBatchRequest request = ArrivalsOf(world, person, site, 3);
  request.mutable_events()->RemoveLast();
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  v1::RecordBatchResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub->RecordBatch(&context, request, &response).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

// Each event is asked for its site, not the batch.
TEST(RecordBatchTest, AnEventOfAForeignSiteHindersNoOther) {
  ServiceWorld world;
  const std::string own = world.AddSite();
  const std::string foreign = world.AddSite();
  const Person person = world.EnrolPerson(v1::ROLE_OPERATOR, own, v1::MEANING_PERFORMED);
  world.Enrol("lab", {v1::PERMISSION_RECORD}, {own});
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("lab"));
  for (const bool is_own : {true, false}) {
    v1::RecordBatchResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(
        stub->RecordBatch(&context, ArrivalsOf(world, person, is_own ? own : foreign, 2), &response)
            .ok());
    for (const v1::RecordOutcome& outcome : response.outcomes()) {
      EXPECT_EQ(outcome.status_code(), is_own ? StatusCode::OK : StatusCode::PERMISSION_DENIED);
    }
  }
}

TEST(RecordStreamTest, ManyInFlightAreAllAnsweredByTag) {
  ServerOptions options;
  options.service.stream_in_flight_max = 8;  // Far below what is sent: reading stops and goes on.
  ServiceWorld world(options);
  constexpr std::uint64_t kEvents = 200;
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  grpc::ClientContext context;
  const auto stream = stub->RecordStream(&context);
  std::thread writer([&] {
    for (std::uint64_t tag = 1; tag <= kEvents; ++tag) {
      v1::RecordStreamRequest request;
      request.set_tag(tag);
      *request.mutable_signed_event() = world.SiteEvent();
      // Every tenth is forged: it is refused, and the stream goes on.
      if (tag % 10 == 0) request.mutable_signed_event()->mutable_event()->pop_back();
      ASSERT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
  });
  std::set<std::uint64_t> recorded;
  std::set<std::uint64_t> refused;
  std::uint64_t last_index = 0;
  bool in_order = true;
  v1::RecordStreamResponse response;
  while (stream->Read(&response)) {
    if (response.status_code() != 0) {
      EXPECT_EQ(response.status_code(), StatusCode::INVALID_ARGUMENT);
      EXPECT_FALSE(response.refusal().empty());
      refused.insert(response.tag());
      continue;
    }
    recorded.insert(response.tag());
    in_order = in_order && response.receipt().index() > last_index;
    last_index = response.receipt().index();
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(recorded.size(), kEvents - kEvents / 10);
  EXPECT_EQ(refused.size(), kEvents / 10);
  EXPECT_TRUE(in_order);
}

// A client that never takes its answers must not make the daemon keep them all.
TEST(RecordStreamTest, AClientThatDoesNotReadIsNotReadOn) {
  ServerOptions options;
  options.service.stream_in_flight_max = 100'000;
  options.service.stream_bytes_max = 16U << 10;
  ServiceWorld world(options);
  constexpr std::uint64_t kEvents = 2'000;
  // A connection that takes as little ahead of its reader as it may.
  const ServiceWorld::ClientFiles& files = world.FilesOf("everything");
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = world.ca_pem();
  tls.pem_cert_chain = files.certificate_pem;
  tls.pem_private_key = files.private_key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 << 10);
  const auto stub = v1::LedgerService::NewStub(Connected(
      grpc::CreateCustomChannel(world.server().address(), grpc::SslCredentials(tls), arguments)));
  grpc::ClientContext context;
  const auto stream = stub->RecordStream(&context);
  std::thread writer([&] {
    for (std::uint64_t tag = 1; tag <= kEvents; ++tag) {
      v1::RecordStreamRequest request;
      request.set_tag(tag);
      *request.mutable_signed_event() = world.SiteEvent();
      ASSERT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
  });
  // Until the log stands still.
  std::uint64_t size = 0;
  for (int quiet = 0; quiet < 10;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::uint64_t now = world.ledger().Snapshot()->size();
    quiet = now == size && now > 1 ? quiet + 1 : 0;
    size = now;
  }
  EXPECT_LT(size, kEvents / 2);
  std::uint64_t answers = 0;
  v1::RecordStreamResponse response;
  while (stream->Read(&response)) answers += response.status_code() == 0 ? 1U : 0U;
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answers, kEvents);
}

TEST(RecordStreamTest, CancelledStreamLeavesTheLedgerWhole) {
  ServiceWorld world;
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  {
    grpc::ClientContext context;
    const auto stream = stub->RecordStream(&context);
    for (int i = 0; i < 50; ++i) {
      v1::RecordStreamRequest request;
      *request.mutable_signed_event() = world.SiteEvent();
      stream->Write(request);
    }
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  EXPECT_TRUE(world.Record(world.SiteEvent()).ok());
}

TEST(WatchTest, ResumesFromAnIndexAndFilters) {
  ServiceWorld world;
  world.AddSite();
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_from_index(1);  // Behind entry 0.
  request.add_codes("GOV-03a");
  const auto watch = stub->Watch(&context, request);
  v1::WatchResponse response;
  ASSERT_TRUE(watch->Read(&response));
  const std::uint64_t first = response.index();
  EXPECT_GE(first, 1U);
  world.Enrol("other", {v1::PERMISSION_RECORD});  // GOV-05a: filtered away.
  const std::string site = world.AddSite();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_GT(response.index(), first);
  v1::Entry entry;
  v1::Event event;
  ASSERT_TRUE(entry.ParseFromString(response.entry()));
  ASSERT_TRUE(event.ParseFromString(entry.signed_event().event()));
  EXPECT_EQ(event.site_registered().site_id(), site);

  grpc::ClientContext resumed;
  request.set_from_index(first + 1);
  const auto again = stub->Watch(&resumed, request);
  v1::WatchResponse same;
  ASSERT_TRUE(again->Read(&same));
  EXPECT_EQ(same.index(), response.index());
  resumed.TryCancel();
  context.TryCancel();
  while (watch->Read(&response)) {
  }
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::CANCELLED);
}

TEST(WatchTest, EndsWithUnavailableWhenTheDaemonStops) {
  ServiceWorld world;
  const auto stub = v1::LedgerService::NewStub(world.ChannelOf("everything"));
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_from_index(1'000'000);
  const auto watch = stub->Watch(&context, request);
  world.server().StopStreams();
  v1::WatchResponse response;
  EXPECT_FALSE(watch->Read(&response));
  const grpc::Status status = watch->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_STOPPING);
}

TEST(WatchTest, UnknownCodeIsInvalid) {
  ServiceWorld world;
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.add_codes("XYZ-99");
  const auto watch =
      v1::LedgerService::NewStub(world.ChannelOf("everything"))->Watch(&context, request);
  v1::WatchResponse response;
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

// After a failed write: nobody gets a receipt, nothing is written any more, reads go on, and health
// says so.
TEST(FailureTest, FailedWriteIsUnavailableAndReadsServe) {
  for (const Fault fault : {Fault::kBeforeWrite, Fault::kAfterWrite}) {
    ServiceWorld world;
    HealthKeeper health(world.ledger(), world.server());
    health.Tick();
    const auto channel = world.ChannelOf("everything");
    EXPECT_EQ(HealthOf(channel, kWritesHealth), "SERVING");
    const std::uint64_t size = TreeSize(world);
    const std::uint64_t writes = world.store().apply_count();
    world.store().FailNextApply(fault);
    for (int i = 0; i < 2; ++i) {
      v1::RecordResponse response;
      const grpc::Status status = world.Record(world.SiteEvent(), &response);
      EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
      EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_STORE);
      EXPECT_FALSE(response.has_receipt());
    }
    // Streams and proposals are told the same.
    const auto stub = v1::LedgerService::NewStub(channel);
    grpc::ClientContext stream_context;
    const auto stream = stub->RecordStream(&stream_context);
    v1::RecordStreamRequest streamed;
    *streamed.mutable_signed_event() = world.SiteEvent();
    EXPECT_TRUE(stream->Write(streamed));
    stream->WritesDone();
    v1::RecordStreamResponse answer;
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_EQ(answer.status_code(), StatusCode::UNAVAILABLE);
    EXPECT_FALSE(answer.has_receipt());
    EXPECT_TRUE(stream->Finish().ok());
    grpc::ClientContext propose_context;
    v1::ProposeRequest proposal;
    *proposal.mutable_signed_event() = world.SiteEvent();
    v1::ProposeResponse proposed;
    EXPECT_EQ(stub->Propose(&propose_context, proposal, &proposed).error_code(),
              StatusCode::UNAVAILABLE);
    EXPECT_FALSE(proposed.has_receipt() || proposed.has_pending());
    EXPECT_EQ(world.store().apply_count(), writes + 1);
    health.Tick();
    EXPECT_EQ(HealthOf(channel, kWritesHealth), "NOT_SERVING");
    EXPECT_EQ(HealthOf(channel, kReadsHealth), "SERVING");
    EXPECT_EQ(HealthOf(channel, ""), "SERVING");
    EXPECT_EQ(world.ledger().Status().mode, LedgerMode::kReadOnly);
    grpc::ClientContext context;
    v1::GetCheckpointResponse checkpoint;
    EXPECT_TRUE(v1::LedgerService::NewStub(world.ChannelOf("everything"))
                    ->GetCheckpoint(&context, v1::GetCheckpointRequest(), &checkpoint)
                    .ok());
    EXPECT_EQ(checkpoint.size(), size);
  }
}

TEST(DrainTest, DrainingRefusesNewEventsAndAnswersReads) {
  ServiceWorld world;
  const auto channel = world.ChannelOf("everything");
  grpc::ClientContext context;
  v1::DrainResponse drained;
  ASSERT_TRUE(
      v1::AdminService::NewStub(channel)->Drain(&context, v1::DrainRequest(), &drained).ok());
  EXPECT_EQ(drained.tree_size(), TreeSize(world));
  const grpc::Status status = world.Record(world.SiteEvent());
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(FirstReason(status), v1::REASON_CODE_E_STOPPING);
}

}  // namespace
}  // namespace custody
