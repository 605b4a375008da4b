#!/usr/bin/env bash
# The command `custody` as people meet it, over a real daemon: the whole story of the quickstart, two
# people at two places, every input format, every exit code, JSON, completion.
#
#   CUSTODY=... CUSTODYD=... PROJECT=... tests/integration/cli_test.sh
#
# Prints one line for each check; exit 1 if any failed. One daemon, one folder under $TMPDIR.
set -uo pipefail

work=$(mktemp -d)
pid="" slow=""
finish() {
  [ -z "$slow" ] || kill "$slow" 2>/dev/null
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
  rm -rf "$work"
}
trap finish EXIT
# Nothing of the person who runs the test may be read.
unset CUSTODY_CONTEXT CUSTODY_ENDPOINT CUSTODY_KEYS CUSTODY_NAMES CUSTODY_TRUST CUSTODY_PASSPHRASE_FILE
export HOME=$work CUSTODY_CONFIG_DIR=$work/config NO_COLOR=1
cd "$work" || exit 1
# Without a controlling terminal nobody can be asked for a passphrase.
custody() { setsid -w "$CUSTODY" "$@"; }

checks=0 failures=0
fail() { failures=$((failures + 1)); echo "FAILED: $1"; sed 's/^/    /' out err 2>/dev/null | head -n 20; }
# expect CODE TITLE COMMAND...: output goes to the files out and err.
expect() {
  local want=$1 title=$2 code=0; shift 2
  checks=$((checks + 1))
  "$@" >out 2>err </dev/null || code=$?
  if [ "$code" -eq "$want" ]; then echo "ok: $title"; else fail "$title: exit $code, want $want"; fi
}
# The last command said this, on stdout or stderr.
says() {
  checks=$((checks + 1))
  grep -qF -e "$1" out err || fail "'$1' was not said"
}
# The last command's stdout is JSON for which the expression of jq is true.
json() {
  checks=$((checks + 1))
  jq -es "$1" out >/dev/null 2>&1 || fail "not JSON, or not: $1"
}
same() {
  checks=$((checks + 1))
  [ "$1" = "$2" ] || fail "'$1' is not '$2'"
}

# --- a ledger --------------------------------------------------------------------------------------
custody -q pki init pki >/dev/null
for name in all clinic; do custody -q pki issue pki $name >/dev/null; done
custody -q pki issue pki server --server --ip 127.0.0.1 >/dev/null
mkdir passphrases
for name in administrator quality; do echo "words of $name" >passphrases/$name; done
while read -r name role kind; do
  case $name in ''|'#'*) continue ;; esac
  case $name in
    administrator|quality) custody -q --passphrase-file passphrases key new "$name" --role "$role" ;;
    *) if [ "${kind:-}" = device ]; then set -- --device; else set -- --role "$role"; fi
       custody -q key new "$name" --unencrypted "$@" ;;
  esac >/dev/null || exit 1
done <"$PROJECT/deploy/quickstart.d/signers.txt"
cat >custodyd.toml <<TOML
[ledger]
origin = "cli.example/ledger"
data_directory = "$work/data"
anchor_file = "$work/anchor/checkpoint"
[listen]
address = "127.0.0.1:0"
address_file = "$work/address"
certificate_file = "$work/pki/server.crt"
private_key_file = "$work/pki/server.key"
client_ca_file = "$work/pki/ca.crt"
[limits]
page_entries_max = 40
[metrics]
address = ""
TOML
expect 0 "custodyd init" "$CUSTODYD" init --config custodyd.toml --administrator config/keys/administrator.json \
  --quality config/keys/quality.json --principal-certificate pki/all.crt --trust-output trust.toml
"$CUSTODYD" serve --config custodyd.toml >daemon.log 2>&1 </dev/null &
pid=$!
for _ in $(seq 200); do [ -s address ] && break; sleep 0.1; done
[ -s address ] || { cat daemon.log; exit 1; }
# Paths are relative to the working folder.
expect 0 "context add" custody context add main --endpoint "$(cat address)" --ca pki/ca.crt \
  --certificate pki/all.crt --private-key pki/all.key --trust trust.toml --use
expect 0 "context show" custody --json context show
json ".[0].trust == \"$work/trust.toml\" and .[0].names == \"$work/config/main.names.json\""
expect 5 "a context that exists" custody context add main --endpoint x:1
expect 2 "an unknown context" custody -c elsewhere log status
says "there is: main"
expect 0 "log status" custody --json log status
json '.[0].mode == "serving"'

# --- the story ---------------------------------------------------------------------------------------
story=$PROJECT/deploy/quickstart.d/story
export CUSTODY_PASSPHRASE_FILE=$work/passphrases
tell() { for name in "$@"; do expect 0 "story $name" custody event record "$story/$name.yaml"; done; }
tell 01-organisation 02-donor 03-procurement 04-manufacture 05-release 06-shipment 07-clinic-order 08-clinic-thaw
bedside=(--patient @patient/p1 --order @order/o1 --route INTRAVENOUS --duration 30min --site @site/clinic)
expect 0 "GO by name" custody dose verify @vial/1 @vial/2 "${bedside[@]}"
says "GO   ADMINISTER"
expect 0 "GO by scan, as JSON" custody --json dose verify '=+03000=A99992600010100=<S1234VA0&>0283652359' \
  '=+03000=A99992600010100=<S1234VB0&>0283652359' "${bedside[@]}"
json 'length == 1 and .[0].value == "GO"'
expect 0 "export" custody export container:@vial/1 @vial/1 @vial/2 "${bedside[@]}" -o vial.custody
expect 0 "verify offline, without any context" env CUSTODY_CONFIG_DIR=/nonexistent "$CUSTODY" verify vial.custody --trust trust.toml
says "D recomputed: verified"
says "subject: container"
expect 0 "verify for a moment" custody --json verify vial.custody --at now
json '.[0].moment_was_given and (.[0].container_ids | length == 2) and .[0].as_of_ms <= .[0].judged_at_ms'
expect 3 "a GO that has ended" custody verify vial.custody --at now+2000d
says "the verdict ended at"
expect 0 "a bundle about a third vial" custody export container:@vial/3 @vial/1 @vial/2 "${bedside[@]}" -o third.custody
expect 3 "a GO for other vials" custody verify third.custody
says "the verdict is about other containers"
tell 09-clinic-administration
expect 0 "trace back" custody trace back container:@vial/1
says "donor/newborn"
expect 0 "trace back as JSON" custody --json trace back container:@vial/1
json '.[0] | length > 3 and (map(.subject.kind) | index("DONOR"))'
expect 0 "trace forward as Graphviz" custody trace forward donor:@donor/mother --graphviz
says "digraph custody {"
tell 10-second-patient 11-late-result
sibling=(dose verify @vial/3 --order @order/o2 --patient @patient/p2 --route INTRAVENOUS --duration 30min --site @site/clinic)
expect 1 "NO-GO" custody "${sibling[@]}"
says "E_HOLD"
expect 1 "an authorisation that is refused" custody event record "$story/12-sibling-refused.yaml"
says "error[E_HOLD]"
expect 1 "the same, dry" custody event record "$story/12-sibling-refused.yaml" --dry-run
says "would be refused"

# --- queries, as people and as JSON --------------------------------------------------------------------
size() { custody --json log status 2>/dev/null | jq .tree_size; }
for query in "subject show donation:@donation/cord" "subject cases" "subject clocks" "event list" \
  "event list container:@vial/1" "event pending" "log checkpoint" "log receipt 1" "event show 0" "key list" \
  "key show quality" "name list" "context list" "event new" "log watch --from 0 --count 1" \
  "event list --code CLN-12 --site @site/clinic --signer nurse-a --since now-1h --until now+1h"; do
  # shellcheck disable=SC2086
  expect 0 "$query" custody --json $query
  json 'length == 1'
done
expect 0 "list of one event" custody --json event list --code CLN-12 --signer nurse-a
json '.[0] | length == 1 and .[0].event.administration_ended.outcome == "COMPLETED"'
expect 0 "many pages" custody --json event list --limit 600
json '.[0] | length > 120 and (map(.index) | unique | length) == length'
expect 0 "watch as lines" custody --json log watch --from 0 --count 5
same "$(wc -l <out)" 5
expect 0 "no talk on stdout" custody -q context use main
same "$(cat out err)" ""

# --- input: YAML, JSON, protobuf text, standard input, dry run ------------------------------------------
cat >site.yaml <<'YAML'
event: SiteRegistered
body: {site_id: "@+site/yaml", organisation: Lab of the Test, country: TH, time_zone: Asia/Bangkok, functions: [QC_LABORATORY]}
YAML
sed 's|@+site/yaml|@+site/typed|' site.yaml >typed.yaml
before=$(size)
expect 0 "a dry run needs no passphrase" env -u CUSTODY_PASSPHRASE_FILE setsid -w "$CUSTODY" event record site.yaml --sign administrator --dry-run
says "would be recorded"
expect 0 "a dry run as JSON" custody --json event record site.yaml --sign administrator --dry-run
json '.[0].accepted'
same "$(size)" "$before"
expect 2 "a dry run creates no name" custody subject show site:@site/yaml
expect 0 "YAML" custody event record site.yaml --sign administrator
echo '{"event":"SiteRegistered","sign":["administrator"],"body":{"siteId":"@+site/json","organisation":"J","country":"TH","timeZone":"Asia/Bangkok","functions":["CLINIC"]}}' >site.json
expect 0 "JSON" custody event record site.json
expect 0 "standard input" bash -c "\"$CUSTODY\" event record - --sign administrator <typed.yaml"
cat >site.textproto <<'TEXT'
site_registered { site_id: "0123456789abcdef" organisation: "P" country: "TH" time_zone: "Asia/Bangkok" functions: SITE_FUNCTION_CLINIC }
TEXT
expect 0 "protobuf text" custody --json event record site.textproto --sign administrator
json '.[0].event.site_registered.site_id == "30313233343536373839616263646566"'
expect 1 "protobuf text on standard input: the site exists" bash -c "\"$CUSTODY\" event record - --format textproto --sign administrator <site.textproto"
says "E_SUBJECT_EXISTS"
echo 'site_registered { sight: 1 }' >bad.textproto
expect 2 "a wrong field in protobuf text" custody event record bad.textproto --sign administrator
says "bad.textproto:1:24"
printf 'event: SiteRegistered\nbody: {organization: X}\n' >bad.yaml
expect 2 "a wrong field in YAML" custody event record bad.yaml
says "bad.yaml:2:8: SiteRegistered has no field 'organization'; did you mean 'organisation'?"
expect 2 "an unknown name" custody event show @nobody
expect 2 "an unknown event type" custody event new SiteRegistred
says "did you mean SiteRegistered?"

# --- enrolment; two people at two places -----------------------------------------------------------------
mkdir north south
north() { CUSTODY_CONFIG_DIR=$work/north CUSTODY_PASSPHRASE_FILE=$work/north.words custody "$@"; }
south() { CUSTODY_CONFIG_DIR=$work/south CUSTODY_PASSPHRASE_FILE=$work/south.words custody "$@"; }
cp passphrases/administrator north.words; cp passphrases/quality south.words
mkdir -p north/keys south/keys
cp config/keys/administrator.* north/keys; cp config/keys/quality.* south/keys
expect 0 "a key of the north" north key new nurse-n --role NURSE --printed-name "Nora Example"
site=$(custody --json name list | jq -r '."site/clinic"')
expect 2 "nobody checked who it is" north key enrol nurse-n --site "$site" --until now+365d
says "identity-proof"
echo "Identity check of nurse-n." >identity.txt
expect 0 "its enrolment as a draft" north key enrol nurse-n --site "$site" --until now+365d --identity-proof identity.txt
says "role: NURSE"
cp out enrol.yaml
expect 2 "the draft is for a ledger that must be known" north event draft enrol.yaml -o enrol.event
says "trust"
for place in north south; do
  $place -q context add main --endpoint "$(cat address)" --ca pki/ca.crt --certificate pki/all.crt \
    --private-key pki/all.key --trust trust.toml
done
expect 0 "draft" north --json event draft enrol.yaml -o enrol.event
digest=$(jq -r .event_digest out)
expect 0 "signed in the north" north event sign enrol.event --as administrator -o north.sig
expect 4 "a wrong passphrase" north --passphrase-file south.words event sign enrol.event --as administrator -o x.sig
says "does not open"
expect 2 "a passphrase that nobody can be asked for" env -u CUSTODY_PASSPHRASE_FILE CUSTODY_CONFIG_DIR="$work/north" \
  setsid -w "$CUSTODY" event sign enrol.event --as administrator -o x.sig
says "--passphrase-file"
expect 0 "signed in the south" south event sign enrol.event --as "quality as QUALITY_ASSURANCE/APPROVED" -o south.sig
says "You sign: GOV-01a ActorEnrolled"
expect 1 "one signature is too few" south event record enrol.event --signature north.sig
says "E_FOUR_EYES"
expect 2 "no signature at all" south event record enrol.event
expect 2 "a file that is no signature" south event record enrol.event --signature north.sig --signature trust.toml
expect 0 "both signatures" south --json event record enrol.event --signature north.sig --signature south.sig
json '.[0].statements | map(.role) | sort == ["ADMINISTRATOR", "QUALITY_ASSURANCE"]'
first=$(jq .index out)
expect 0 "sent twice it is the same entry" north --json event record enrol.event --signature south.sig --signature north.sig
same "$(jq .index out)" "$first"
expect 0 "found by its digest" custody --json event show "$digest"
same "$(jq .index out)" "$first"
expect 2 "a signature of another event" custody event record site.yaml --signature north.sig
expect 0 "a device, enrolled in one step" bash -c "\"$CUSTODY\" -q key new probe --device --unencrypted >/dev/null &&
  \"$CUSTODY\" key enrol probe --device-type LOGGER --serial SN-1 --site @site/clinic --sign administrator"
says "named @device/probe"
cat >hold.yaml <<'YAML'
event: PolicyActivated
policy: "@policy-hash:policy.json|product/msc"
body: {policy_id: "@policy-id:policy.json|product/msc", product_id: "@product/msc", regimes: [EU]}
YAML
cp "$PROJECT/deploy/quickstart.d/policy.json" .
expect 0 "a decision left with the ledger" custody --json event propose hold.yaml --sign quality
json '.[0].event_digest | length == 64'
digest=$(jq -r .event_digest out)
expect 0 "it is pending" custody --json event pending
json '.[0].pending | length == 1'
expect 1 "the same person twice" custody event cosign "$digest" --as "quality as RELEASE_AUTHORITY/APPROVED"
expect 2 "cosign without a signer" custody event cosign "$digest"
expect 0 "the second person signs" custody event cosign "$digest" --as release
says "recorded"

# --- conflicts, permissions, proofs, reach ---------------------------------------------------------------
id=$(printf '%012x7abc8%s' "$(date +%s%3N)" "$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n' | cut -c2-)")
{ echo "id: $id"; sed 's|@+site/yaml|@+site/once|' site.yaml; } >once.yaml
{ echo "id: $id"; sed 's|@+site/yaml|@+site/twice|' site.yaml; } >twice.yaml
expect 0 "an event with an id of its own" custody event record once.yaml --sign administrator
expect 5 "the id with another content" custody event record twice.yaml --sign administrator
says "E_DUP_CONFLICT"
expect 0 "a clinic may ask, not record" custody principal enrol pki/clinic.crt --label clinic --site @site/clinic \
  --permission VERIFY_DOSE --permission READ_SUBJECTS --sign administrator --sign quality
custody -q context add clinic --endpoint "$(cat address)" --ca pki/ca.crt --certificate pki/clinic.crt \
  --private-key pki/clinic.key --trust trust.toml --names config/main.names.json
sed 's|@+site/yaml|@+site/four|' site.yaml >four.yaml
expect 4 "recording without the permission" custody -c clinic event record four.yaml --sign administrator
says "E_PERMISSION"
expect 4 "the role of somebody else" custody event record four.yaml --sign "nurse-a as ADMINISTRATOR/APPROVED"
says "E_AUTHORITY"
expect 3 "a subject that nobody knows" custody subject show donor:00000000000000000000000000000000
says "E_UNKNOWN_SUBJECT"
expect 3 "an entry beyond the log" custody --json event show 999999
json '.[0].error == "OUT_OF_RANGE" and .[0].refusal.reasons[0].remedy != ""'
expect 2 "a malformed scan" custody dose verify '=W123'
says "E_SCAN"
expect 3 "a label that nobody knows" custody dose verify '=+03000=A99992600010100=<S9999VA0&>0283652359'
expect 0 "the whole log as files" custody --json log export whole
json '.[0].new_entries == .[0].size'
expect 0 "and again" custody --json log export whole
json '.[0].new_entries | tonumber < 256'
same "$(head -n 1 whole/checkpoint) $(find whole/tile -maxdepth 1 -name entries)" "cli.example/ledger whole/tile/entries"
expect 4 "of a client that may not read it" custody -c clinic log export hidden
expect 0 "an audit of the running ledger" custody --json audit --work audited
json '.[0].outcome == "verified" and .[0].entries == .[0].size and .[0].findings > 0'
expect 0 "again: only what is new" custody --json audit --work audited
json '.[0].outcome == "verified" and .[0].entries < 256'
expect 0 "an audit of the exported files" custody audit whole --trust trust.toml
says "result: verified"
expect 4 "an audit by a client that may not read it all" custody -c clinic audit
cp -r whole flipped
printf '\001' | dd of="$(find flipped/tile/entries -type f | sort | head -n 1)" bs=1 seek=5000 conv=notrunc status=none
expect 6 "a byte that was changed" custody --json audit flipped
json '.[0].outcome == "proof false" and (.[0].wrong | startswith("entry "))'
tile=$(find whole/tile/1 -type f | sort | head -n 1)
cp -r whole retiled
printf '\001' | dd of="retiled/${tile#whole/}" bs=1 seek=3 conv=notrunc status=none
expect 6 "a hash of the tree that was changed" custody audit retiled
says "tile/1/000"
expect 3 "a folder without a log" custody audit /proc
rm -r retiled/tile/1
expect 3 "a file of the log that is missing" custody audit retiled
expect 2 "a work folder that cannot be made" custody audit whole --work /proc/nothing
expect 2 "to where no folder can be" custody log export /proc/nothing
last=$(custody --json log checkpoint | jq .size)
expect 0 "a drill: something is withheld" custody --json drill withhold vial.custody --from $((last / 2)) -o hidden.custody
expect 6 "and noticed" custody verify hidden.custody
says "withheld"
expect 2 "nothing to withhold" custody drill withhold vial.custody --from 999999 -o nothing.custody
expect 0 "a drill: a bit is changed" custody drill alter vial.custody -o drilled.custody
expect 6 "and noticed, too" custody verify drilled.custody
LC_ALL=C sed 's/Example/Exbmple/' vial.custody >altered.custody
expect 6 "an altered bundle" custody verify altered.custody
sed "s|cli.example|other.example|; s|$work/data|$work/other-data|; s|$work/anchor|$work/other-anchor|" \
  custodyd.toml >other-custodyd.toml
"$CUSTODYD" init --config other-custodyd.toml --administrator config/keys/administrator.json \
  --quality config/keys/quality.json --trust-output other.toml >/dev/null
expect 3 "a bundle of another ledger" custody verify vial.custody --trust other.toml
expect 2 "no bundle" custody verify trust.toml
expect 2 "a file that is not there" custody verify nothing.custody
expect 2 "a folder that is not there" custody event draft site.yaml -o /proc/nothing/x.event
expect 2 "no command" custody
expect 2 "a misspelt command" custody evnt list
says "did you mean 'event'?"
expect 2 "which container?" custody dose verify
expect 2 "a word that is no stage" custody dose verify @vial/1 --stage SHIPPED
says "RESERVE, SHIP"
custody -q context add down --endpoint 127.0.0.1:1 --ca pki/ca.crt --certificate pki/all.crt \
  --private-key pki/all.key --trust trust.toml
expect 3 "a daemon that is down" custody -c down --timeout 1 log status
says "does custodyd serve at 127.0.0.1:1"

# A link on which a handshake takes longer than the first wait between two tries.
cat >slow.py <<'PYTHON'
import socket, sys, threading, time
host, port = sys.argv[1].rsplit(":", 1)
def pump(source, target, delay):
    try:
        while data := source.recv(65536):
            time.sleep(delay)
            target.sendall(data)
    except OSError:
        pass
listener = socket.create_server(("127.0.0.1", 0))
with open("slow.address", "w") as out:
    print("127.0.0.1:%d" % listener.getsockname()[1], file=out)
while True:
    client, _ = listener.accept()
    server = socket.create_connection((host, int(port)))
    threading.Thread(target=pump, args=(client, server, 0), daemon=True).start()
    threading.Thread(target=pump, args=(server, client, 0.7), daemon=True).start()
PYTHON
python3 slow.py "$(cat address)" &
slow=$!
for _ in $(seq 100); do [ -s slow.address ] && break; sleep 0.1; done
custody -q context add slow --endpoint "$(cat slow.address)" --ca pki/ca.crt --certificate pki/all.crt \
  --private-key pki/all.key --trust trust.toml
expect 0 "a slow link" custody -c slow --timeout 20 log status

# --- help and completion -----------------------------------------------------------------------------------
expect 0 "help" custody --help
for code in 0 1 2 3 4 5 6 70; do says "  $code "; done
expect 0 "bash completion" custody completion bash
cp out completion.bash
# complete WORD...: what bash would offer for the last word.
complete() {
  PATH=$(dirname "$CUSTODY"):$PATH bash --norc -c 'source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _custody; printf "%s\n" "${COMPREPLY[@]}"' _ "$@" 2>&1 | sort | paste -sd' '
}
same "$(complete custody ev)" "event"
same "$(complete custody event re)" "record"
same "$(complete custody -q --context main event co)" "cosign"
same "$(complete custody dose verify --sta)" "--stage"
same "$(complete custody dose verify --stage TH)" "THAW"
same "$(complete custody event new SiteR)" "SiteRegistered"
same "$(complete custody event record --sign nurse-)" "nurse-a nurse-b"
same "$(complete custody context use cl)" "clinic"
same "$(complete custody event record site.t)" "site.textproto"
# Every command that completion knows has help with an example and the exit codes.
while read -r path; do
  # shellcheck disable=SC2086
  expect 0 "help of $path" custody $path --help
  if grep -q '^  COMMAND\|^Subcommands' out; then continue; fi
  says "Example:"
  says "Exit codes: 0"
done < <(sed -n 's/^    "\([a-z ]*\)") commands="".*/\1/p' completion.bash)
if command -v zsh >/dev/null; then
  custody completion zsh >_custody
  expect 0 "zsh completion" env PATH="$(dirname "$CUSTODY"):$PATH" zsh -f "$PROJECT/tests/integration/complete.zsh" "$work" "custody event rec"
  says "custody event record"
else
  echo "skipped: zsh is not installed"
fi

kill "$pid"
checks=$((checks + 1))
wait "$pid" || fail "custodyd did not stop well: $(tail -n 3 daemon.log)"
pid=""
echo "$checks checks, $failures failed, ${SECONDS} s"
[ "$failures" -eq 0 ]
