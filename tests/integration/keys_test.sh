#!/usr/bin/env bash
# Runs every command of docs/your-own-ledger.md and then of docs/keys.md, in their order, over the real
# programs: keys are rotated while entries, receipts and bundles are made before, between and after; both
# verifiers judge them. Then a token (SoftHSM) and a time stamp authority (openssl ts).
#
#   CUSTODY=... CUSTODYD=... PROJECT=... tests/integration/keys_test.sh
set -uo pipefail

work=$(mktemp -d)
cd "$work" || exit 1
trap 'kill $(cat "$work/pids" 2>/dev/null) 2>/dev/null; rm -rf "$work"' EXIT
port=$("$PROJECT/tests/support/free_ports" 1)
# shellcheck disable=SC2016
blocks() { sed -n '/^```sh$/,/^```$/p' "$PROJECT/docs/$1" | grep -v '^```'; }
{
  echo 'set -e'
  # shellcheck disable=SC2016
  { blocks your-own-ledger.md; blocks keys.md; } |
    sed "s/7445/$port/g; s/ &\$/ \& echo \$! >>\"\$HOME\/pids\"/; s/ & daemon=\$!\$/ \& daemon=\$!; echo \$daemon >>\"\$HOME\/pids\"/"
  cat <<'MORE'
cp trust.toml retired.toml
# A retired key that signs on: its size is passed at once.
sed "s/last_size = [0-9]*/last_size = 1/" trust.toml > too-late.toml
code=0
CUSTODY_TRUST=$PWD/too-late.toml custody log receipt 5 -o late.receipt 2> late.said || code=$?
echo "$code" > late.code
# Somebody else has had Quinn's key all the time.
cat > stolen.yaml <<YAML
event: KeyRevoked
sign: [ann]
body:
  person_id: "@signer:quinn"
  key_id: $(custody --json key show quinn | jq -r '.. | .key_id? // empty' | head -n 1)
  compromised_since_ms: 2020-01-01T00:00:00Z
YAML
custody event record stolen.yaml
custody export "$donor" -o suspect.custody
cp -r "$PWD" "$HOME/ledger"
MORE
} >"$work/keys.sh"
mkdir "$work/bin"
ln -s "$CUSTODY" "$work/bin/custody"
ln -s "$CUSTODYD" "$work/bin/custodyd"
echo "the words of everybody" >"$work/words"
code=0
env -i HOME="$work" PATH="$work/bin:/usr/bin:/bin" CUSTODY_PASSPHRASE_FILE="$work/words" \
  TSAN_OPTIONS="${TSAN_OPTIONS:-}" bash -x "$work/keys.sh" >"$work/out" 2>&1 </dev/null || code=$?
cat "$work/out"

checks=0 failures=0
fail() { failures=$((failures + 1)); echo "FAILED: $1"; }
# expect CODE TITLE COMMAND...
expect() {
  local want=$1 title=$2 code=0; shift 2
  checks=$((checks + 1))
  "$@" >said 2>&1 </dev/null || code=$?
  if [ "$code" -eq "$want" ]; then echo "ok: $title"; else fail "$title: exit $code, want $want"; head -n 30 said; fi
}
says() { checks=$((checks + 1)); grep -qF -e "$1" said || { fail "'$1' was not said"; head -n 30 said; }; }
[ "$code" -eq 0 ] || { fail "a command of the pages ended with exit $code"; exit 1; }
cd ledger || exit 1
export CUSTODY_CONFIG_DIR=/nonexistent NO_COLOR=1 PYTHONPATH=$PROJECT/client/python PYTHONDONTWRITEBYTECODE=1

# --- what the pages did -------------------------------------------------------------------------------
expect 0 "two lines while both sign" test "$(grep -c '^— ' both.checkpoint)" = 2
expect 0 "one line afterwards" test "$(grep -c '^— ' new.checkpoint)" = 1
for file in before after; do
  expect 0 "custody: the bundle from $file the rotation" "$CUSTODY" verify $file.custody --trust retired.toml
done
says "B gap-free: verified"
# What only the old key signed, by a trust file that lets it sign nothing of that size: no accusation.
expect 3 "custody: a key that was retired before" "$CUSTODY" verify before.custody --trust too-late.toml
says "was retired before"
expect 0 "custody: the new bundle does not need the old key" "$CUSTODY" verify after.custody --trust too-late.toml
expect 0 "custody: a receipt of a key that was retired before cannot be checked" test "$(cat late.code)" = 3
expect 0 "and is not kept" test ! -e late.receipt
cp late.said said
says "was retired before"
if python3 -c 'import cryptography, tomllib' 2>/dev/null; then
  for file in before after; do
    expect 0 "Python: the bundle from $file the rotation" python3 -m custody_verify bundle $file.custody --trust retired.toml
  done
  for file in before again; do
    expect 0 "Python: receipt $file" python3 -m custody_verify receipt $file.receipt --trust retired.toml
  done
  expect 3 "Python: a key that was retired before" python3 -m custody_verify bundle before.custody --trust too-late.toml
  says "was retired before"
  expect 3 "Python: a receipt of a key that was retired before" python3 -m custody_verify receipt before.receipt --trust too-late.toml
else
  echo "SKIPPED: the Python verifier: python3-cryptography is not installed"
fi

# A stolen key forges nothing by that: what it signed is named, and nobody is accused.
not_accused() {
  says "suspect keys"
  says "revoked as compromised"
  says "cannot be checked"
  checks=$((checks + 1))
  if grep -qi "forged\|proof false" said; then fail "a true signature is called false"; fi
}
expect 0 "custody: signatures of a stolen key" "$CUSTODY" verify suspect.custody --trust retired.toml
not_accused
if python3 -c 'import cryptography, tomllib' 2>/dev/null; then
  expect 0 "Python: signatures of a stolen key" python3 -m custody_verify bundle suspect.custody --trust retired.toml
  not_accused
fi

# --- a time stamp --------------------------------------------------------------------------------------
"$PROJECT/tests/support/make_tsa" "$work/clock" && "$PROJECT/tests/support/make_tsa" "$work/stranger"
ask() { openssl ts -reply -config "$work/$1/tsa.cnf" -queryfile "$2" -out "$3" 2>/dev/null; }
{ cat retired.toml; echo "timestamp_ca = \"$work/clock/ca.pem\""; } >stamps.toml
for file in before.custody new.checkpoint; do
  expect 0 "the question for $file" "$CUSTODY" timestamp query $file -o $file.tsq
  ask clock $file.tsq $file.tsr
  expect 0 "the answer for $file" "$CUSTODY" timestamp check $file $file.tsr --trust stamps.toml
  says "Test clock saw this checkpoint at 20"
done
expect 0 "openssl agrees" openssl ts -verify -data new.checkpoint -in new.checkpoint.tsr -CAfile "$work/clock/ca.pem"
expect 0 "a bundle with its time stamp" "$CUSTODY" verify before.custody --timestamp before.custody.tsr --trust stamps.toml
says "Test clock saw the checkpoint at 20"
expect 6 "the time stamp of another checkpoint" "$CUSTODY" verify before.custody --timestamp new.checkpoint.tsr --trust stamps.toml
says "over other bytes"
ask stranger before.custody.tsq stranger.tsr
expect 3 "the time stamp of a stranger" "$CUSTODY" verify before.custody --timestamp stranger.tsr --trust stamps.toml
expect 3 "checked alone" "$CUSTODY" timestamp check before.custody stranger.tsr --trust stamps.toml
head -c -9 before.custody.tsr >cut.tsr
expect 6 "a damaged time stamp" "$CUSTODY" verify before.custody --timestamp cut.tsr --trust stamps.toml
expect 3 "no authority is trusted" "$CUSTODY" verify before.custody --timestamp before.custody.tsr --trust retired.toml

# The same stamps inside of the bundle.
expect 0 "a time stamp is attached" "$CUSTODY" timestamp attach before.custody before.custody.tsr -o stamped.custody
expect 0 "and judged" "$CUSTODY" --json verify stamped.custody --trust stamps.toml
says '"id":"timestamp","outcome":"verified"'
stamped_at=$(grep -o '"stamped_at_ms":[1-9][0-9]*' said)
expect 0 "at the same time as beside it" "$CUSTODY" --json verify before.custody --timestamp before.custody.tsr --trust stamps.toml
says "$stamped_at"
expect 0 "without an authority it takes nothing away" "$CUSTODY" verify stamped.custody --trust retired.toml
says "cannot be checked: the trust file names no authority of time"
expect 0 "it leaves with nothing else" "$CUSTODY" redact stamped.custody -o redacted.custody
expect 0 "and is still judged" "$CUSTODY" verify redacted.custody --trust stamps.toml
says "Test clock saw the checkpoint at 20"
expect 6 "that of another checkpoint is not attached" "$CUSTODY" timestamp attach before.custody new.checkpoint.tsr -o wrong.custody
expect 6 "nor a damaged one" "$CUSTODY" timestamp attach before.custody cut.tsr -o wrong.custody
expect 2 "nor one to what is no bundle" "$CUSTODY" timestamp attach new.checkpoint new.checkpoint.tsr -o wrong.custody
expect 0 "nothing was written" test ! -e wrong.custody
expect 0 "that of a stranger is attached" "$CUSTODY" timestamp attach before.custody stranger.tsr -o strange.custody
expect 0 "and takes nothing away" "$CUSTODY" verify strange.custody --trust stamps.toml
says "leads to a trusted authority of time"
expect 0 "a named one goes before it" "$CUSTODY" verify strange.custody --timestamp before.custody.tsr --trust stamps.toml
says "Test clock saw the checkpoint at 20"
# What somebody else has put there: the stamp of the other checkpoint, field 13 of the bundle.
tsr_size=$(stat -c %s new.checkpoint.tsr)
tag=$(printf 'j\\x%02x\\x%02x' $((tsr_size % 128 + 128)) $((tsr_size / 128)))
{ cat before.custody; printf '%b' "$tag"; cat new.checkpoint.tsr; } >wrong.custody
expect 6 "a false one is false" "$CUSTODY" verify wrong.custody --trust stamps.toml
says "over other bytes"
if python3 -c 'import cryptography, tomllib' 2>/dev/null; then
  expect 0 "Python: a bundle that carries a time stamp" python3 -m custody_verify bundle stamped.custody --trust stamps.toml
  says "verified           timestamp    Test clock saw the checkpoint at 20"
  expect 0 "Python: that of a stranger takes nothing away" python3 -m custody_verify bundle strange.custody --trust stamps.toml
  says "not yet proven     timestamp"
  expect 6 "Python: a false one is false" python3 -m custody_verify bundle wrong.custody --trust stamps.toml
  says "over other bytes"
  expect 3 "Python: no authority is trusted" python3 -m custody_verify bundle before.custody --timestamp before.custody.tsr --trust retired.toml
  expect 0 "Python: a checkpoint alone" python3 -m custody_verify timestamp new.checkpoint new.checkpoint.tsr --trust stamps.toml
  expect 6 "Python: the stamp of another checkpoint" python3 -m custody_verify timestamp new.checkpoint before.custody.tsr --trust stamps.toml
fi

# --- a token -------------------------------------------------------------------------------------------
module=""
for path in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do [ -e "$path" ] && module=$path; done
if [ -z "$module" ] || ! command -v softhsm2-util >/dev/null; then
  echo "SKIPPED: keys in a token: SoftHSM is not installed (deploy/packages test)"
else
  mkdir token && printf 'directories.tokendir = %s/token\n' "$PWD" >softhsm2.conf
  export SOFTHSM2_CONF=$PWD/softhsm2.conf
  echo 4711 >pin && echo 0000 >wrong-pin
  softhsm2-util --init-token --free --label custody --so-pin 12345678 --pin 4711 >/dev/null
  uri() { echo "pkcs11:token=custody;object=$1?module-path=$module&pin-source=file:$PWD/${2:-pin}"; }
  settings=(--set "ledger.origin=token.example/ledger" --set "ledger.data_directory=$PWD/token-data"
    --set "ledger.log_key_file=$(uri log)" --set "ledger.service_key_file=$(uri service)"
    --set listen.insecure_loopback=true --set listen.address=127.0.0.1:0 --set "listen.address_file=$PWD/token-address"
    --set metrics.address=)
  expect 0 "a log key is made in the token" "$CUSTODYD" new-key "$(uri log)" "${settings[@]}"
  says "token.example/ledger+"
  expect 5 "but not twice" "$CUSTODYD" new-key "$(uri log)" "${settings[@]}"
  expect 0 "a service key is made in the token" "$CUSTODYD" new-key --p256 "$(uri service)" "${settings[@]}"
  expect 4 "a wrong PIN" "$CUSTODYD" show-key "$(uri log wrong-pin)" "${settings[@]}"
  says "PIN"
  keys=$work/.config/custody/keys
  expect 0 "a ledger begins with both" "$CUSTODYD" init "${settings[@]}" --administrator "$keys/ann.json" \
    --quality "$keys/quinn.json" --trust-output token.toml
  "$CUSTODYD" serve "${settings[@]}" >token.log 2>&1 &
  echo $! >>"$work/pids"
  for _ in $(seq 100); do [ -s token-address ] && break; sleep 0.1; done
  expect 0 "it serves" env CUSTODY_CONFIG_DIR="$PWD/token-config" "$CUSTODY" context add token --use \
    --endpoint "$(cat token-address)" --insecure-loopback --trust token.toml
  expect 0 "its checkpoint verifies" env CUSTODY_CONFIG_DIR="$PWD/token-config" "$CUSTODY" log checkpoint
  expect 0 "it writes" env CUSTODY_CONFIG_DIR="$PWD/token-config" "$CUSTODY" --json log status
  says '"serving"'
fi
echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
