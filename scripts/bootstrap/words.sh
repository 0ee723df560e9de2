# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# How the script speaks: what it does on standard output, what is wrong on standard error.

PROBLEMS=0

say() {
  printf '%s\n' "$1"
}

complain() {
  printf '%s\n' "$1" >&2
}

die() {
  complain "bootstrap: $1"
  exit 1
}

wrong_usage() {
  complain "bootstrap: $1; see --help"
  exit 64
}

# Something that keeps the daemon from working; the rest is done and said all the same.
problem() {
  complain "  problem: $1"
  PROBLEMS=$((PROBLEMS + 1))
}

# need_tool COMMAND PACKAGE
need_tool() {
  command -v "$1" >/dev/null 2>&1 || die "$1 is needed: install $2"
}

# matches TEXT PATTERN: whether a text of one line is one of this extended regular expression.
matches() {
  printf '%s\n' "$1" | grep -Eq -e "$2"
}

# A line of what is typed, in TYPED.
read_line() {
  IFS= read -r TYPED || [ -n "$TYPED" ] || die "the input ended before all was answered"
}

# Yes when what is typed begins with y, or nothing is.
confirm() {
  printf '%s [y]: ' "$1"
  read_line
  case $TYPED in '' | [yY]*) return 0 ;; *) return 1 ;; esac
}

shell_quoted() {
  printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"
}
