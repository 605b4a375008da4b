#!/usr/bin/env bash
# Runs every command of docs/your-own-ledger.md, in its order, as a newcomer would: what is in the ```sh
# blocks, in an empty home, with the port changed to a free one.
#
#   CUSTODY=... CUSTODYD=... PROJECT=... tests/integration/guide_test.sh
set -uo pipefail

work=$(mktemp -d)
cd "$work" || exit 1
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null; rm -rf "$work"' EXIT
port=$("$PROJECT/tests/support/free_ports" 1)
{
  echo 'set -e'
  # shellcheck disable=SC2016
  sed -n '/^```sh$/,/^```$/p' "$PROJECT/docs/your-own-ledger.md" | grep -v '^```' | sed "s/7445/$port/g; s/ &\$/ \& echo \$! >\"\$HOME\/pid\"/"
} >"$work/guide.sh"
# The programs as people call them.
mkdir "$work/bin"
ln -s "$CUSTODY" "$work/bin/custody"
ln -s "$CUSTODYD" "$work/bin/custodyd"
echo "the words of everybody" >"$work/words"
code=0
env -i HOME="$work" PATH="$work/bin:/usr/bin:/bin" CUSTODY_PASSPHRASE_FILE="$work/words" \
  TSAN_OPTIONS="${TSAN_OPTIONS:-}" \
  bash -x "$work/guide.sh" >"$work/out" 2>&1 </dev/null || code=$?
cat "$work/out"
failures=0
for text in "would be recorded  GOV-03a SiteRegistered" "recorded .*GOV-03b LicenceRecorded" "DNR-01  DonorRegistered  donor/first" \
  "named @device/tank-7" "exit 3: the ledger does not know it" "A included: verified" "B gap-free: verified" "C complete: verified"; do
  grep -q "$text" "$work/out" || { echo "FAILED: '$text' was not said"; failures=$((failures + 1)); }
done
if [ "$code" -ne 0 ]; then echo "FAILED: a command of the guide ended with exit $code"; failures=$((failures + 1)); fi
[ "$failures" -eq 0 ] && echo "the guide works"
