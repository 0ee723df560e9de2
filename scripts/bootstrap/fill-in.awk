# Prints config.example.toml with values filled in. Two inputs: the changes, then the example.
# A change is one line, its parts separated by tabs:
#   set SECTION KEY VALUE   the key's line gets this value, and loses the # of an optional one
#   drop SECTION            the section's lines go
#   add SECTION LINE        a line after the section, or in its place when it is dropped
# SECTION is a header without brackets; of several tables of one name, `name:type` is the one with that type.
# Ends with 1 when the example has no place for a change, and names it: the example may be changed freely, but
# nothing is ever left out in silence.

BEGIN { FS = "\t" }

FNR == NR {
  open_changes[$1 " " $2 ($1 == "set" ? "." $3 : "")] = 1
  if ($1 == "set") {
    value[$2 "." $3] = $4
    is_touched[$2] = 1
  } else if ($1 == "drop") is_dropped[$2] = 1
  else added[$2] = added[$2] $3 "\n"
  next
}

/^#?\[\[?[a-z_.]+\]\]?$/ {
  enter($0)
  next
}

{ inside($0) }

END {
  put_added()
  for (change in open_changes) {
    printf "config.example.toml has no place for: %s\n", change | "cat 1>&2"
    missing = 1
  }
  exit missing
}

# A table in an array is known by its type, which stands on its first line.
function enter(header,    first_line) {
  section = header
  gsub(/[][#]/, "", section)
  if (header ~ /\[\[/) {
    if ((getline first_line) <= 0) first_line = ""
    if (first_line ~ /^#?type = "[a-z]+"$/) section = section ":" quoted(first_line)
  }
  if (section in is_touched) sub(/^#/, "", header)
  if (!(section in is_dropped)) print header
  if (header ~ /\[\[/) inside(first_line)
}

function inside(line,    key) {
  if (line == "") put_added()
  if (section in is_dropped) {
    delete open_changes["drop " section]
    # A blank line ends a table; what follows introduces the next.
    if (line == "") section = ""
    return
  }
  if (line ~ /^#?[a-z0-9_]+ = /) {
    key = line
    sub(/ = .*/, "", key)
    sub(/^#/, "", key)
    key = section "." key
    if (("set " key) in open_changes) {
      delete open_changes["set " key]
      sub(/^.*\./, "", key)
      line = key " = " value[section "." key]
    }
  }
  print line
}

function put_added() {
  if (!(("add " section) in open_changes)) return
  delete open_changes["add " section]
  printf "%s", added[section]
}

function quoted(line) {
  gsub(/^[^"]*"|"$/, "", line)
  return line
}
