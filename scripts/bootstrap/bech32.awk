# NIP-19's bare keys: 32 bytes in bech32 (BIP-173). One key comes in on standard input, one goes out.
#   -v hrp=nsec|npub -v to=bech32|hex
# Ends with 1, and without a word, when what came in is no such key.

BEGIN {
  CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
  HEX = "0123456789abcdef"
  GENERATOR[0] = 996825010
  GENERATOR[1] = 642813549
  GENERATOR[2] = 513874426
  GENERATOR[3] = 1027748829
  GENERATOR[4] = 705979059
}

NR == 1 { key = $0 }

END { exit (to == "hex" ? decode(key) : encode(key)) }

function encode(hex,    count, i, groups, text, check) {
  if (length(hex) != 64 || hex ~ /[^0-9a-f]/) return 1
  for (i = 1; i <= 64; i++) digits[i] = index(HEX, substr(hex, i, 1)) - 1
  count = regroup(digits, 64, 4, groups, 5)
  for (i = 1; i <= 6; i++) groups[count + i] = 0
  check = exclusive_or(polymod(groups, count + 6), 1)
  for (i = 1; i <= 6; i++) groups[count + i] = int(check / power(5 * (6 - i))) % 32
  for (i = 1; i <= count + 6; i++) text = text substr(CHARSET, groups[i] + 1, 1)
  print hrp "1" text
  return 0
}

# 52 groups of 5 bits and 6 of checksum; the last 4 of the 260 bits are padding.
function decode(text,    i, groups, digits, hex) {
  if (substr(text, 1, length(hrp) + 1) != hrp "1") return 1
  text = substr(text, length(hrp) + 2)
  if (length(text) != 58) return 1
  for (i = 1; i <= 58; i++) {
    groups[i] = index(CHARSET, substr(text, i, 1)) - 1
    if (groups[i] < 0) return 1
  }
  if (polymod(groups, 58) != 1) return 1
  regroup(groups, 52, 5, digits, 4)
  if (digits[65] != 0) return 1
  for (i = 1; i <= 64; i++) hex = hex substr(HEX, digits[i] + 1, 1)
  print hex
  return 0
}

# The same bits in groups of another width, the last one filled up with zeros. Returns how many there are.
function regroup(from, length_from, width_from, into, width_into,    i, count, rest, bits) {
  for (i = 1; i <= length_from; i++) {
    rest = rest * power(width_from) + from[i]
    bits += width_from
    while (bits >= width_into) {
      bits -= width_into
      into[++count] = int(rest / power(bits))
      rest %= power(bits)
    }
  }
  if (bits > 0) into[++count] = rest * power(width_into - bits)
  return count
}

function polymod(groups, count,    i, check) {
  check = 1
  # A letter's high bits are 3, its low ones its place in the alphabet.
  for (i = 1; i <= length(hrp); i++) check = fold(check, 3)
  check = fold(check, 0)
  for (i = 1; i <= length(hrp); i++)
    check = fold(check, index("abcdefghijklmnopqrstuvwxyz", substr(hrp, i, 1)))
  for (i = 1; i <= count; i++) check = fold(check, groups[i])
  return check
}

function fold(check, group,    i, top) {
  top = int(check / power(25))
  check = exclusive_or((check % power(25)) * power(5), group)
  for (i = 0; i < 5; i++) if (int(top / power(i)) % 2 == 1) check = exclusive_or(check, GENERATOR[i])
  return check
}

# Of two. Some builds of busybox have no ^.
function power(exponent,    product) {
  for (product = 1; exponent > 0; exponent--) product *= 2
  return product
}

# POSIX awk has none.
function exclusive_or(a, b,    sum, bit) {
  for (bit = 1; a + b > 0; bit *= 2) {
    if (a % 2 != b % 2) sum += bit
    a = int(a / 2)
    b = int(b / 2)
  }
  return sum + 0
}
