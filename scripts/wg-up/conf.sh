# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# The wg-quick file. Its first line has a checksum of the others: what a hand has changed is not overwritten.

MARK="# Written by scripts/wg-up.sh of europa-node, checksum"

print_conf() {
  conf_body=$(print_conf_body)
  say "$MARK $(say "$conf_body" | checksum)"
  say "$conf_body"
}

# The rules are there before the interface, and go after it. Hooks see no environment of whoever calls wg-quick.
print_conf_body() {
  say "# To change it, run that script again with other settings. What it was given stands here:"
  for name in $GIVEN; do
    eval "say \"# $name=\$$name\""
  done
  hook="env -i PATH=\"\$PATH\" INTERFACE=%i sh $COPY/wg-up.sh"
  cat <<END
[Interface]
Address = $SERVER_ADDRESS/${SUBNET##*/}${SERVER_ADDRESS6:+, $SERVER_ADDRESS6/${SUBNET6##*/}}
ListenPort = $LISTEN_PORT
${MTU:+MTU = $MTU
}PreUp = $hook --rules
PostUp = wg set %i private-key '$PRIVATE_KEY_FILE'
PostDown = $hook --drop-rules
END
}

checksum() {
  cksum | tr ' ' '-'
}

# Sets CONF_STATE: none, ours, edited (ours, and a hand has changed it since) or foreign.
look_at_conf() {
  if [ ! -e "$CONF" ] && [ ! -L "$CONF" ]; then
    CONF_STATE=none
  elif ! has_mark; then
    CONF_STATE=foreign
  elif [ "$(head -n 1 "$CONF")" = "$MARK $(sed 1d "$CONF" | checksum)" ]; then
    CONF_STATE=ours
  else
    CONF_STATE=edited
  fi
}

has_mark() {
  [ -r "$CONF" ] && head -n 1 "$CONF" | grep -Fq -e "$MARK"
}

# Sets NEEDS_RESTART: whether an interface that is up differs from what is written now.
write_conf() {
  conf_text=$(print_conf)
  look_at_conf
  if [ "$CONF_STATE" = ours ] && [ "$(without_comments <"$CONF")" = "$(say "$conf_text" | without_comments)" ]; then
    NEEDS_RESTART=no
  else
    NEEDS_RESTART=yes
  fi
  keep_what_is_not_ours
  put_file "$CONF" "$conf_text"
  say "$CONF written"
}

without_comments() {
  grep -v '^#'
}

keep_what_is_not_ours() {
  case $CONF_STATE-$FORCE in
    none-* | ours-*) return ;;
    foreign-no) die "$CONF is not from this script; --force keeps it as $CONF.before and takes its place" ;;
    edited-no) die "$CONF was changed by hand; --force keeps that as $CONF.edited" ;;
    edited-yes) mv -f "$CONF" "$CONF.edited" ;;
    foreign-yes)
      if is_up; then die "$INTERFACE is up with a file that is not from this script: wg-quick down $INTERFACE first"; fi
      [ ! -e "$CONF.before" ] || die "$CONF.before is there already; move one of the two away"
      mv "$CONF" "$CONF.before"
      ;;
  esac
}

check_conf_is_ours() {
  look_at_conf
  case $CONF_STATE-$FORCE in
    foreign-*) die "$CONF is not from this script" ;;
    edited-no) die "$CONF was changed by hand; --force takes it away all the same" ;;
    none-*) if is_up; then die "$INTERFACE is up, but not by this script"; fi ;;
  esac
}

remove_conf() {
  rm -f "$CONF" "$RULES"
  if [ -e "$CONF.before" ]; then
    mv "$CONF.before" "$CONF"
    say "$CONF is the one of before"
  fi
}

# put_file FILE TEXT: the whole text at once, for root alone.
put_file() {
  mkdir -p "${1%/*}"
  printf '%s\n' "$2" >"$1.unfinished.$$"
  mv -f "$1.unfinished.$$" "$1"
}
