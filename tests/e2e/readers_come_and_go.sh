#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the reader watch sees cards come and go, resets by others, and pcscd being killed and restarted
# sandbox: --cards blank,none --no-daemon
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"

events=$TESSERA_SANDBOX/events
"$TESSERA_BUILD/tests/unit/card/reader-log" hold >"$events" &
log_pid=$!

# last_is PATTERN WORD: the last line that begins with one of the pattern's words begins with WORD.
last_is() {
    grep -E "^($1) " "$events" | tail -n 1 | grep -q "^$2"
}

seen_times() {
    [ "$(grep -c "^$1" "$events")" -ge "$2" ]
}

wait_for 10 seen_times "card YubiKey" 1

card_remove 0
wait_for 10 last_is "card-inserted|card-removed" card-removed
wait_for 10 seen_times "card-lost NoCard" 1

card_insert 0
wait_for 10 seen_times "card YubiKey" 2

# Another program resets the card that we hold.
opensc-tool --reader "$VCARD_READER_0" --reset >/dev/null 2>&1
wait_for 10 seen_times "card-reset" 1

kill_pcscd
wait_for 10 last_is "service" "service absent"
wait_for 10 last_is "card-inserted|card-removed" card-removed
wait_for 10 last_is "reader-added|reader-removed" reader-removed
wait_for 10 seen_times "card-lost NoReaderService" 1

start_pcscd
wait_for_readers
wait_for 10 last_is "service" "service available"
wait_for 20 seen_times "card YubiKey" 3

kill "$log_pid"
wait "$log_pid"
[ "$(tail -n 1 "$events")" = stopped ] || fail "the watch did not end: $(tail -n 3 "$events")"
