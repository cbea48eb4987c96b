#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pending certificates reach their cards, and an authority that is away is told what changed when it is back, after a restart too
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443
add_digicert_one 8443
tessera --json connection show digicert | jq '.["pickup-seconds"] = 1' >digicert.json
tessera connection update digicert.json >/dev/null
digicert_one_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
holder=(--holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org)

task() {
    tessera --json task list | jq -r ".[0].$1"
}

run_task() {
    tessera task run "$(task id)"
}

status() {
    tessera --json card show | jq -r '.certificates[-1].status'
}

on_card() {
    yubico-piv-tool --action read-certificate --slot 9a 2>/dev/null
}

# --- pending: the card is issued without a certificate, which comes by itself
knob '{"pending": 3}'
tessera card issue --reader 1 --template digicert "${holder[@]}" >/dev/null
[ "$(status)" = pending ] || fail "$(tessera card show)"
[ "$(task kind) $(task status)" = "collect pending" ] || fail "$(tessera task list)"
! on_card >/dev/null || fail "there is a certificate already"
expect_failure any run_task
[[ $output == *"not issued it yet"* ]] || fail "$output"
restart_daemon
run_task >/dev/null
[ "$(status)" = valid ] || fail "$(tessera card show)"
[ "$(counted issued)" = 1 ] || fail "$(counted issued) were issued"
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
# Its card is written at its next contact.
card_remove 0
card_insert 0
wait_for 20 on_card
digicert_one '{"certificates": true}' | jq -j '.[-1].pem' >issued.pem
on_card | cmp - issued.pem || fail "the card has another certificate"
no_knobs

# --- away: the change is made here, is not called done, and arrives later
stop_digicert_one 8443
printf '271828\n' >pin
tessera card activate --new-pin-file pin >/dev/null
expect_failure any tessera card suspend
[[ $output == *"will be told again"* ]] || fail "$output"
[ "$(tessera --json card show | jq -r .state)" = inactive ] || fail "the card is not suspended"
[ "$(task kind) $(task status)" = "tell on-hold" ] || fail "$(tessera task list)"
expect_failure any tessera connection remove digicert
restart_daemon
[ "$(task status)" = on-hold ] || fail "the task is lost"

# --- denied: the authority's words stay on the list, and a card that is reissued ends it
start_digicert_one 8444
knob '{"pending": 3, "deny-pending": true}'
digicert_one_document 8444 | jq '.name = "second" | .["pickup-seconds"] = 0' >second.json
tessera connection add second.json >/dev/null
tessera connection secret second api-key api-key >/dev/null
tessera connection profiles second --update >/dev/null
jq '.name = "second" | .keys[0].certificate.authority = "second"' template.json >second-template.json
tessera template add second-template.json >/dev/null
expect_failure any tessera card retire --yes
[[ $output == *"will be told again"* ]] || fail "$output"
[ "$(task status)" = revoked ] || fail "$(tessera task list)"
tessera card retire --yes >/dev/null
tessera card issue --reader 1 --template second "${holder[@]}" >/dev/null
pending=$(tessera --json task list | jq -r '.[] | select(.authority == "second").id')
expect_failure any tessera task run "$pending"
[[ $output == *REJECTED* ]] || fail "$output"
[ "$(tessera --json task list | jq -r '.[] | select(.authority == "second").next')" = 0 ] || fail "$(tessera task list)"
tessera task list | grep -q REJECTED || fail "$(tessera task list)"
# It can be taken off the list, with a reason; what is to be told cannot.
told=$(tessera --json task list | jq -r '.[] | select(.kind == "tell").id')
expect_failure any tessera task remove "$told" --reason 'no more wanted'
[[ $output == *"has to be told"* ]] || fail "$output"
expect_failure any tessera task remove "$pending"
knob '{"deny-pending": false}'
expect_failure any tessera task remove "$pending" --reason 'denied'
[[ $output == *"does not refuse it any more"* ]] || fail "$output"
knob '{"deny-pending": true}'
tessera task remove "$pending" --reason 'denied by the card desk' >/dev/null
[ "$(tessera --json task list | jq '[.[] | select(.authority == "second")] | length')" = 0 ] ||
    fail "$(tessera task list)"
expect_output 'denied by the card desk' tessera audit list --operation remove-task
tessera card retire --yes >/dev/null
[ "$(tessera --json task list | jq '[.[] | select(.authority == "second")] | length')" = 0 ] ||
    fail "$(tessera task list)"

# --- tesserad is killed while the authority issues: the certificate, which is on no card, is found and revoked
no_knobs
knob '{"hang": 1}'
before=$(counted issued)
tessera card issue --reader 1 --template second "${holder[@]}" >/dev/null 2>&1 &
issuing=$!
issued_one_more() {
    [ "$(counted issued)" = $((before + 1)) ]
}
wait_for 20 issued_one_more
kill_daemon
wait "$issuing" && fail "the issuance has ended well"
[ "$(has_certificates issued)" = 1 ] || fail "nothing is issued"
start_daemon
none_left() {
    [ "$(has_certificates issued)" = 0 ]
}
wait_for 30 none_left
tessera --json task list | jq -e '[.[] | select(.authority == "second")] | length == 0' >/dev/null ||
    fail "$(tessera task list)"
no_knobs
tessera card issue --reader 1 --template second "${holder[@]}" >/dev/null
[ "$(counted issued)" = $((before + 2)) ] || fail "it was issued more than once"
expect_output whole tessera audit verify
stop_digicert_one 8444
