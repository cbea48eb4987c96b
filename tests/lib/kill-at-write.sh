# SPDX-License-Identifier: LGPL-2.1-or-later
# Kills the daemon at every write of its store in turn (tests/lib/stop-at-write.c). For tests that have started it anew
# with restart_daemon after sourcing this; files are left in the present folder.
#
#     walk OPERATION FEWEST    runs OPERATION, killed at write 1, 2, 3, ... until it has no further one, of which there
#                              must be FEWEST; each time the daemon is started again, and finish_OPERATION run
#
# $where says what was done, for failures; $reached whether there was such a write.
# shellcheck shell=bash
TESSERA_STOP_FILE=$PWD/stop-at
export TESSERA_STOP_FILE

start_daemon_unready() {
    start_part tesserad \
        env LD_PRELOAD="$TESSERA_PRELOAD $TESSERA_BUILD/tests/lib/.libs/stop-at-write.so" \
        "$TESSERA_BUILD/tesserad" --config "$TESSERA_CONFIG"
}

has_stopped_or_is_over() {
    [ ! -e "$TESSERA_STOP_FILE" ] || ! kill -0 "$operation" 2>/dev/null
}

# Kills at write $1 of operation $2; $reached says whether there was such a write.
killed() {
    echo "$1" >"$TESSERA_STOP_FILE"
    "$2" >operation.log 2>&1 &
    operation=$!
    wait_for 60 has_stopped_or_is_over
    reached=false
    if [ -e "$TESSERA_STOP_FILE" ]; then
        wait "$operation" || fail "$where failed by itself: $(cat operation.log)"
        rm "$TESSERA_STOP_FILE"
        return
    fi
    reached=true
    kill_daemon
    wait "$operation" 2>/dev/null || true
    start_daemon
}

walk() {
    local write=1
    while true; do
        where="$1, killed at write $write"
        killed "$write" "$1"
        "finish_$1"
        expect_output whole tessera audit verify
        $reached || break
        write=$((write + 1))
    done
    [ "$write" -gt "$2" ] || fail "$1 took fewer writes than it must: $write"
    echo "$1: recovered wherever killed, up to write $write"
}
