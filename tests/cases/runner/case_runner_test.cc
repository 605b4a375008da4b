#include "tests/cases/runner/case_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cases/runner/expectation.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHead[] = "case: A trial\nabout: Nothing much.\nsource: none\n---\n";
constexpr char kSite[] =
    "event: SiteRegistered\n"
    "sign: [administrator]\n"
    "body: {site_id: \"@+site/a\", organisation: A, country: TH, time_zone: Asia/Bangkok,"
    " functions: [CLINIC]}\n";

absl::StatusOr<CaseReport> PlayCase(const std::string& steps) {
  return RunCaseText(std::string(kHead) + steps, "trial.yaml");
}

std::string FailureOf(const std::string& steps) {
  const absl::StatusOr<CaseReport> report = PlayCase(steps);
  if (!report.ok()) return "error: " + std::string(report.status().message());
  std::string text;
  for (const std::string& failure : report->failures) text += failure + "\n";
  return text;
}

std::string ErrorOf(const std::string& steps) {
  const absl::StatusOr<CaseReport> report = PlayCase(steps);
  return report.ok() ? "no error" : std::string(report.status().message());
}

TEST(CaseRunner, PlaysWhatHolds) {
  ASSERT_OK_AND_ASSIGN(
      const CaseReport report,
      PlayCase(std::string(kSite) + "---\nstate: site:@site/a\nis: {country: TH}\n"));
  EXPECT_EQ(report.title, "A trial");
  EXPECT_EQ(report.steps, 2);
  EXPECT_THAT(report.failures, IsEmpty());
}

TEST(CaseRunner, NamesAWrongValueOfAState) {
  EXPECT_THAT(FailureOf(std::string(kSite) + "---\nstate: site:@site/a\nis: {country: DE}\n"),
              AllOf(HasSubstr("trial.yaml:10"), HasSubstr("country: expected DE, got TH")));
}

TEST(CaseRunner, NamesAWrongVerdictAndItsChecks) {
  const std::string failure = FailureOf(std::string(kSite) +
                                        "---\nclock: 2026-02-01T00:00:00Z\n"
                                        "---\nverify: RESERVE\ncontainers: \"@site/a\"\n"
                                        "site: \"@site/a\"\nverdict: GO\n");
  EXPECT_THAT(failure, HasSubstr("verdict: expected GO, got NO_GO"));
  EXPECT_THAT(failure, HasSubstr("failed checks: expected\n      (nothing)\n    got\n"));
  EXPECT_THAT(failure, HasSubstr("known E_UNKNOWN_SUBJECT"));
}

TEST(CaseRunner, WhatIsNotSaidMustNotHappen) {
  const std::string late =
      "---\nevent: LicenceRecorded\nsign: [quality]\nbody: {site_id: \"@site/a\", licence_type: "
      "CLINIC, number: L, document: {sha256: " +
      std::string(64, 'a') + "}}\n";
  EXPECT_THAT(FailureOf(kSite + late), IsEmpty());
  EXPECT_THAT(FailureOf(kSite + late + "findings: [LATE_ENTRY]\n"),
              HasSubstr("findings of LicenceRecorded: expected\n      LATE_ENTRY\n    got\n"));
  EXPECT_THAT(FailureOf(kSite + late + "consequences: [HoldPlaced]\n"),
              HasSubstr("consequences of LicenceRecorded: expected\n      HoldPlaced"));
}

TEST(CaseRunner, AFindingThatIsNotExpectedIsAFailure) {
  const std::string event =
      "---\npeople: {nurse: NURSE at @site/a}\n"
      "---\nevent: ThawAborted\nsite: \"@site/a\"\nsign: [\"nurse as CLINIC_RECEIVER/PERFORMED\"]\n"
      "body: {order_id: 000102030405060708090a0b0c0d0e0f, "
      "container_ids: [\"@+vial/1\"], elapsed_ms: 40s}\n";
  EXPECT_THAT(FailureOf(kSite + event),
              AllOf(HasSubstr("findings of ThawAborted: expected\n      (nothing)\n    got\n"),
                    HasSubstr("E_AUTHORITY critical authority")));
}

TEST(CaseRunner, StopsAtARefusalThatIsNotExpected) {
  const std::string wrong =
      "event: SiteRegistered\nsign: [quality as ADMINISTRATOR/APPROVED]\n"
      "body: {site_id: \"@+site/a\", organisation: A}\n";
  EXPECT_THAT(FailureOf(wrong + "---\nno_such_step: 1\n"),
              AllOf(HasSubstr("SiteRegistered should be recorded; reasons of the refusal"),
                    HasSubstr("E_AUTHORITY")));
  EXPECT_THAT(FailureOf(wrong + "refused: [E_HOLD]\n"),
              AllOf(HasSubstr("SiteRegistered is refused: expected\n      E_HOLD\n    got\n"),
                    HasSubstr("E_AUTHORITY")));
}

TEST(CaseRunner, StopsAtARecordThatShouldBeRefused) {
  EXPECT_THAT(FailureOf(std::string(kSite) + "refused: [E_HOLD]\n"),
              HasSubstr("SiteRegistered should be refused, and was recorded"));
}

TEST(CaseRunner, UnknownWordsAreErrorsWithTheirPlace) {
  EXPECT_THAT(ErrorOf("no_such_step: 1\n"),
              HasSubstr("trial.yaml:5:1: a step has one of the keys"));
  EXPECT_THAT(
      ErrorOf(std::string(kSite) + "finding: [E_HOLD]\n"),
      HasSubstr("trial.yaml:8:1: a draft has no field 'finding'; did you mean 'findings'?"));
  EXPECT_THAT(ErrorOf("state: site:@site/b\nis: {country: TH}\n"),
              HasSubstr("trial.yaml:5:8: no name 'site/b'"));
  EXPECT_THAT(ErrorOf(std::string(kSite) + "---\nstate: site:@site/a\nis: {contry: TH}\n"),
              HasSubstr("SiteState has no field 'contry'"));
  EXPECT_THAT(ErrorOf("verify: ADMINSTER\nverdict: GO\n"), HasSubstr("'ADMINSTER' is no Stage"));
  EXPECT_THAT(ErrorOf("advance: 40 s\nwhy: x\nverdict: GO\n"),
              HasSubstr("this step has no key 'verdict'"));
  EXPECT_THAT(ErrorOf("people: {a: NURS at @site/a}\n"), HasSubstr("trial.yaml:5"));
  EXPECT_THAT(ErrorOf("play: nowhere.yaml\n"), HasSubstr("nowhere.yaml: there is no such file"));
  EXPECT_THAT(ErrorOf("event: SiteRegistered\nsign: [nobody]\n"),
              HasSubstr("there is no signer 'nobody'"));
}

TEST(CaseRunner, TheHeadNeedsTitleProseAndSource) {
  EXPECT_THAT(std::string(RunCaseText("case: A\nabout: B\n", "a.yaml").status().message()),
              HasSubstr("needs the key 'source'"));
  EXPECT_THAT(std::string(RunCaseText("", "a.yaml").status().message()), HasSubstr("empty"));
  EXPECT_THAT(std::string(RunCaseText("case: [\n", "a.yaml").status().message()),
              HasSubstr("a.yaml:"));
}

TEST(CaseRunner, TheClockGoesForwardOnly) {
  EXPECT_THAT(ErrorOf("clock: 2026-02-01T00:00:00Z\n---\nclock: 2026-01-31T00:00:00Z\n"),
              HasSubstr("the clock goes forward only"));
}

TEST(CaseRunner, AWrongScanIsAFailure) {
  EXPECT_THAT(FailureOf("scan: \"=A99992500000100\"\nrefused: E_DIN_CHECKSUM\n"),
              HasSubstr("the label is refused: expected\n      E_DIN_CHECKSUM\n    got\n"
                        "      (nothing)"));
  EXPECT_THAT(FailureOf("keyboard: \"A9999 25 000001 X\"\n"), HasSubstr("E_DIN_CHECK"));
  EXPECT_THAT(FailureOf("keyboard: \"A9999 25 000001 P\"\ndonation_key: din:A999925000002\n"),
              HasSubstr("donation_key: expected din:A999925000002, got din:A999925000001"));
}

TEST(Expectation, WordsAreAPrefixAndThePieceStandsInTheExplanation) {
  EXPECT_TRUE(Fits("E_HOLD", "E_HOLD critical: hold of the donation"));
  EXPECT_TRUE(Fits("E_HOLD critical: donation", "E_HOLD critical: hold of the donation"));
  EXPECT_FALSE(Fits("E_HOL", "E_HOLD critical: hold"));
  EXPECT_FALSE(Fits("E_HOLD minor", "E_HOLD critical: hold"));
  EXPECT_FALSE(Fits("E_HOLD: lot", "E_HOLD critical: hold of the donation"));
}

TEST(Expectation, EachCountsAndASetDoesNot) {
  EXPECT_THAT(Compare("x", {"A"}, {"A: 1", "A: 2"}, Counting::kSet), IsEmpty());
  EXPECT_THAT(Compare("x", {"A"}, {"A: 1", "A: 2"}, Counting::kEach), HasSubstr("x: expected"));
  EXPECT_THAT(Compare("x", {"A", "B"}, {"A: 1"}, Counting::kSet), HasSubstr("      B\n"));
  EXPECT_THAT(Compare("x", {"A"}, {"A: 1", "B"}, Counting::kSet), HasSubstr("x: expected"));
}

}  // namespace
}  // namespace custody
