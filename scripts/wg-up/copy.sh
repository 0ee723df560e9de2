# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# The hooks run a copy that only root can change, and that stays when the folder of the checkout moves or goes.

COPY=/etc/wireguard/europa-node

install_copy() {
  if [ "$HERE" = "$COPY" ]; then return; fi
  rm -rf "$COPY.unfinished"
  mkdir -p "$COPY.unfinished"
  cp -R "$HERE/wg-up.sh" "$HERE/wg-up" "$COPY.unfinished"
  rm -rf "$COPY"
  mv "$COPY.unfinished" "$COPY"
}

# Another interface's file may need it.
remove_copy() {
  if [ -z "$(find /etc/wireguard -maxdepth 1 -name '*.conf' -exec grep -l "$COPY/" {} +)" ]; then rm -rf "$COPY"; fi
}
