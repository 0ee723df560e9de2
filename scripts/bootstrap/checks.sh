# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# What an answer must be. Each function prints what is wrong with its text, as the end of a sentence that the text's
# name begins ("PUBLIC_HOST is missing"), and nothing when it will do. The daemon's own check is the last word.

LABEL='[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
HOST="(\\[[0-9A-Fa-f:.]+\\]|($LABEL\\.)*$LABEL)"
PORT='(:[1-9][0-9]{0,4})?'
PATH_OF_URL='(/[A-Za-z0-9._~%/-]*)?'
IPV4_BYTE='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'

line_trouble() {
  if ! printf '%s' "$1" | grep -q '[^[:space:]]'; then
    echo "is missing"
  elif [ "${#1}" -gt 1000 ]; then
    echo "is longer than 1000 bytes"
  else
    case $1 in
      *nsec1*) echo "holds what looks like a Nostr private key, which nobody else may see" ;;
      *REPLACE_WITH* | *PASTE_* | *CHANGEME* | *CHANGE_ME*) echo "still holds a placeholder" ;;
      *) printf '%s' "$1" | od -An -v -tu1 | awk -f "$LIBRARY/text-trouble.awk" ;;
    esac
  fi
}

# word_trouble TEXT PATTERN WORDS: of a line that must be as the pattern says.
word_trouble() {
  found=$(line_trouble "$1")
  if [ -z "$found" ] && ! matches "$1" "$2"; then found=$3; fi
  if [ -n "$found" ]; then say "$found"; fi
}

word_or_nothing_trouble() {
  if [ -n "$1" ]; then word_trouble "$@"; fi
}

name_trouble() {
  word_trouble "$1" '^[^<>]*$' "has < or > in it, as placeholders have"
}

name_or_nothing_trouble() {
  if [ -n "$1" ]; then name_trouble "$1"; fi
}

host_trouble() {
  case $1 in */*) echo "is more than a name: leave out https:// and the path" && return ;; esac
  found=$(word_trouble "$1" "^$HOST$PORT\$" "is not a name such as vpn.example.com")
  if [ -n "$found" ]; then
    say "$found"
  elif matches "$1" '(^|\.)[0-9]+(:[0-9]+)?$' && ! matches "$1" "^$IPV4_BYTE(\\.$IPV4_BYTE){3}$PORT\$"; then
    echo "ends like an IPv4 address and is none"
  elif matches "$1" ':[0-9]+$' && [ "${1##*:}" -gt 65535 ]; then
    echo "has a port above 65535"
  fi
}

country_trouble() {
  word_or_nothing_trouble "$1" '^[A-Za-z]{2}$' "is not a country's two letters (ISO 3166-1), such as DE"
}

geohash_trouble() {
  word_or_nothing_trouble "$1" '^[0-9b-hjkmnp-zB-HJKMNP-Z]{1,12}$' "is not a geohash such as u33d"
}

prices_trouble() {
  units=
  for tier in $1; do
    if ! matches "$tier" '^[1-9][0-9]{0,14}/(hour|day|week|month|GiB|TiB)$'; then
      say "has a tier that is not like 1000/day, whole sat for a unit: $tier"
      return
    fi
    case "$units " in *" ${tier#*/} "*) say "prices ${tier#*/} twice" && return ;; esac
    units="$units ${tier#*/}"
  done
  if [ -z "$units" ]; then echo "names no price"; fi
}

mints_trouble() {
  urls_trouble "$1" 'https?' https://mint.example.com
}

relays_trouble() {
  urls_trouble "$1" 'wss?' wss://relay.example.com
}

# urls_trouble TEXT SCHEMES EXAMPLE: of any number of URLs with spaces between, each there once.
urls_trouble() {
  if [ -n "$1" ]; then found=$(line_trouble "$1"); else found=; fi
  if [ -n "$found" ]; then
    say "$found"
    return
  fi
  urls=
  for url in $1; do
    if ! matches "$url" "^$2://$HOST$PORT$PATH_OF_URL\$"; then
      say "has a URL that is not like $3: $url"
      return
    fi
    case "$urls " in *" ${url%/} "*) say "names $url twice" && return ;; esac
    urls="$urls ${url%/}"
  done
}

lightning_trouble() {
  word_trouble "$1" '^(none|phoenixd|lnd)$' "is neither none nor phoenixd nor lnd"
}

web_url_trouble() {
  word_trouble "$1" "^https?://$HOST$PORT$PATH_OF_URL\$" "is not a URL such as http://127.0.0.1:9740"
}

token_file_trouble() {
  if [ -z "$1" ]; then
    echo "is missing"
  elif [ ! -f "$1" ] || [ ! -r "$1" ]; then
    echo "is no file that this user may read"
  elif [ -z "$(lightning_token "$1")" ]; then
    case $LIGHTNING in
      phoenixd) echo "names a file that does not hold just the password, on one line" ;;
      lnd) echo "names a file that is no macaroon, neither as lnd wrote it nor in hex" ;;
    esac
  fi
}

recipient_trouble() {
  case $1 in
    npub1*) printf '%s\n' "$1" | awk -v hrp=npub -v to=hex -f "$LIBRARY/bech32.awk" >/dev/null || echo "is a mistyped npub" ;;
    *) word_or_nothing_trouble "$1" '^[0-9A-Fa-f]{64}$' "is neither npub1… nor 64 hex characters" ;;
  esac
}
