#!/bin/sh
# Makes an operator's keys and config, once: see usage. Needs wg and openssl, and nothing that macOS or busybox lacks.
set -euf
# Bytes, whatever the operator's language; and `cd` goes where it is told.
LC_ALL=C
export LC_ALL
unset CDPATH
umask 077

usage() {
  cat <<'END'
usage: sh scripts/bootstrap.sh [--yes] [--for compose|host]

Makes secrets/ (keys), config/config.toml and data/ for europa-node. What stands already is never changed:
a second run says what there is, makes what is missing, and tells where config and keys disagree.

  --yes           ask nothing; take the answers from the environment
  --for compose   the config names /etc/europa-node/secret and /var/lib/europa-node, where docker-compose.yml mounts
                  secrets/ and data/ (default)
  --for host      the config names the folders themselves, for a daemon that runs here without a container

The environment, which is also what questions propose:
  PUBLIC_HOST                 the name buyers reach you by over https; with --yes it must be given
  TITLE, SUMMARY              how the listing names and describes your offer
  REGION, COUNTRY, GEOHASH    where the traffic leaves, such as DE-BE, DE and u33d
  PRICES                      sat for one hour, day, week, month, GiB or TiB; "100/hour 1000/day" if left out
  MINTS                       mints whose ecash you accept, spaces between; if left out, ecash is off
  RELAYS                      relays for listing and wallet, spaces between
  LIGHTNING                   none, phoenixd or lnd
  LIGHTNING_URL               the Lightning node's
  LIGHTNING_TOKEN_FILE        a file that holds phoenixd's limited password or is lnd's macaroon; it is copied
  NOTIFY                      who gets the daemon's private messages, npub1… or hex; if left out, nobody
  D_TAG                       the listing's name under your key
  TARGET_DIR                  the folder for all of it; if left out, the one that scripts/ stands in
END
}

here=$(cd -- "$(dirname -- "$0")" && pwd -P)
ROOT=${here%/*}
LIBRARY=$here/bootstrap
EXAMPLE=$ROOT/config.example.toml

. "$here/bootstrap/words.sh"
. "$here/bootstrap/files.sh"
. "$here/bootstrap/keys.sh"
. "$here/bootstrap/checks.sh"
. "$here/bootstrap/answers.sh"
. "$here/bootstrap/config.sh"
. "$here/bootstrap/compare.sh"
. "$here/bootstrap/report.sh"

ASKS=yes
PATHS_FOR=compose
while [ $# -gt 0 ]; do
  case $1 in
    --yes) ASKS=no ;;
    --for=*) PATHS_FOR=${1#--for=} ;;
    --for)
      PATHS_FOR=${2-}
      if [ $# -gt 1 ]; then shift; fi
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) wrong_usage "there is no argument $1" ;;
  esac
  shift
done
case $PATHS_FOR in compose | host) ;; *) wrong_usage "--for takes compose or host" ;; esac

need_tool openssl openssl
need_tool wg wireguard-tools
[ -r "$EXAMPLE" ] || die "config.example.toml is missing beside scripts/"

answer_from_environment TARGET_DIR line_trouble "$ROOT"
check_folders
HAD_CONFIG=no
if exists "$TARGET_DIR/config/config.toml"; then
  [ -r "$TARGET_DIR/config/config.toml" ] || die "$TARGET_DIR/config/config.toml may not be read by this user"
  HAD_CONFIG=yes
else
  collect_answers
fi

mkdir -p -- "$TARGET_DIR"
cd -- "$TARGET_DIR"
TARGET_DIR=$(pwd -P)
name_paths
say "In $TARGET_DIR:"
make_folders
make_keys
if [ "$HAD_CONFIG" = yes ]; then
  stands config/config.toml 600
  say "          it is not changed: answers count only where there is no config"
  compare_config_with_keys
else
  write_config
fi
if [ "$PATHS_FOR" = compose ]; then write_site_name; fi
print_checklist

if [ "$PROBLEMS" -gt 0 ]; then die "$PROBLEMS problem(s) above are left to mend"; fi
