#!/bin/sh
# The operator's end of the tunnels: the wg-quick file of the interface, and the rules that keep its peers to the
# internet. See usage. Needs iproute2, wireguard-tools and nftables.
set -euf
LC_ALL=C
export LC_ALL
umask 077

usage() {
  cat <<'END'
usage: sh scripts/wg-up.sh [--print] [--force]      as root, on the host that has the tunnels

Writes /etc/wireguard/wg0.conf, brings wg0 up, and at every boot where systemd runs. Its peers reach the internet and
TCP 80 and 443 on this host's public addresses; not its other services, its networks, cloud metadata, each other, or
TCP 25. A second run changes what has changed.

  --print       show what would be written, and change nothing
  --force       take the place of a wg0.conf that this script did not write; that one is kept beside it
  --rules       load the rules again: after a change of networks, or once Docker or a firewall has been installed.
                No packet passes unjudged meanwhile. With --print: show them
  --undo        take wg0 down, and leave the host as it was before

Settings come from the environment. One that is given is remembered in wg0.conf, until it is given again or as nothing:
  INTERFACE         wg0; this one is not remembered
  SUBNET            10.66.42.0/24, the config's subnet_cidr; this host gets the first address
  SUBNET6           none: IPv6 from a peer is dropped. Else such as fd66:42::/64
  LISTEN_PORT       51820
  MTU               wg-quick's own choice
  PRIVATE_KEY_FILE  secrets/wg-server.key; read at each start, not copied
  EGRESS, EGRESS6   the interfaces that lead to the internet, with spaces between; found from the default routes
  ALLOW_SMTP        1: peers may connect to TCP 25
  ALLOW_DNS         1: peers may ask a name server that you run on this host's tunnel address
END
}

HERE=$(cd -- "$(dirname -- "$0")" && pwd -P)
ROOT=${HERE%/*}

. "$HERE/wg-up/words.sh"
. "$HERE/wg-up/addresses.sh"
. "$HERE/wg-up/settings.sh"
. "$HERE/wg-up/egress.sh"
. "$HERE/wg-up/rules.sh"
. "$HERE/wg-up/firewalls.sh"
. "$HERE/wg-up/forwarding.sh"
. "$HERE/wg-up/copy.sh"
. "$HERE/wg-up/conf.sh"
. "$HERE/wg-up/service.sh"

write_and_bring_up() {
  need_root
  need_tool wg-quick wireguard-tools
  check_private_key
  check_rules
  write_conf
  install_copy
  if ! is_up; then
    bring_up
  elif [ "$NEEDS_RESTART" = yes ]; then
    say "$INTERFACE is up with what stood there before; when it suits: $(restart_command)"
  else
    load_rules
  fi
  say_what_is_left
}

load_rules() {
  need_root
  save_rules
  nft -f "$RULES" || die "nft does not take $RULES"
  turn_forwarding_on
  accept_in_firewalls
  say "$INTERFACE: rules loaded"
}

# What wg-quick runs once the interface has gone.
drop_rules() {
  need_root
  if is_up; then die "$INTERFACE is up, and without rules its peers would reach this host and its networks"; fi
  forget_in_firewalls
  if is_in_nft "table inet $TABLE"; then nft delete table inet "$TABLE"; fi
  turn_forwarding_back
}

undo() {
  need_root
  check_conf_is_ours
  bring_down
  drop_rules
  remove_conf
  remove_copy
  say "$INTERFACE is gone, and the host as it was before"
  if is_in_nft "table inet europa_limits_$INTERFACE"; then
    say "the daemon's own table is left: europa-node enforcement off takes it away"
  fi
}

ACTION=set-up
PRINT=no
FORCE=no
while [ $# -gt 0 ]; do
  case $1 in
    --print) PRINT=yes ;;
    --force) FORCE=yes ;;
    --rules | --drop-rules | --undo) ACTION=${1#--} ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) wrong_usage "there is no argument $1" ;;
  esac
  shift
done

need_tool ip iproute2
need_tool nft nftables
read_settings

case $ACTION-$PRINT in
  set-up-no) write_and_bring_up ;;
  set-up-yes)
    say "# $CONF"
    print_conf
    say ""
    say "# $RULES"
    print_rules
    ;;
  rules-no) load_rules ;;
  rules-yes) print_rules ;;
  drop-rules-no) drop_rules ;;
  undo-no) undo ;;
  *) wrong_usage "--print goes with --rules or stands alone" ;;
esac
