# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# Other firewalls drop what they do not know, and no accept of our table reaches theirs. Each is told in the place
# that its own restart leaves alone. What may pass is judged by our table alone: these only do not stand in its way.

accept_in_firewalls() {
  accept_in_iptables iptables "ip filter"
  if [ -n "$SUBNET6" ]; then accept_in_iptables ip6tables "ip6 filter"; fi
  accept_in_firewalld
}

forget_in_firewalls() {
  forget_in_iptables iptables "ip filter"
  forget_in_iptables ip6tables "ip6 filter"
  forget_in_firewalld
}

# accept_in_iptables COMMAND NFT_TABLE
#
# Docker, ufw and most hand-made rules drop by iptables. Docker puts its jumps before ours and drops by the chain's
# policy, after it; ufw takes away and puts back its own jumps only. So a jump from FORWARD outlives both.
accept_in_iptables() {
  command -v "$1" >/dev/null 2>&1 || return 0
  for made in "table $2" "chain $2 FORWARD" "chain $2 INPUT"; do
    is_in_nft "$made" || remember_before "$made"
  done
  # One transaction: a reload takes no accept away.
  if ! { print_iptables | "$1-restore" -w --noflush && jump_first "$1" FORWARD fwd && jump_first "$1" INPUT in; }; then
    warn "$1 does not take our rules; where it drops what is forwarded, peers reach nothing"
  fi
}

print_iptables() {
  cat <<END
*filter
:europa-fwd-$INTERFACE - [0:0]
:europa-in-$INTERFACE - [0:0]
-A europa-fwd-$INTERFACE -i $INTERFACE -j ACCEPT
-A europa-fwd-$INTERFACE -o $INTERFACE -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A europa-in-$INTERFACE -i $INTERFACE -p tcp --dport 80 -j ACCEPT
-A europa-in-$INTERFACE -i $INTERFACE -p tcp --dport 443 -j ACCEPT
$(if [ "$ALLOW_DNS" = 1 ]; then print_iptables_dns; fi)
COMMIT
END
}

print_iptables_dns() {
  say "-A europa-in-$INTERFACE -i $INTERFACE -p udp --dport 53 -j ACCEPT"
  say "-A europa-in-$INTERFACE -i $INTERFACE -p tcp --dport 53 -j ACCEPT"
}

# jump_first COMMAND CHAIN OURS
jump_first() {
  "$1" -w -C "$2" -j "europa-$3-$INTERFACE" 2>/dev/null || "$1" -w -I "$2" -j "europa-$3-$INTERFACE"
}

# forget_in_iptables COMMAND NFT_TABLE
forget_in_iptables() {
  command -v "$1" >/dev/null 2>&1 || return 0
  forget_chain "$1" FORWARD fwd
  forget_chain "$1" INPUT in
  forget_hook "$1" "$2 FORWARD"
  forget_hook "$1" "$2 INPUT"
  if was_before "table $2" && is_in_nft "table $2" && has_no_chain "$2"; then
    # shellcheck disable=SC2086 # family and name
    nft delete table $2
  fi
}

# forget_hook COMMAND NFT_CHAIN: iptables makes it at the first rule and leaves it there; another may use it by now.
forget_hook() {
  if was_before "chain $2" && is_in_nft "chain $2" && [ "$("$1" -w -S "${2##* }")" = "-P ${2##* } ACCEPT" ]; then
    # shellcheck disable=SC2086 # a family and two names
    nft delete chain $2
  fi
}

# forget_chain COMMAND CHAIN OURS
forget_chain() {
  if "$1" -w -n -L "europa-$3-$INTERFACE" >/dev/null 2>&1; then
    while "$1" -w -D "$2" -j "europa-$3-$INTERFACE" 2>/dev/null; do :; done
    "$1" -w -F "europa-$3-$INTERFACE"
    "$1" -w -X "europa-$3-$INTERFACE"
  fi
}

# has_no_chain NFT_TABLE
has_no_chain() {
  # shellcheck disable=SC2086 # family and name
  ! nft list table $1 | grep -q chain
}

# is_in_nft "table FAMILY NAME" or "chain FAMILY TABLE NAME"
is_in_nft() {
  # shellcheck disable=SC2086 # one word each
  nft list $1 >/dev/null 2>&1
}

# firewalld rejects what no zone accepts, in an nft table that it rewrites at each reload. Permanent and at once, so
# that no reload is needed: it would take away what the operator has not made permanent, SSH perhaps.
accept_in_firewalld() {
  has_firewalld || return 0
  case $(firewall-cmd --get-zone-of-interface="$INTERFACE" 2>/dev/null) in
    '' | trusted) trusted_zone add ;;
    *) warn "firewalld has $INTERFACE in a zone of your choice; it must let the peers out" ;;
  esac
}

forget_in_firewalld() {
  has_firewalld || return 0
  case $(firewall-cmd --get-zone-of-interface="$INTERFACE" 2>/dev/null) in
    trusted) trusted_zone remove ;;
  esac
}

# trusted_zone add|remove
trusted_zone() {
  for lasting in --permanent ''; do
    firewall-cmd -q $lasting --zone=trusted "--$1-interface=$INTERFACE" ||
      warn "firewalld does not $1 $INTERFACE in its zone trusted"
  done
}

has_firewalld() {
  command -v firewall-cmd >/dev/null 2>&1 && firewall-cmd -q --state 2>/dev/null
}
