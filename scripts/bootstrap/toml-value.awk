# Prints the texts that a key has in a section of a TOML file, one a line: -v section=nostr -v key=relays_or_so.
# It reads what people write there, `key = "text"` with any spacing, either kind of quotes and a comment behind;
# what it does not understand it leaves out.

/^[ \t]*\[/ {
  here = $0
  sub(/#.*/, "", here)
  gsub(/[][ \t\r]/, "", here)
  next
}

here == section {
  line = $0
  sub(/^[ \t]+/, "", line)
  if (index(line, key) != 1) next
  line = substr(line, length(key) + 1)
  if (line !~ /^[ \t]*=/) next
  sub(/^[ \t]*=[ \t]*/, "", line)
  quote = substr(line, 1, 1)
  if (quote == "\"" || quote == "'") {
    line = substr(line, 2)
    end = index(line, quote)
    if (end > 0) print substr(line, 1, end - 1)
  } else {
    sub(/[ \t\r]*(#.*)?$/, "", line)
    print line
  }
}
