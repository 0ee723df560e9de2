# shellcheck shell=sh disable=SC2034,SC2153,SC2154 # the files of this script share their variables
# What the operator chose: from the environment, else from the wg0.conf that this script wrote, else a default.
# Every value is checked before it gets near wg-quick, which hands its hooks to a shell, or nft.

# The names of those that are not defaults.
GIVEN=

read_settings() {
  INTERFACE=${INTERFACE-wg0}
  is_interface_name "$INTERFACE" || die "INTERFACE is no name of an interface"
  CONF=/etc/wireguard/$INTERFACE.conf
  TABLE=europa_host_$INTERFACE
  RULES=/etc/wireguard/$TABLE.nft
  BEFORE=/run/europa-host/$INTERFACE.before

  settle SUBNET 10.66.42.0/24
  settle SUBNET6 ""
  settle LISTEN_PORT 51820
  settle MTU ""
  settle PRIVATE_KEY_FILE "$ROOT/secrets/wg-server.key"
  settle EGRESS ""
  settle EGRESS6 ""
  settle ALLOW_SMTP 0
  settle ALLOW_DNS 0
  check_settings
}

# settle NAME DEFAULT: sets the variable NAME. Given as nothing, it is the default again.
settle() {
  eval "settled=\${$1-\$(remembered $1)}"
  if [ -n "$settled" ]; then GIVEN="$GIVEN $1"; else settled=$2; fi
  eval "$1=\$settled"
}

# remembered NAME
remembered() {
  if has_mark; then sed -n "s/^# $1=//p" "$CONF" | head -n 1; fi
}

check_settings() {
  subnet_base=$(ipv4_number "${SUBNET%/*}") || die "SUBNET must be such as 10.66.42.0/24"
  is_whole "${SUBNET##*/}" 16 30 || die "SUBNET must be from /16 to /30"
  [ $((subnet_base & (1 << (32 - ${SUBNET##*/})) - 1)) = 0 ] || die "SUBNET does not begin where a /${SUBNET##*/} does"
  SERVER_ADDRESS=$(ipv4_of $((subnet_base + 1)))

  case $SUBNET6 in
    '' | [0-9a-f]*::/[1-9]*) ;;
    *) die "SUBNET6 must be such as fd66:42::/64" ;;
  esac
  case ${SUBNET6%/*} in *[!0-9a-f:]*) die "SUBNET6 must be such as fd66:42::/64" ;; esac
  if [ -n "$SUBNET6" ]; then
    is_whole "${SUBNET6##*/}" 48 126 || die "SUBNET6 must be from /48 to /126"
    SERVER_ADDRESS6=${SUBNET6%/*}1
  fi

  is_whole "$LISTEN_PORT" 1 65535 || die "LISTEN_PORT must be from 1 to 65535"
  [ -z "$MTU" ] || is_whole "$MTU" 1280 1500 || die "MTU must be from 1280 to 1500, or nothing"
  for name in $EGRESS $EGRESS6; do
    is_interface_name "$name" || die "EGRESS and EGRESS6 take names of interfaces"
  done
  case $ALLOW_SMTP in 0 | 1) ;; *) die "ALLOW_SMTP must be 0 or 1" ;; esac
  case $ALLOW_DNS in 0 | 1) ;; *) die "ALLOW_DNS must be 0 or 1" ;; esac
  case $PRIVATE_KEY_FILE in /*) ;; *) PRIVATE_KEY_FILE=$(pwd -P)/$PRIVATE_KEY_FILE ;; esac
  # It stands between single quotes in a hook of wg-quick, which cuts lines at # and fills in %i.
  case $PRIVATE_KEY_FILE in
    *[!A-Za-z0-9_./@+,:=\ -]*) die "PRIVATE_KEY_FILE has a character that wg-quick would not take as it stands" ;;
  esac
}

check_private_key() {
  [ -f "$PRIVATE_KEY_FILE" ] || die "$PRIVATE_KEY_FILE is missing: run scripts/bootstrap.sh, or name another as PRIVATE_KEY_FILE"
  wg pubkey <"$PRIVATE_KEY_FILE" >/dev/null 2>&1 || die "$PRIVATE_KEY_FILE is no WireGuard private key"
}
