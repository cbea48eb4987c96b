#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards on an operator's or holder's desk are used by a server far away, with consent, and by nobody else
# sandbox: --no-owner --cards blank,blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"

as_user() {
    local user=$1
    shift
    env -u TESSERA_SESSION setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}
pkcs11() {
    # shellcheck disable=SC2086
    foreign $AS pkcs11-tool --module "$TESSERA_PKCS11_MODULE" "$@" 2>&1
}
shows() {
    local text=$1
    shift
    [[ $("$@" 2>&1) == *"$text"* ]]
}
has_no_card() {
    tessera_plain --json reader show "$1" | jq -e '.card_present == false' >/dev/null
}

# --- an operator at a desk: the server has no reader at all, and is made an owner's from here
start_far_server "remote-ownership = yes"
expect_output "There are no readers" tessera_plain reader list
start_agent
make_far_owner
expect_output "system-owner" tessera operator current
add_template
wait_for 20 remote_card_is_read 0
expect_output "root@tessera-sandbox: $VCARD_READER_0" tessera reader list
issue
activate
expect_output "YubiKey 5.4.3" tessera reader info 1
unblock
# The module shows it to nobody: cards of other machines are for operators here.
AS=
pkcs11 --list-slots | grep -q "tessera-sandbox: " && fail "programs see cards of other machines"
expect_failure any tessera_plain card change-pin reader:1 --pin-file pin --new-pin-file other-pin
[[ $output == *"not for this use by you"* ]] || fail "refused for another reason: $output"
retire

# --- the agent comes again by itself, and the reader keeps its number
issue
restart_far() {
    stop_daemon
    start_far_server "$@"
    wait_for 20 agent_says "trying again"
    wait_for 30 remote_card_is_read "${card:-0}"
}
restart_far "remote-ownership = no"
[ "$(remote_reader 0)" = 1 ] || fail "the reader has another number"
# With the owner's card back in the reader here.
card_insert 2
wait_for 20 remote_card_is_read 2
log_owner_in "$(remote_reader 2)" "$TESSERA_SANDBOX/kept/owner-pin"
card_remove 2
# What the card is to be told newly is no business of a machine in between, unless that is let.
tessera card activate yubikey-10000001 --new-pin-file pin
wait_for 20 remote_card_is_read 1
expect_failure any tessera card issue --reader "$(remote_reader 1)" --template walk --holder name=Grace
[[ $output == *remote-ownership* ]] || fail "refused for another reason: $output"
expect_failure any tessera card rotate yubikey-10000001
[[ $output == *remote-ownership* ]] || fail "refused for another reason: $output"
stop_part agent TERM
[ "$(part_status agent)" = 0 ] || fail "the agent does not end cleanly"
expect_output "There are no readers" tessera reader list

# --- consent: of a person, for each card that is put in; nobody there is no
start_agent agent --allow " 00 01"
wait_for 20 agent_says "the card in $VCARD_READER_1 is offered"
wait_for 20 agent_says "the card in $VCARD_READER_0 is not offered"
has_no_card "$(remote_reader 0)" || fail "a card is offered that nobody has allowed"
stop_part agent TERM

cat >ask <<'END'
#!/bin/sh
echo "$SSH_ASKPASS_PROMPT: $1" >>asked
[ ! -e no ]
END
chmod +x ask
start_agent agent --allow " 00 01" --ask ./ask
wait_for 20 agent_says "the card in $VCARD_READER_0 is offered"
question="confirm: Let $TESSERA_SOCKET use the YubiKey 10000001 in the reader \"$VCARD_READER_0\"?"
[ "$(cat asked)" = "$question" ] || fail "another question: $(cat asked)"
touch no
card_remove 0
card_insert 0
wait_for 20 agent_says "the card in $VCARD_READER_0 is not offered"
[ "$(wc -l <asked)" = 2 ] || fail "a card that is put in again is not asked for again"
has_no_card "$(remote_reader 0)" || fail "a card is offered that was refused"
rm no
kill_daemon
start_far_server
wait_for 20 remote_card_is_read 0
[ "$(wc -l <asked)" = 3 ] || fail "another connection is not asked for"
stop_part agent TERM

rm "$TESSERA_SANDBOX/log/agent"
"$TESSERA_SOURCE/tests/lib/typist" 'use the YubiKey 10000001 .*\[y/N\]'=y 'use the YubiKey 10000002 .*\[y/N\]'=n \
    -- "$TESSERA_BUILD/tessera" agent >"$TESSERA_SANDBOX/log/agent" 2>&1 &
wait_for 20 agent_says "the card in $VCARD_READER_1 is not offered"
wait_for 20 agent_says "the card in $VCARD_READER_0 is offered"
kill %1
wait

# --- two agents, one of another user; who may what with whose
card=1
stop_daemon
start_far_server "remote-ownership = yes"
start_agent agent --allow " 00 00"
AGENT_AROUND=(setpriv --reuid ada --regid ada --clear-groups)
start_agent agent-ada --allow " 00 01"
AGENT_AROUND=()
ada_reader() {
    tessera_plain --json reader list |
        jq -r '[.[] | select(.name | startswith("ada@")) | select(.card_present)][0].number // empty'
}
ada_is_there() {
    [ -n "$(ada_reader)" ] && tessera_plain --json reader show "$(ada_reader)" | jq -e '.state != ""'
}
wait_for 20 ada_is_there
AGENT_PART=agent-ada agent_says "not offered" || true
ada=$(ada_reader)
card_insert 2
stop_part agent TERM
start_agent agent --allow " 00 00" --allow "1 00 00"
wait_for 20 remote_card_is_read 2
log_owner_in "$(remote_reader 2)" "$TESSERA_SANDBOX/kept/owner-pin"
card_remove 2
# An operator uses it by right; no PIN of root's goes to it by mistake.
tessera card issue --reader "$ada" --template walk --holder name=Ada
tessera card activate yubikey-10000002 --new-pin-file pin
expect_failure any tessera_plain login --reader "$ada" --pin-file pin -- true
[[ $output == *"of user ada"* ]] || fail "a PIN may have been sent to another's reader: $output"
expect_failure any as_user grace tessera login --reader "$ada" --pin-file pin -- true
expect_failure any as_user grace tessera card change-pin "reader:$ada" --pin-file pin --new-pin-file other-pin
expect_failure any as_user grace tessera card change-pin --pin-file pin --new-pin-file other-pin
[[ $output == *"no card in a reader"* ]] || fail "another's reader is taken unasked: $output"
# Ada herself can log in; her card is else for operators.
expect_output "logged in" as_user ada tessera login --reader "$ada" --pin-file pin -- true
expect_failure any as_user ada tessera card change-pin --pin-file pin --new-pin-file other-pin
[[ $output == *"not for this use by you"* ]] || fail "refused for another reason: $output"
output=$(tessera audit verify 2>&1)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
expect_output "ada@tessera-sandbox: $VCARD_READER_1" tessera audit list --operation offer-reader

# --- a holder at a desk
stop_daemon
rm "$TESSERA_SANDBOX/log/agent-ada"
start_far_server "remote-readers = everyone"
wait_for 20 ada_is_there
as_user ada tessera card change-pin --pin-file pin --new-pin-file other-pin
expect_failure any as_user grace tessera card change-pin "reader:$ada" --pin-file other-pin --new-pin-file pin
AS="setpriv --reuid ada --regid ada --clear-groups"
echo data >data
chmod 644 data
pkcs11 --login --pin 314159 --id 01 --sign --mechanism ECDSA-SHA256 --input-file data \
    --output-file /dev/null >sign.log || fail "Ada's program cannot sign: $(cat sign.log)"
AS="setpriv --reuid grace --regid grace --clear-groups"
pkcs11 --list-slots | grep -q "ada@" && fail "another user's program sees Ada's card"

# --- a user takes so many and no more; two agents of one user on one machine are one
DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET expect_failure any as_user grace \
    busctl call org.tessera1 /org/tessera1 org.tessera1.ReaderAgent OfferReader ss "a b" reader
DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET expect_failure any as_user grace \
    busctl call org.tessera1 /org/tessera1 org.tessera1.ReaderAgent RemoveCard o "/org/tessera1/reader/$ada"
[[ $output == *"offers no reader"* ]] || fail "another's reader can be touched: $output"
AGENT_AROUND=(setpriv --reuid ada --regid ada --clear-groups)
start_agent agent-ada-2 --allow " 00 01"
AGENT_AROUND=()
AGENT_PART=agent-ada-2
wait_for 20 agent_says "the card in $VCARD_READER_1 is offered"
wait_for 20 ada_is_there
[ "$(tessera_plain --json reader list | jq '[.[] | select(.name | startswith("ada@")) | select(.card_present)] | length')" = 1 ] ||
    fail "one card is there twice: $(tessera_plain reader list)"

# --- pcscd may come again
stop_pcscd
wait_for 20 shows "There are no readers" tessera_plain reader list
start_pcscd
wait_for 20 ada_is_there
stop_part agent-ada-2 TERM
stop_part agent-ada TERM
stop_part agent TERM

# --- not let in at all
stop_daemon
start_far_server "remote-readers = off"
# Several times: the refusal may come before the agent waits for it, or while it does.
for _ in {1..10}; do
    expect_failure any timeout "$part_patience" env -u TESSERA_SESSION "$TESSERA_BUILD/tessera" agent --yes
    [[ $output == *"remote-readers = off"* ]] || fail "another reason: $output"
done
