# shellcheck shell=sh disable=SC2034,SC2154 # the files of this script share their variables
# Folders and files: made once, for their owner alone, and never replaced.

UNFINISHED=
trap 'if [ -n "$UNFINISHED" ]; then rm -f -- "$UNFINISHED"; fi' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A link that leads nowhere exists too.
exists() {
  [ -e "$1" ] || [ -L "$1" ]
}

# write_new FILE TEXT: the whole text or no file.
write_new() {
  if exists "$1"; then die "$1 stands already"; fi
  UNFINISHED=$1.unfinished.$$
  if ! printf '%s\n' "$2" >"$UNFINISHED" || ! mv -- "$UNFINISHED" "$1"; then die "$1 cannot be written"; fi
  UNFINISHED=
  say "  made    $1"
}

# stands PATH MODE: says so, and when others than its owner get in.
stands() {
  say "  stands  $1"
  case $(ls -ld -- "$1") in
    l* | ????------*) ;;
    *) say "          others than its owner may use it; run: chmod $2 $(shell_quoted "$TARGET_DIR/$1")" ;;
  esac
}

# What stands in a folder that this user may not enter would look missing.
check_folders() {
  for folder in config secrets data; do
    if [ -d "$TARGET_DIR/$folder" ] && ! ls "$TARGET_DIR/$folder/." >/dev/null 2>&1; then
      die "$TARGET_DIR/$folder may not be entered by this user: run this as its owner"
    fi
  done
}

make_folders() {
  for folder in config secrets data; do
    if [ -d "$folder" ]; then
      stands "$folder" 700
    else
      mkdir -- "$folder" || die "the folder $folder cannot be made"
      say "  made    $folder"
    fi
  done
  # Where ./secrets is mounted: in a mount that may be read-only, so it must be there before.
  if [ "$PATHS_FOR" = compose ]; then mkdir -p -- config/secret; fi
}
