# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# The interface itself: by systemd where it runs this host, else by wg-quick alone.

is_up() {
  ip link show dev "$INTERFACE" >/dev/null 2>&1
}

# Not from another network namespace than its own: there systemd would bring up the interface of another.
has_systemd() {
  [ -d /run/systemd/system ] && [ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ]
}

bring_up() {
  if has_systemd; then
    systemctl --quiet enable "wg-quick@$INTERFACE"
    systemctl restart "wg-quick@$INTERFACE"
  else
    wg-quick up "$INTERFACE"
  fi
}

bring_down() {
  if has_systemd; then systemctl --quiet disable --now "wg-quick@$INTERFACE"; fi
  if is_up; then wg-quick down "$INTERFACE"; fi
}

restart_command() {
  if has_systemd; then say "systemctl restart wg-quick@$INTERFACE"; else say "wg-quick down $INTERFACE; wg-quick up $INTERFACE"; fi
}

say_what_is_left() {
  say "Open in your firewall, and in the hoster's: UDP $LISTEN_PORT, TCP 80 and 443."
  if command -v ufw >/dev/null 2>&1 && ufw status | grep -q '^Status: active'; then
    say "  ufw allow $LISTEN_PORT/udp; ufw allow 80,443/tcp"
  fi
  if has_firewalld; then
    say "  firewall-cmd --add-port=$LISTEN_PORT/udp --add-service=http --add-service=https; firewall-cmd --runtime-to-permanent"
  fi
  if has_systemd && systemctl --quiet is-enabled nftables 2>/dev/null && ! grep -q europa_host_ /etc/nftables.conf; then
    say "nftables.service forgets these rules at each restart, unless /etc/nftables.conf ends with this line:"
    say "  include \"/etc/wireguard/europa_host_*.nft\""
  fi
}
