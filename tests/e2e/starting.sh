#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a start that cannot succeed ends with one clear error, and pcscd or the bus may come later
# sandbox: --no-daemon
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

state=$TESSERA_SANDBOX/tmp/state
(umask 077 && echo 87654321 >pin)

# configure LINE...: writes the configuration file.
configure() {
    printf '%s\n' "state-dir = $state" "socket = $TESSERA_SANDBOX/tmp/bus" "bus = none" \
        "token-pin-file = $PWD/pin" "data-dir = $TESSERA_SOURCE/data" "$@" >conf
}

# refused STATUS TEXT: tesserad ends with that status and one error that says TEXT.
refused() {
    expect_failure "$1" timeout 20 tesserad --config conf
    case $output in *"$2"*) ;; *) fail "'$2' is not in: $output" ;; esac
    [ "$(grep -c '^<3>' <<<"$output")" = 1 ] || fail "more than one error: $output"
}

# Configuration: the line is named, and what is allowed.
configure '# fine' 'log-level = loud'
refused 78 'conf:7: log-level must be error, warning, notice, info or debug'
configure 'colour = blue'
refused 78 'conf:6: there is no option "colour"'
configure 'what'
refused 78 'conf:6: the line is no "key = value"'
configure 'socket = here'
refused 78 'socket must be an absolute path'
configure
expect_output 'the configuration is right' tesserad --config conf --check-config
expect_failure 78 tesserad --config missing --check-config
expect_failure 64 tesserad --nothing
expect_output "tesserad " tesserad --version

# The token's PIN.
chmod 0644 pin
refused 1 'chmod 0600'
mv pin pin.away
refused 1 'make one'
mkdir pin
refused 1 'no regular file'
rmdir pin
mv pin.away pin
chmod 0600 pin

# The state folder: of others, read-only, full.
rm -rf "$state"
mkdir -m 0755 "$state"
refused 1 'chmod 0700'
chmod 0700 "$state"
mount -t tmpfs -o mode=0700,ro none "$state"
refused 1 'Read-only file system'
umount "$state"
mount -t tmpfs -o mode=0700,size=4k none "$state"
refused 1 'tessera.db'
umount "$state"
echo text >file
sed -i "s|^state-dir.*|state-dir = $PWD/file|" conf
refused 1 'is no folder'

# The socket's place is taken by a file, which stays.
configure "socket = $PWD/file"
refused 1 'is no socket'
[ "$(cat file)" = text ] || fail "the file is gone"

# A wrong PIN for the token that is there.
configure
tesserad --config conf 2>log &
daemon=$!
wait_for 20 test -S bus
echo 271828 >owner-pin
card_was_read() {
    tessera --socket bus --json reader show 1 | jq -e '.state == "unregistered"'
}
wait_for 20 card_was_read
tessera --socket bus init --reader 1 --new-pin-file owner-pin >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill "$daemon" || break
done
wait "$daemon" || fail "tesserad ended with status $? on SIGTERM: $(cat log)"
[ ! -e bus ] || fail "the socket is still there"
echo 11111111 >pin
refused 1 'PIN'
