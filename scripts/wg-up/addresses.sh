# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# Arithmetic with addresses.

# ipv4_number ADDRESS: as one number; fails for anything else than four decimal bytes.
ipv4_number() {
  printf '%s\n' "$1" | awk -F . '
    function is_byte(text) { return text ~ /^(0|[1-9][0-9]?[0-9]?)$/ && text <= 255 }
    NR > 1 || NF != 4 || !is_byte($1) || !is_byte($2) || !is_byte($3) || !is_byte($4) { exit 1 }
    { printf "%.0f\n", (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'
}

# ipv4_of NUMBER
ipv4_of() {
  say "$(($1 >> 24)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))"
}

# is_whole TEXT FROM TO: whether it is a number between the two, without leading zeros.
is_whole() {
  case $1 in '' | *[!0-9]* | 0?* | ??????*) return 1 ;; esac
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

is_interface_name() {
  case $1 in '' | . | .. | *[!A-Za-z0-9_.-]*) return 1 ;; esac
  [ ${#1} -le 15 ]
}
