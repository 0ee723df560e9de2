# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# Where the internet is, as the routes say now.

# Sets WAYS_OUT and WAYS_OUT6, interfaces with spaces between. Several default routes are several ways out.
find_egress() {
  WAYS_OUT=${EGRESS:-$(default_interfaces 4)}
  WAYS_OUT6=
  if [ -n "$SUBNET6" ]; then WAYS_OUT6=${EGRESS6:-$(default_interfaces 6)}; fi
}

has_egress() {
  [ -n "$WAYS_OUT" ] && { [ -z "$SUBNET6" ] || [ -n "$WAYS_OUT6" ]; }
}

# default_interfaces 4|6
default_interfaces() {
  ip "-$1" -o route show default | awk -v own="$INTERFACE" '
    $1 == "default" {
      for (i = 2; i < NF; i++) if ($i == "dev" && $(i + 1) != "lo" && $(i + 1) != own && !seen[$(i + 1)]++) print $(i + 1)
    }' | tr '\n' ' ' | sed 's/ $//'
}

# networks_of 4|6 INTERFACES: what is reached over them without a router, one prefix a line. A route that is wider
# than /8 is a way to the internet (half of it, where a VPN has put it there), not a network.
networks_of() {
  for name in $2; do
    ip "-$1" -o route show dev "$name" 2>/dev/null || true
  done | awk '
    $1 ~ /^[0-9a-f:.]+(\/[0-9]+)?$/ && !/ via / && !seen[$1]++ {
      split($1, prefix, "/")
      if (prefix[2] == "" || prefix[2] + 0 >= 8) print $1
    }'
}
