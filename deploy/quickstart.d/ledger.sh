# shellcheck shell=bash
# Functions that make a development ledger in a folder, with certificates and keys of its own. Sourced
# by deploy/quickstart and by the benchmark; `custody` and `custodyd` are on the PATH.
#
#   folder/  pki/   certificates      keys/    cards and keys of everyone who signs
#            data/  the data folder   anchor/  the anchor       config/  the context of `custody`

# make_signers FOLDER PORT [OPTION OF custody key new...]: certificates, the context `quickstart` and a
# key for each line of signers.txt. One passphrase for all keys: the people are actors.
make_signers() {
  local folder=$1 port=$2; shift 2
  mkdir -p "$folder"/{data,anchor,keys,config,pki,daemon}
  custody pki init "$folder/pki" --days 30
  custody -q pki issue "$folder/pki" server --server --ip 127.0.0.1 --dns localhost --days 30
  custody -q pki issue "$folder/pki" client --days 30
  (umask 077; head -c 18 /dev/urandom | base64 >"$folder/passphrase")
  custody context add quickstart --endpoint "127.0.0.1:$port" --use \
    --ca "$folder/pki/ca.crt" --certificate "$folder/pki/client.crt" --private-key "$folder/pki/client.key" \
    --trust "$folder/trust.toml" --keys "$folder/keys" --names "$folder/names.json" --checkpoint "$folder/checkpoint"
  export CUSTODY_PASSPHRASE_FILE=$folder/passphrase
  local name role kind
  while read -r name role kind; do
    case $name in ''|'#'*) continue ;; esac
    if [ "${kind:-person}" = device ]; then
      custody -q key new "$name" --device --unencrypted "$@" >/dev/null
    else
      custody -q key new "$name" --role "$role" --printed-name "${name//-/ }" "$@" >/dev/null
    fi
  done <deploy/quickstart.d/signers.txt
}

# make_entry0 FOLDER PORT METRICS_PORT: the configuration, the daemon's keys and entry 0.
make_entry0() {
  local folder=$1 port=$2 metrics=$3
  sed -e "s|@FOLDER@|$folder|g" -e "s|@PORT@|$port|g" -e "s|@METRICS_PORT@|$metrics|g" \
    deploy/quickstart.d/custodyd.toml.in >"$folder/custodyd.toml"
  custodyd init --config "$folder/custodyd.toml" --administrator "$folder/keys/administrator.json" \
    --quality "$folder/keys/quality.json" --principal-certificate "$folder/pki/client.crt" \
    --trust-output "$folder/trust.toml" | tee "$folder/init.txt"
}

# start_daemon FOLDER: in the background; returns when it answers.
start_daemon() {
  local folder=$1
  setsid nohup custodyd serve --config "$folder/custodyd.toml" >"$folder/custodyd.log" 2>&1 </dev/null &
  echo $! >"$folder/custodyd.pid"
  for _ in $(seq 100); do
    custody -q log status >/dev/null 2>&1 && return
    kill -0 "$(cat "$folder/custodyd.pid")" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$folder/custodyd.log"
  return 1
}

# stop_daemon FOLDER: waits until it has ended; does nothing when there is none.
stop_daemon() {
  local folder=$1 pid
  [ -f "$folder/custodyd.pid" ] || return 0
  pid=$(cat "$folder/custodyd.pid")
  if kill -0 "$pid" 2>/dev/null; then
    kill "$pid"
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    if kill -0 "$pid" 2>/dev/null; then kill -9 "$pid"; fi
    echo "custodyd stopped"
  fi
  rm -f "$folder/custodyd.pid"
}
