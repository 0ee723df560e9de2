# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# What the operator is asked. Each answer is the environment's, or typed, or else a usual one, and passes its check.

collect_answers() {
  if [ "$ASKS" = yes ]; then say "Nothing typed takes what stands in brackets. Nothing is written before the last answer."; fi
  answer PUBLIC_HOST host_trouble "Name that buyers reach you by over https" ""
  PUBLIC_HOST=$(printf '%s\n' "$PUBLIC_HOST" | tr '[:upper:]' '[:lower:]')
  answer TITLE line_trouble "Title of the listing" "WireGuard at $PUBLIC_HOST"
  answer REGION name_or_nothing_trouble "Where the traffic leaves, such as DE-BE; nothing: not said" ""
  answer COUNTRY country_trouble "Its country, such as DE; nothing: not said" "$(country_of_region)"
  COUNTRY=$(printf '%s\n' "$COUNTRY" | tr '[:lower:]' '[:upper:]')
  answer GEOHASH geohash_trouble "Its geohash (a short code for a place on the map), such as u33d; nothing: not said" ""
  answer PRICES prices_trouble "Prices in sat, for one hour, day, week, month, GiB or TiB" "100/hour 1000/day"
  answer MINTS mints_trouble "Mints whose ecash you accept, trusted with your income, spaces between; nothing: no ecash" ""
  answer RELAYS relays_trouble "Relays, spaces between" "$(example_relays)"
  answer_lightning
  answer SUMMARY line_trouble "One line about your offer" "$(usual_summary)"
  answer NOTIFY recipient_trouble "Who gets the daemon's private messages, npub1… or hex; nothing: nobody" ""
  answer_from_environment D_TAG name_trouble "$(toml_text "$EXAMPLE" listing d_tag)"
}

# Sets LIGHTNING_TOKEN to what secrets/lightning is to hold, if that does not stand yet.
answer_lightning() {
  LIGHTNING_TOKEN=
  answer LIGHTNING lightning_trouble "Lightning: none, phoenixd or lnd" none
  case $LIGHTNING in
    none) return ;;
    phoenixd) usual_url=http://127.0.0.1:9740 token_name="phoenixd's http-password-limited-access" ;;
    lnd) usual_url=https://127.0.0.1:8080 token_name="lnd's invoice macaroon" ;;
  esac
  answer LIGHTNING_URL web_url_trouble "URL of $LIGHTNING" "$usual_url"
  if exists "$TARGET_DIR/secrets/lightning"; then return; fi
  answer LIGHTNING_TOKEN_FILE token_file_trouble "File that holds $token_name" ""
  LIGHTNING_TOKEN=$(lightning_token "$LIGHTNING_TOKEN_FILE")
}

# answer NAME CHECK QUESTION USUAL: sets NAME.
answer() {
  if [ "$ASKS" = no ]; then
    answer_from_environment "$1" "$2" "$4"
    return
  fi
  eval "proposed=\${$1:-\$4}"
  while :; do
    printf '%s%s: ' "$3" "${proposed:+ [$proposed]}"
    read_line
    given=${TYPED:-$proposed}
    trouble=$("$2" "$given")
    [ -n "$trouble" ] || break
    say "  That $trouble."
  done
  eval "$1=\$given"
}

answer_from_environment() {
  eval "given=\${$1:-\$3}"
  trouble=$("$2" "$given")
  if [ -n "$trouble" ]; then die "$1 $trouble"; fi
  eval "$1=\$given"
}

# ISO 3166-2 names begin with the country.
country_of_region() {
  case $REGION in [A-Z][A-Z]-*) printf '%.2s\n' "$REGION" ;; esac
}

example_relays() {
  toml_text "$EXAMPLE" nostr relays | tr -d '][",'
}

usual_summary() {
  case ${MINTS:+ecash}/$LIGHTNING in
    /none) say "WireGuard tunnels." ;;
    ecash/none) say "WireGuard tunnels, paid in ecash." ;;
    /*) say "WireGuard tunnels, paid over Lightning." ;;
    *) say "WireGuard tunnels, paid in ecash or over Lightning." ;;
  esac
}

# lightning_token FILE: the secret in it, a macaroon in hex; nothing when it holds none.
lightning_token() {
  case $LIGHTNING in
    phoenixd) token=$(cat -- "$1") ;;
    lnd)
      token=$(tr -d '\000\r\n' <"$1" | tr A-F a-f)
      if ! matches "$token" '^[0-9a-f]+$'; then token=$(hex_of_bytes <"$1"); fi
      # Every macaroon of lnd's is of version 2, and begins with that byte.
      case $token in 02*) ;; *) token= ;; esac
      ;;
  esac
  if [ -z "$(line_trouble "$token")" ] || matches "$token" '^02[0-9a-f]{2,4000}$'; then say "$token"; fi
}
