# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# How the script speaks: what it does on standard output, what is wrong on standard error.

say() {
  printf '%s\n' "$1"
}

warn() {
  printf 'wg-up: %s\n' "$1" >&2
}

die() {
  warn "$1"
  exit 1
}

wrong_usage() {
  warn "$1; see --help"
  exit 64
}

need_root() {
  [ "$(id -u)" = 0 ] || die "this needs root"
}

# need_tool COMMAND PACKAGE
need_tool() {
  command -v "$1" >/dev/null 2>&1 || die "$1 is needed: install $2"
}
