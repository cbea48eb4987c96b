#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# what a warm daemon costs: listing sends the card nothing, a login and a signature two commands
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

cd "$TESSERA_SANDBOX/tmp"
pin=271828
printf '%s\n' "$pin" >pin
wait_for 10 tessera reader show 1 >/dev/null
tessera card issue --reader 1 --template employee --holder "name=Ada Lovelace" \
    --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
tessera card activate --new-pin-file pin >/dev/null
foreign "$TESSERA_BUILD/bench/card-use" --pin "$pin" --control "$VCARD_CONTROL_0" \
    --repetitions 25 "$TESSERA_PKCS11_MODULE" "$(echo /usr/lib/*/opensc-pkcs11.so)" | tee costs

# milliseconds and APDUs of our module, then of OpenSC's, in the lines after a title
costs_after() {
    grep -A 2 "^$1" costs | awk 'NR > 1 { print $2, $4 }'
}

mapfile -t listing < <(costs_after "C_Initialize")
mapfile -t signature < <(costs_after "login")
[ "${listing[0]#* }" = 0 ] || fail "listing the objects cost ${listing[0]#* } APDUs"
[ "${signature[0]#* }" = 2 ] || fail "a login and a signature cost ${signature[0]#* } APDUs"
[ "${listing[1]#* }" -gt 0 ] || fail "OpenSC's APDUs were not counted"
echo "ok listing all objects sends the card nothing"
# A sanitized build and a loaded machine take longer; the figure is for a normal one.
[ -n "$TESSERA_PRELOAD" ] || awk -v ms="${listing[0]% *}" 'BEGIN { exit ms >= 5 }' ||
    fail "listing the objects took ${listing[0]% *} ms"
echo "ok listing all objects takes less than 5 ms"

# The log has a line for each command: number, CLA INS P1 P2, ... VERIFY is 20, with P1 FF it ends
# the PIN's state when the program leaves; GENERAL AUTHENTICATE is 87.
before=$(wc -l <"$VCARD_LOG_0")
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin "$pin" --id 01 --sign \
    --mechanism SHA256-RSA-PKCS --input-file pin --output-file signature >/dev/null 2>&1
commands_are() {
    commands=$(tail -n +$((before + 1)) "$VCARD_LOG_0" | cut -d' ' -f3,4 | tr '\n' ,)
    [ "$commands" = "$1" ]
}
# The daemon notices by itself that the program has left.
wait_until 5 commands_are "20 00,87 07,20 FF," || fail "the card saw $commands"
echo "ok a login and a signature are VERIFY and GENERAL AUTHENTICATE and nothing else"

# A program that loads the module gets no other libraries from it than these (and the C library's own).
needed=$(readelf --dynamic "$(readlink -f "$TESSERA_PKCS11_MODULE")" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libdbus-1|libcrypto|libc|libpthread|ld-linux[^.]*)\.so' || true)
[ -n "$TESSERA_PRELOAD" ] || [ -z "$needed" ] || fail "the module needs $needed"
echo "ok the module brings libdbus and libcrypto into a program and nothing else"

memory=$(awk '/VmRSS/ { print $2 }' "/proc/$(part_pid tesserad)/status")
[ -n "$TESSERA_PRELOAD" ] || [ "$memory" -lt $((24 * 1024)) ] || fail "tesserad has $memory KiB"
echo "ok the idle daemon with one card stays under 24 MiB"
