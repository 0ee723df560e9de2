# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# A config that stood before, against the keys: what the daemon would refuse, or buyers would run into.

# Sets PUBLIC_HOST, too, to what the config says.
compare_config_with_keys() {
  PUBLIC_HOST=$(config_text server public_host)
  stated_trouble=$(host_trouble "$PUBLIC_HOST")
  if [ -n "$stated_trouble" ]; then problem "server.public_host in config/config.toml $stated_trouble"; fi
  stated=$(config_text wireguard server_pubkey)
  if [ -n "$WG_PUBKEY" ] && [ "$stated" != "$WG_PUBKEY" ]; then
    problem "wireguard.server_pubkey in config/config.toml is not the public key of $WG_KEY: put the former key back, or write server_pubkey = \"$WG_PUBKEY\""
  fi
  # NUT-11: only the x coordinate counts.
  if [ -n "$P2PK" ] && config_texts listing.payment_methods p2pk | tr A-F a-f | grep -qv "^0[23]${P2PK#0[23]}\$"; then
    problem "p2pk of a payment method in config/config.toml is not the public key of the P2PK key: put the former key back, or write p2pk = \"$P2PK\""
  fi
  compare_path nostr nsec_file "$SECRET_FOLDER/nsec"
  compare_path cashu p2pk_privkey_hex_file "$SECRET_FOLDER/p2pk"
}

# compare_path SECTION KEY PATH: a file may stand anywhere, so this is for the reader to judge.
compare_path() {
  stated=$(config_text "$1" "$2")
  if [ -n "$stated" ] && [ "$stated" != "$3" ]; then
    say "  note    $1.$2 in config/config.toml is $stated, where --for $PATHS_FOR would write $3"
  fi
}
