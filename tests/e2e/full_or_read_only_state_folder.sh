#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a full or read-only state folder gives one clear error, loses nothing, and works again once there is room
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

issue() {
    tessera card issue --reader 1 --template employee --holder "name=Ada Lovelace" \
        --holder email=ada@example.org --holder upn=ada@example.org
}
starts_not_and_says() {
    local status=0
    timeout 20 tesserad --config "$TESSERA_CONFIG" >start.log 2>&1 || status=$?
    [ "$status" != 0 ] && [ "$status" != 124 ] || fail "tesserad should not have started"
    grep -q "$1" start.log || fail "tesserad did not say '$1' but: $(cat start.log)"
}

wait_for 10 sh -c 'tessera reader show 1 | grep -q unregistered'

# The state folder on a file system that can be filled and set read-only.
stop_daemon
mkdir small
mount -t tmpfs -o size=24m tmpfs small
cp -a "$TESSERA_STATE/." small/
mount --bind small "$TESSERA_STATE"
chmod 700 "$TESSERA_STATE"
start_daemon
wait_for 10 sh -c 'tessera reader show 1 | grep -q unregistered'

fill() {
    dd if=/dev/zero of="$TESSERA_STATE/filler" bs=64k 2>/dev/null || true
    dd if=/dev/zero of="$TESSERA_STATE/filler2" bs=512 2>/dev/null || true
}
fill
expect_failure 8 issue
[[ $output == *"space"* ]] || fail "a full store was not named: $output"
rm "$TESSERA_STATE/filler" "$TESSERA_STATE/filler2"
issue >/dev/null
expect_output issued tessera card list
expect_output whole tessera audit verify

stop_daemon
mount -o remount,bind,ro "$TESSERA_STATE"
starts_not_and_says "Read-only"
mount -o remount,bind,rw "$TESSERA_STATE"
start_daemon
expect_output issued tessera card list
tessera card revoke --reason superseded --yes >/dev/null
expect_output revoked tessera card list
stop_daemon
umount "$TESSERA_STATE"

# Each new store gets an owner, with a new card; the old one's card comes back with its store.
cp "$TESSERA_SANDBOX/kept/cards/owner" owner-card

# A first start that runs out of space, wherever: the next one with room makes up for it.
start_has_ended_or_is_done() {
    ! part_is_running tesserad || { daemon_owns_name && ! tessera job list | grep -q running; }
}
for room in 100 140 150 160 170 180 190 200 220 250; do
    mount -t tmpfs -o "size=${room}k,mode=700" tmpfs "$TESSERA_STATE"
    start_daemon_unready
    wait_for 20 start_has_ended_or_is_done
    stop_part tesserad TERM || true
    mount -o remount,size=24m "$TESSERA_STATE"
    start_daemon
    wait_for 10 sh -c 'tessera connection test local && tessera template show employee'
    stop_daemon
    umount "$TESSERA_STATE"
done
cp owner-card "$TESSERA_SANDBOX/kept/cards/owner"
start_daemon
