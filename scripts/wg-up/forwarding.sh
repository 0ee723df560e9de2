# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# Forwarding, and what there was before: remembered until the interface goes, in a folder that a reboot empties, as it
# resets the kernel.

# remember_before TEXT: once; what is found under that name later may be ours.
remember_before() {
  if was_before "$1"; then return; fi
  mkdir -p "${BEFORE%/*}"
  say "$1" >>"$BEFORE"
}

was_before() {
  [ -f "$BEFORE" ] && grep -Fqx -e "$1" "$BEFORE"
}

turn_forwarding_on() {
  if [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]; then
    remember_sysctls net/ipv4/conf forwarding
    # Set by the kernel with the other.
    remember_sysctls net/ipv4/conf accept_redirects
    set_sysctl net/ipv4/ip_forward 1
  fi
  if [ -n "$SUBNET6" ] && [ "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" = 0 ]; then
    remember_sysctls net/ipv6/conf forwarding
    remember_sysctls net/ipv6/conf accept_ra
    # A router heeds no router advertisement and drops the default route it has from one, unless this says 2: first.
    for name in $WAYS_OUT6; do
      if [ "$(cat "/proc/sys/net/ipv6/conf/$name/accept_ra")" = 1 ]; then set_sysctl "net/ipv6/conf/$name/accept_ra" 2; fi
    done
    set_sysctl net/ipv6/conf/all/forwarding 1
  fi
}

# What came after us may live on forwarding by now: containers and virtual machines on a bridge, another tunnel.
turn_forwarding_back() {
  if [ ! -f "$BEFORE" ]; then return; fi
  others=$(other_networks)
  if [ -n "$others" ] && grep -q '^sysctl ' "$BEFORE"; then
    warn "forwarding stays on, it may be needed by $others"
    return
  fi
  while read -r kind name value; do
    if [ "$kind" = sysctl ] && [ -e "/proc/sys/$name" ]; then set_sysctl "$name" "$value"; fi
  done <"$BEFORE"
  rm -f "$BEFORE"
}

other_networks() {
  for kind in bridge wireguard tun; do
    ip -o link show type "$kind" 2>/dev/null || true
  done | awk -F '[:@ ]+' -v own="$INTERFACE" '$2 != own { printf "%s%s", separator, $2; separator = ", " }'
}

# remember_sysctls FOLDER NAME: what holds for all interfaces, then of each: that is the order to put them back in.
remember_sysctls() {
  for name in "$1/all/$2" $(cd /proc/sys && find "$1" -name "$2"); do
    remember_before "sysctl $name $(cat "/proc/sys/$name")"
  done
}

set_sysctl() {
  if [ "$(cat "/proc/sys/$1")" != "$2" ]; then
    printf '%s\n' "$2" 2>/dev/null >"/proc/sys/$1" || die "$1 cannot be set to $2 here"
  fi
}
