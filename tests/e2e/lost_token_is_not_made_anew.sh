#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a token that is gone, or another one, is refused with what to do; an owner's code works while locked
# sandbox: --no-owner
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
printf '314159\n' >other-pin
log=$TESSERA_SANDBOX/log/tesserad

# No file with the token's PIN: it is sealed to the owner's card.
stop_daemon
grep -v '^token-pin-file' "$TESSERA_CONFIG" >attended && cp attended "$TESSERA_CONFIG"
rm -rf "${TESSERA_STATE:?}"/*
start_daemon
tessera --json init --reader 1 --new-pin-file pin | jq -r .unblock_code >code
[ "$(wc -c <code)" = 11 ] || fail "no code of ten digits: $(cat code)"

login() {
    tessera login --reader 1 --pin-file "$1" -- tessera status
}

# While locked, with nobody logged in, the owner's code sets a new PIN.
restart_daemon
expect_failure any login other-pin
tessera card unblock 1 --unblock-code-file code --new-pin-file other-pin >/dev/null
expect_failure any login pin
login other-pin >/dev/null
# It is the owner's own code: it is not dead after that.
tessera card unblock 1 --unblock-code-file code --new-pin-file pin >/dev/null

# The folder of the token is gone: nothing is made in its place.
stop_daemon
mv "$TESSERA_STATE/token" kept
start_daemon
expect_failure any login pin
[[ $output == *"no token labelled"* ]] || fail "no clear error: $output"
[ -z "$(ls "$TESSERA_STATE/token/tokens")" ] || fail "a new token was made"

# Another installation's token: its master key is another one.
stop_daemon
rm -rf "$TESSERA_STATE/token"
cp -a kept "$TESSERA_STATE/token"
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf
export SOFTHSM2_CONF
softhsm2-util --delete-token --token tessera >/dev/null
softhsm2-util --init-token --free --label tessera --so-pin 12345678 --pin 1234567890 >/dev/null
(umask 077 && printf '1234567890' >token-pin)
pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label tessera --login --pin 1234567890 \
    --keygen --key-type AES:32 --label 'tessera master key 1' --sensitive >/dev/null
daemon_option "token-pin-file = $PWD/token-pin"
! start_daemon 2>/dev/null || fail "another master key was taken"
grep -q "master key version 1 in the token is another one" "$log" || fail "no clear error: $(tail -2 "$log")"

# The right one back: all is as before.
rm -rf "$TESSERA_STATE/token"
mv kept "$TESSERA_STATE/token"
cp attended "$TESSERA_CONFIG"
start_daemon
login pin >/dev/null
