# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# The keys. A private key goes through pipes, variables and the shell's own printf: never into an argument of a
# program, where every user of the machine could read it.

# What stands before the 32 bytes of a private key of secp256k1 in PKCS#8 (RFC 5208, SEC 1), its public half left out:
# OpenSSL and LibreSSL both work that out here; older LibreSSL does not for a bare ECPrivateKey.
PKCS8_HEAD=303e020100301006072a8648ce3d020106052b8104000a042730250201010420
# What stands before the coordinates x and y in a SubjectPublicKeyInfo.
SPKI_HEAD=3056301006072a8648ce3d020106052b8104000a03420004

WG_KEY=secrets/wg-server.key
WG_PUB=secrets/wg-server.pub

# Sets NPUB, P2PK and WG_PUBKEY, each empty when there is no such key.
make_keys() {
  use_secp256k1_key secrets/nsec nostr nsec new_nsec
  NPUB=
  if [ -n "$POINT" ]; then NPUB=$(bech32 npub "${POINT#0[23]}"); fi
  use_secp256k1_key secrets/p2pk cashu p2pk_privkey_hex random_hex
  P2PK=$POINT
  make_wireguard_keys
}

# use_secp256k1_key FILE SECTION KEY COMMAND: sets POINT to the public key of the one that stands in the config
# itself, or in the file that it names, or else in FILE, where COMMAND's goes when there is none. Empty for no key.
use_secp256k1_key() {
  POINT=
  key_text=$(config_text "$2" "$3")
  key_place=$(config_text "$2" "$3_file")
  if [ -n "$key_text" ]; then
    key_place="$2.$3 in config/config.toml"
    say "  stands  $key_place"
  else
    case $key_place in
      '' | "$CONTAINER_SECRETS/${1##*/}" | "$TARGET_DIR/$1")
        key_place=$1
        keep_or_make "$1" "$4"
        exists "$1" || return 0
        ;;
    esac
    key_text=$(cat -- "$key_place" 2>/dev/null) || key_text=
  fi
  key_hex=$(secret_key_hex "$key_text")
  if [ -z "$key_hex" ]; then
    problem "$key_place is no private key, nsec1… or 64 hex characters, or may not be read by this user"
    return
  fi
  POINT=$(public_point "$key_hex")
}

make_wireguard_keys() {
  WG_PUBKEY=
  if ! exists "$WG_KEY" && exists "$WG_PUB"; then
    problem "$WG_KEY is missing while $WG_PUB stands: put the key back, or take $WG_PUB away and run this again for a new pair"
    return
  fi
  keep_or_make "$WG_KEY" "wg genkey"
  exists "$WG_KEY" || return 0
  if ! WG_PUBKEY=$(wg pubkey <"$WG_KEY" 2>/dev/null); then
    WG_PUBKEY=
    problem "$WG_KEY is no WireGuard private key, or may not be read by this user"
  elif ! exists "$WG_PUB"; then
    write_new "$WG_PUB" "$WG_PUBKEY"
  else
    stands "$WG_PUB" 600
    [ "$(cat -- "$WG_PUB")" = "$WG_PUBKEY" ] || problem "$WG_PUB is not the public key of $WG_KEY: that is $WG_PUBKEY"
  fi
}

# keep_or_make FILE COMMAND: COMMAND prints a new key. Nobody is asked on the first run, where all are missing.
keep_or_make() {
  if exists "$1"; then
    stands "$1" 600
  elif [ "$HAD_CONFIG" = yes ] && [ "$ASKS" = yes ] && ! confirm "$1 is missing. Make a new one?"; then
    problem "$1 is missing: put it back from your copy"
  else
    # shellcheck disable=SC2086 # a command and its arguments
    new_key=$($2) || die "$1 cannot be made: $2 failed"
    write_new "$1" "$new_key"
  fi
}

random_hex() {
  openssl rand -hex 32
}

new_nsec() {
  bech32 nsec "$(random_hex)"
}

# secret_key_hex TEXT: 64 hex of an nsec1… or of 64 hex; nothing for what is no key of secp256k1.
secret_key_hex() {
  case $1 in
    nsec1*) key_hex=$(printf '%s\n' "$1" | awk -v hrp=nsec -v to=hex -f "$LIBRARY/bech32.awk") || key_hex= ;;
    *) key_hex=$(printf '%s\n' "$1" | tr A-F a-f) ;;
  esac
  printf '%s\n' "$key_hex" | awk '
    NR == 1 && /^[0-9a-f]*$/ && length($0) == 64 && /[1-9a-f]/ &&
    $0 < "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141" { key = $0 }
    END { if (NR == 1) print key }'
}

# bech32 PREFIX HEX
bech32() {
  printf '%s\n' "$2" | awk -v hrp="$1" -v to=bech32 -f "$LIBRARY/bech32.awk"
}

# public_point HEX: the compressed point of a private key, 66 hex.
public_point() {
  point=$(printf '%s%s\n' "$PKCS8_HEAD" "$1" | bytes_of_hex |
    openssl pkey -inform DER -pubout -outform DER 2>/dev/null | hex_of_bytes | sed "s/^$SPKI_HEAD//")
  if matches "$point" '^[0-9a-f]{128}$'; then
    case $point in *[02468ace]) parity=02 ;; *) parity=03 ;; esac
    printf '%s%.64s' "$parity" "$point"
    return
  fi
  complain "  this openssl does not work out public keys of secp256k1: node does it"
  printf '%s' "$1" | node -e '
    const pair = require("crypto").createECDH("secp256k1");
    pair.setPrivateKey(require("fs").readFileSync(0, "utf8"), "hex");
    process.stdout.write(pair.getPublicKey("hex", "compressed"));' 2>/dev/null ||
    die "neither openssl nor node can work out a public key of secp256k1: install OpenSSL or Node 20"
}

hex_of_bytes() {
  od -An -v -tx1 | tr -d ' \n'
}

bytes_of_hex() {
  printf '%b' "$(awk '{
    digits = "0123456789abcdef"
    for (i = 1; i < length($0); i += 2) {
      byte = 16 * (index(digits, substr($0, i, 1)) - 1) + index(digits, substr($0, i + 1, 1)) - 1
      printf "\\0%d%d%d", int(byte / 64), int(byte / 8) % 8, byte % 8
    }
  }')"
}
