#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card far away that says it is another one learns neither PUK nor PIN, and changes nothing about that one
# sandbox: --no-owner --cards blank,blank,blank --vcard-option 1:--serial=10000001
# Card 1 has the serial number of card 0, as a program of a stranger might say.
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"

card_remove 1
start_far_server "remote-ownership = yes"
start_agent
make_far_owner
add_template
serial=yubikey-10000001
wait_for 20 remote_card_is_read 0
issue
activate
card_remove 0
card_insert 1
wait_for 20 remote_card_is_read 1
expect_output "$serial" tessera reader show "$(remote_reader 1)"
: >"$VCARD_LOG_1"
for verb in "unblock $serial --new-pin-file pin" "reissue $serial" "retire $serial --yes" "rotate $serial"; do
    # shellcheck disable=SC2086
    expect_failure any tessera card $verb
done
# CHANGE REFERENCE DATA, RESET RETRY COUNTER, SET MANAGEMENT KEY (SP 800-73-4 part 2, 3.2; YubiKey)
! grep -Eiq '(^|[ >])00 ?(24|2c|ff)' "$VCARD_LOG_1" || fail "the card was told: $(cat "$VCARD_LOG_1")"
grep -Eiq '00 ?87' "$VCARD_LOG_1" || fail "the card was not asked who it is: $(cat "$VCARD_LOG_1")"
expect_output active tessera card show "$serial"

# The same while something is interrupted, which only the card itself may settle.
card_remove 1
card_insert 0
wait_for 20 remote_card_is_read 0
card_control 0 reset-count >/dev/null
card_control 0 "vanish-at 8" >/dev/null
expect_failure any tessera card reissue "$serial"
card_control 0 "vanish-at 0" >/dev/null
wait_for 10 cards_seen_are 0
card_insert 1
fake_is_refused() {
    tessera_plain --json reader show "$(remote_reader 1)" | jq -e '.problem | startswith("recovery: ")' >/dev/null
}
wait_for 20 fake_is_refused
card_remove 1
card_insert 0
wait_for 20 state_is_one_of registered
issue
activate
retire
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
