# What is wrong with a text as one line of the config, in words; nothing when it will do.
# Its bytes come in as numbers (`od -An -v -tu1`), because not every awk counts in bytes.

BEGIN {
  CONTROL = "holds a line break or another control character"
  NOT_UTF8 = "is not UTF-8"
}

{ for (i = 1; i <= NF && trouble == ""; i++) trouble = awaited > 0 ? continued($i) : begun($i) }

END {
  if (trouble == "" && awaited > 0) trouble = NOT_UTF8
  if (trouble != "") print trouble
}

# RFC 3629, section 4. Control characters are Unicode's: 0 to 31 and 127 to 159, the last of which follow a 194.
function begun(byte) {
  first = byte
  least = 128
  most = 191
  if (byte < 32 || byte == 127) return CONTROL
  if (byte < 128) return ""
  if (byte < 194 || byte > 244) return NOT_UTF8
  awaited = byte < 224 ? 1 : byte < 240 ? 2 : 3
  if (byte == 224) least = 160
  if (byte == 237) most = 159
  if (byte == 240) least = 144
  if (byte == 244) most = 143
  return ""
}

function continued(byte) {
  if (byte < least || byte > most) return NOT_UTF8
  if (first == 194 && byte < 160) return CONTROL
  awaited--
  least = 128
  most = 191
  return ""
}
