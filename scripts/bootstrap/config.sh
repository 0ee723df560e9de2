# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# config/config.toml: written once from config.example.toml, afterwards only read.
#
# The example is filled in rather than written anew: what it gains, its comments and its defaults come along, and
# fill-in.awk fails when a key that is set here has gone from it.

# toml_texts FILE SECTION KEY: what the key is there, one a line.
toml_texts() {
  awk -v section="$2" -v key="$3" -f "$LIBRARY/toml-value.awk" "$1"
}

toml_text() {
  toml_texts "$@" | head -n 1
}

# config_texts SECTION KEY: of the config that stood before, one a line; nothing on a first run.
config_texts() {
  if [ "$HAD_CONFIG" = yes ]; then toml_texts config/config.toml "$1" "$2"; fi
}

config_text() {
  config_texts "$@" | head -n 1
}

CONTAINER_SECRETS=/etc/europa-node/secret

# Where the daemon finds the files: as docker-compose.yml mounts them, or where they are.
name_paths() {
  case $PATHS_FOR in
    compose) SECRET_FOLDER=$CONTAINER_SECRETS DATA_FOLDER=/var/lib/europa-node ;;
    host) SECRET_FOLDER=$TARGET_DIR/secrets DATA_FOLDER=$TARGET_DIR/data ;;
  esac
}

write_config() {
  if [ -z "$NPUB" ] || [ -z "$P2PK" ] || [ -z "$WG_PUBKEY" ]; then
    die "config/config.toml is not made while a key is missing"
  fi
  filled_in=$(config_changes | awk -f "$LIBRARY/fill-in.awk" - "$EXAMPLE") ||
    die "config.example.toml is not the one that this script belongs to"
  if [ -n "$LIGHTNING_TOKEN" ]; then
    write_new secrets/lightning "$LIGHTNING_TOKEN"
  elif [ "$LIGHTNING" != none ]; then
    stands secrets/lightning 600
  fi
  write_new config/config.toml "$filled_in"
}

config_changes() {
  set_text server public_host "$PUBLIC_HOST"
  set_text db path "$DATA_FOLDER/sessions.db"
  set_text wireguard server_pubkey "$WG_PUBKEY"
  set_text nostr nsec_file "$SECRET_FOLDER/nsec"
  change set nostr relays "[$(toml_strings "$RELAYS")]"
  set_text listing d_tag "$D_TAG"
  set_text listing title "$TITLE"
  set_text listing summary "$SUMMARY"
  if [ -n "$COUNTRY" ]; then set_text listing.region country "$COUNTRY"; fi
  if [ -n "$REGION" ]; then set_text listing.region sub "$REGION"; fi
  if [ -n "$GEOHASH" ]; then set_text listing.region geohash "$GEOHASH"; fi
  if [ -n "$NOTIFY" ]; then
    change set notifications enabled true
    set_text notifications pubkey "$NOTIFY"
  fi
  change_prices
  change_cashu
  if [ "$LIGHTNING" != none ]; then change_lightning; fi
}

change_prices() {
  change drop listing.prices
  for tier in $PRICES; do
    change add listing.prices "[[listing.prices]]"
    change add listing.prices "amount = ${tier%/*}"
    change add listing.prices 'currency = "sat"'
    change add listing.prices "unit = \"${tier#*/}\""
    change add listing.prices ""
  done
}

# Without a mint its placeholder stays, so that ecash cannot be turned on without one.
change_cashu() {
  method=listing.payment_methods:cashu
  change set cashu enabled "$(if [ -n "$MINTS" ]; then echo true; else echo false; fi)"
  set_text cashu p2pk_privkey_hex_file "$SECRET_FOLDER/p2pk"
  set_text $method p2pk "$P2PK"
  is_first=yes
  for mint in $MINTS; do
    if [ $is_first = yes ]; then
      set_text $method mint "$mint"
    else
      change add $method ""
      change add $method "[[listing.payment_methods]]"
      change add $method 'type = "cashu"'
      change add $method "mint = $(toml_string "$mint")"
      change add $method "p2pk = $(toml_string "$P2PK")"
    fi
    is_first=no
  done
}

change_lightning() {
  change set lightning enabled true
  set_text lightning backend "$LIGHTNING"
  set_text lightning base_url "$LIGHTNING_URL"
  set_text lightning api_token_file "$SECRET_FOLDER/lightning"
  set_text listing.payment_methods:lightning type lightning
}

# A line for fill-in.awk. No text has a tab in it: answers hold no control characters.
change() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "${3-}" "${4-}"
}

set_text() {
  change set "$1" "$2" "$(toml_string "$3")"
}

# Of words with spaces between.
toml_strings() {
  separator=
  for word in $1; do
    printf '%s%s' "$separator" "$(toml_string "$word")"
    separator=", "
  done
}

# A basic string (TOML 1.0) of a text without control characters.
toml_string() {
  printf '"%s"' "$(printf '%s\n' "$1" | sed 's/[\\"]/\\&/g')"
}
