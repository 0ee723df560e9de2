# shellcheck shell=sh disable=SC2034,SC2153,SC2154 # the files of this script share their variables
# The nft table. Only what comes from a peer or goes to one is judged here. A drop is final whatever other tables
# say; an accept ends a chain of ours and nothing else.

# Everything that is not the internet (IANA's registry of special-purpose addresses), documentation excepted; and
# the metadata services: 169.254.169.254 and 100.100.100.200 lie in it, Azure's does not. In IPv6 the internet is
# 2000::/3, which leaves out fd00:ec2::254 and NAT64's 64:ff9b::/96 too.
NOT_THE_INTERNET="0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
  192.168.0.0/16 198.18.0.0/15 224.0.0.0/3 168.63.129.16"

# A reload lets nothing by: the table is flushed and not deleted, so its chains stay hooked, and each packet meets the
# old rules of a chain or the new ones. That holds without sets in braces only: the kernel looks into a set as it is at
# that moment, and a packet among the old rules finds theirs gone (Linux 6.18: 18 packets passed in 1600 reloads).
print_rules() {
  find_egress
  has_egress || die "there is no default route, for IPv4 or for SUBNET6; name the interface as EGRESS or EGRESS6"
  cat <<END
# What the peers of $INTERFACE may reach. Written by scripts/wg-up.sh of europa-node, and anew with its --rules.
table inet $TABLE {
  chain from_peer { type filter hook prerouting priority mangle; policy accept; }
  chain to_host { }
  chain forward { type filter hook forward priority filter - 10; policy accept; }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
}
flush table inet $TABLE
table inet $TABLE {
  chain from_peer {
$(print_from_peer)
  }
  chain to_host {
$(print_to_host)
  }
  chain forward {
$(print_forward)
  }
  chain postrouting {
$(print_postrouting)
  }
}
END
}

# Judged before destination NAT, a packet still says whom the peer addressed: a container's published port is a
# service of this host there, and the container's address later.
print_from_peer() {
  rule "iifname != \"$INTERFACE\" accept"
  if [ -z "$SUBNET6" ]; then rule "meta nfproto ipv6 drop"; fi
  rule "fib daddr type local goto to_host"
  print_private_places
  networks_of 4 "$WAYS_OUT" | sed 's/.*/    ip daddr & drop/'
  if [ -n "$SUBNET6" ]; then networks_of 6 "$WAYS_OUT6" | sed 's/.*/    ip6 daddr & drop/'; fi
  if [ "$ALLOW_SMTP" = 0 ]; then rule "tcp dport 25 drop"; fi
}

# What peers themselves begin; and what belongs to connections that this host began.
print_to_host() {
  rule "ct state established,related ct direction reply accept"
  rule "meta l4proto icmp ct state related accept"
  rule "meta l4proto ipv6-icmp ct state related accept"
  if [ "$ALLOW_DNS" = 1 ]; then
    for protocol in udp tcp; do
      rule "ip daddr $SERVER_ADDRESS $protocol dport 53 accept"
      if [ -n "$SUBNET6" ]; then rule "ip6 daddr $SERVER_ADDRESS6 $protocol dport 53 accept"; fi
    done
  fi
  print_private_places
  rule "tcp dport 80 accept"
  rule "tcp dport 443 accept"
  rule "drop"
}

print_private_places() {
  for network in $NOT_THE_INTERNET $SUBNET; do
    rule "ip daddr $network drop"
  done
  if [ -n "$SUBNET6" ]; then
    rule "ip6 daddr != 2000::/3 drop"
    rule "ip6 daddr $SUBNET6 drop"
  fi
}

# The second judgement: out to the internet by an interface that leads there, and by no other. The exception is a
# proxy in a container: it was addressed as this host's port 80 or 443.
print_forward() {
  rule "iifname \"$INTERFACE\" tcp flags syn tcp option maxseg size set rt mtu"
  rule "oifname \"$INTERFACE\" tcp flags syn tcp option maxseg size set rt mtu"
  rule "oifname \"$INTERFACE\" ct state established,related accept"
  rule "oifname \"$INTERFACE\" drop"
  rule "iifname != \"$INTERFACE\" accept"
  rule "ct state invalid drop"
  for port in 80 443; do
    rule "meta l4proto tcp ct status dnat ct original proto-dst $port accept"
  done
  for name in $WAYS_OUT; do rule "meta nfproto ipv4 oifname \"$name\" accept"; done
  for name in $WAYS_OUT6; do rule "meta nfproto ipv6 oifname \"$name\" accept"; done
  rule "drop"
}

print_postrouting() {
  for name in $WAYS_OUT; do rule "ip saddr $SUBNET oifname \"$name\" masquerade"; done
  for name in $WAYS_OUT6; do rule "ip6 saddr $SUBNET6 oifname \"$name\" masquerade"; done
}

rule() {
  printf '    %s\n' "$1"
}

check_rules() {
  rules_text=$(print_rules)
  say "$rules_text" | nft -c -f - || die "nft does not take the rules for these settings"
}

# Kept in a file as well: to be read, and to be included by an nftables.conf that begins with a flush. At a boot it may
# be too early for a default route: then the file stays as it was.
save_rules() {
  find_egress
  if [ -f "$RULES" ] && ! has_egress; then
    warn "there is no default route now; the rules of last time are loaded"
    return
  fi
  rules_text=$(print_rules)
  put_file "$RULES" "$rules_text"
}
