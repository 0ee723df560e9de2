#!/bin/sh
# Names every placeholder that is left in manifests, with its file and line; lines that are comments do not count.
# usage: sh scripts/check-placeholders.sh FILE...
# Ends with 0 when none is left, 1 when some are, 64 without files, 66 for a file that cannot be read.
set -eu

[ $# -gt 0 ] || {
  echo "usage: sh scripts/check-placeholders.sh FILE..." >&2
  exit 64
}
for file in "$@"; do
  if [ ! -f "$file" ] || [ ! -r "$file" ]; then
    echo "$file cannot be read" >&2
    exit 66
  fi
done

awk '
  /^[ \t]*#/ { next }
  {
    while (match($0, /REPLACE_WITH_[A-Z_]+|IMAGE_PLACEHOLDER/)) {
      print FILENAME ":" FNR ": " substr($0, RSTART, RLENGTH) " is still to be replaced"
      $0 = substr($0, RSTART + RLENGTH)
      is_left = 1
    }
  }
  END { exit is_left }
' "$@"
