# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# What is said at the end.

# The proxy beside the daemon takes its site's name from here.
write_site_name() {
  if ! exists .env; then
    write_new .env "PUBLIC_HOST=$PUBLIC_HOST"
  elif grep -Fqx -e "PUBLIC_HOST=$PUBLIC_HOST" .env; then
    stands .env 600
  else
    problem ".env does not say what config/config.toml does: write the line PUBLIC_HOST=$PUBLIC_HOST into it"
  fi
}

print_checklist() {
  cat <<END

Your Nostr account:      ${NPUB:-(no key)}
Ecash is locked to:      ${P2PK:-(no key)}
This server's WireGuard: ${WG_PUBKEY:-(no key)}

Before buyers come:
  [ ] DNS: $(say "$PUBLIC_HOST" | sed 's/:[0-9]*$//') leads to this machine's public address
  [ ] open, in the hoster's firewall too: UDP 51820, TCP 80 and TCP 443
  [ ] keep a copy of secrets/ elsewhere: your account, your wallet and ecash on its way hang on it
  [ ] read config/config.toml: title, content, policies and prices are published as they stand there
END
  tell_port_clash
  tell_what_cannot_be_sold
  say ""
  say "Next, in $ROOT:"
  if [ "$(id -u)" = 0 ]; then AS_ROOT=; else AS_ROOT="sudo "; fi
  case $PATHS_FOR in
    compose) print_compose_commands ;;
    host) print_host_commands ;;
  esac
}

# lnd's usual port for its REST interface is the daemon's as well.
tell_port_clash() {
  case $(toml_text config/config.toml lightning base_url) in
    https://127.0.0.1:8080* | https://localhost:8080*)
      say "  [ ] lnd and the daemon cannot both have port 8080: change restlisten of lnd.conf and lightning.base_url"
      ;;
  esac
}

tell_what_cannot_be_sold() {
  if [ "$(toml_text config/config.toml cashu enabled)" = true ]; then return; fi
  cat <<END
  [ ] nothing can be sold for ecash yet: no mint is chosen for you. Write one that you trust as mint of
      [[listing.payment_methods]] in config/config.toml, and set enabled = true in [cashu]
END
}

print_compose_commands() {
  if [ "$TARGET_DIR" != "$ROOT" ]; then
    say "  (first move config, secrets, data and .env from $TARGET_DIR to here, beside docker-compose.yml)"
  fi
  cat <<END
  ${AS_ROOT}sh scripts/wg-up.sh
  docker compose up -d --build
  docker compose logs -f europa-node     # until "event":"listing-published"
  curl https://$PUBLIC_HOST/health
Without Docker: README.md, "As a systemd service".
END
}

print_host_commands() {
  key_file=
  if [ "$TARGET_DIR" != "$ROOT" ]; then key_file="PRIVATE_KEY_FILE=$(shell_quoted "$TARGET_DIR/$WG_KEY") "; fi
  cat <<END
  $AS_ROOT${key_file}sh scripts/wg-up.sh
  npx -y pnpm@10.34.9 install && npx -y pnpm@10.34.9 build
  export EUROPA_NODE_CONFIG=$(shell_quoted "$TARGET_DIR/config/config.toml")
  node dist/index.cjs check-config
  node dist/index.cjs                    # until "event":"listing-published"
  curl https://$PUBLIC_HOST/health       # through the proxy: README.md, step 4
END
}
