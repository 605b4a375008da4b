// Server and client of this folder against one another, over real sockets.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "daemon/http/client.h"
#include "daemon/http/server.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

HttpUrl UrlOf(const HttpServer& server, const std::string& prefix = "") {
  return ParseHttpUrl("http://" + server.address() + prefix).value();
}

HttpResponse Echo(const HttpRequest& request) {
  return {request.path == "/missing" ? 404 : 200, "text/x.test",
          request.method + " " + request.path + " " + request.body};
}

std::unique_ptr<HttpServer> StartServer(HttpServer::Handler handler,
                                        HttpServerOptions options = {}) {
  options.address = "127.0.0.1:0";
  return HttpServer::Start(options, std::move(handler)).value();
}

TEST(HttpTest, CarriesMethodPathBodyStatusAndType) {
  const auto server = StartServer(Echo);
  ASSERT_OK_AND_ASSIGN(const HttpResponse response,
                       CallHttp(UrlOf(*server, "/w/"), {"POST", "/add", "body"}, {}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/x.test");
  EXPECT_EQ(response.body, "POST /w/add body");
  EXPECT_EQ(CallHttp(UrlOf(*server), {"GET", "/missing", ""}, {})->status, 404);
}

TEST(HttpTest, ServesSeveralAtOnce) {
  const auto server = StartServer([](const HttpRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return HttpResponse{};
  });
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_OK(CallHttp(UrlOf(*server), {"GET", "/", ""}, {}).status());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1'100));
}

TEST(HttpTest, RefusesABodyOverTheLimit) {
  HttpServerOptions options;
  options.body_bytes_max = 100;
  const auto server = StartServer(Echo, options);
  EXPECT_EQ(CallHttp(UrlOf(*server), {"POST", "/", std::string(100, 'x')}, {})->status, 200);
  EXPECT_EQ(CallHttp(UrlOf(*server), {"POST", "/", std::string(101, 'x')}, {})->status, 413);
}

TEST(HttpTest, ClosesConnectionsOverTheLimitAndSilentOnes) {
  HttpServerOptions options;
  options.connections_max = 1;
  options.patience_ms = 300;
  const auto server = StartServer(Echo, options);
  const HostPort at = ParseHostPort(server->address()).value();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(at.port);
  inet_pton(AF_INET, at.host.c_str(), &address.sin_addr);
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(silent, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(CallHttp(UrlOf(*server), {"GET", "/", ""}, {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, testing::_));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_OK(CallHttp(UrlOf(*server), {"GET", "/", ""}, {}).status());
  ::close(silent);
}

TEST(HttpTest, ACallEndsAtItsDeadline) {
  const auto server = StartServer([](const HttpRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
    return HttpResponse{};
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(CallHttp(UrlOf(*server), {"GET", "/", ""}, {.timeout_ms = 200}).status(),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("read the answer")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(700));
}

TEST(HttpTest, AnAnswerOverTheLimitIsNotRead) {
  const auto server = StartServer([](const HttpRequest&) {
    return HttpResponse{200, "x", std::string(9'000, 'x')};
  });
  EXPECT_THAT(CallHttp(UrlOf(*server), {"GET", "/", ""}, {.body_bytes_max = 1'000}).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, testing::_));
}

TEST(HttpTest, NobodyThereIsUnavailable) {
  std::string address;
  { address = StartServer(Echo)->address(); }
  EXPECT_THAT(CallHttp(ParseHttpUrl("http://" + address).value(), {"GET", "/", ""}, {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot connect")));
}

TEST(HttpTest, StopLetsWhoeverIsThereHaveAnAnswer) {
  auto server = StartServer([](const HttpRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return HttpResponse{200, "x", "done"};
  });
  absl::StatusOr<HttpResponse> answer = absl::UnknownError("");
  std::thread caller([&] { answer = CallHttp(UrlOf(*server), {"GET", "/", ""}, {}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  server->Stop(5'000);
  caller.join();
  ASSERT_OK(answer.status());
  EXPECT_EQ(answer->body, "done");
}

TEST(HttpUrlTest, ReadsWhatItCanReach) {
  const HttpUrl url = ParseHttpUrl("http://[::1]:7445/witness/").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, "7445");
  EXPECT_EQ(url.prefix, "/witness");
  EXPECT_EQ(ParseHttpUrl("http://w.example")->port, "80");
  for (const char* bad : {"", "w.example", "ftp://w", "http://", "http://w:99999", "http://w/ x",
                          "http://a@b/", "http://w/?q", "https://w.example"}) {
    EXPECT_THAT(ParseHttpUrl(bad).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want http://")))
        << bad;
  }
}

TEST(HttpUrlTest, AWebUrlMayAskForTls) {
  const HttpUrl url = ParseWebUrl("https://log.example/custody/").value();
  EXPECT_TRUE(url.is_tls);
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.host, "log.example");
  EXPECT_EQ(url.prefix, "/custody");
  EXPECT_EQ(ParseWebUrl("https://log.example:8443")->port, "8443");
  EXPECT_FALSE(ParseWebUrl("http://log.example")->is_tls);
  for (const char* bad : {"https://", "https://w:99999", "https://a@b/", "ftp://w"}) {
    EXPECT_THAT(ParseWebUrl(bad).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")))
        << bad;
  }
}

// What is there answers, but not in TLS: nothing is sent to it.
TEST(HttpTest, APlainServerIsNotSpokenToOverTls) {
  std::atomic<int> asked = 0;
  const auto server = StartServer([&](const HttpRequest&) {
    ++asked;
    return HttpResponse{};
  });
  HttpUrl url = UrlOf(*server);
  url.is_tls = true;
  EXPECT_THAT(CallHttp(url, {"GET", "/", ""}, {.bearer_token = "secret"}).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("agree on TLS")));
  EXPECT_THAT(CallHttp(url, {"GET", "/", ""}, {.authorities_pem = "none"}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("authorities")));
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace custody
