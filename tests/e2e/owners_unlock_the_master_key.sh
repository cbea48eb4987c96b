#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a fresh store can only be initialised, cut off or not; after a start the master key waits for an owner's or custodian's card
# sandbox: --cards blank,blank,blank --no-owner
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >owner-pin
echo 314159 >other-pin
echo 000000 >wrong-pin

is() {
    [ "$(tessera --json status | jq -r ".$1")" = "$2" ]
}
as_owner() {
    tessera login --reader 1 --pin-file owner-pin -- "$@" 2>login.log
}
as_operator() {
    tessera login --reader 3 --pin-file other-pin -- "$@"
}
card_is() {
    [ "$(tessera --json reader show "$1" | jq -r .state)" = "$2" ]
}
issue() {
    tessera card issue --reader 2 --template ec --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@example.org
}
init() {
    tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper'
}
sign() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 314159 --id 01 --sign \
        --mechanism ECDSA-SHA256 --input-file data --output-file signature 2>&1
}
# The card and the state as they were before all.
start_over() {
    stop_daemon
    rm -rf "${TESSERA_STATE:?}"/*
    stop_card 0
    wait_for 20 cards_seen_are 2
    rm "$VCARD_STATE_0"
    start_card 0
    wait_for 20 cards_seen_are 3
    start_daemon
    wait_for 20 card_is 1 unregistered
}

# Sealed to cards: no PIN in a file.
stop_daemon
sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
rm -rf "${TESSERA_STATE:?}"/*
start_daemon
wait_for 20 card_is 1 unregistered
is initialized false || fail "a fresh store is initialised"
is locked true || fail "a fresh store is not locked"
for command in 'card list' 'template list' 'operator list' 'audit list'; do
    # shellcheck disable=SC2086
    if [ "$command" = 'template list' ]; then
        expect_output "no templates" tessera $command
    else
        expect_failure 4 tessera $command
        [[ $output == *"tessera init"* ]] || fail "$command says: $output"
    fi
done
expect_failure 4 issue
expect_failure 4 setpriv --reuid ada --regid ada --clear-groups tessera init --reader 1 --new-pin-file owner-pin

# An initialisation that is cut off is done anew, wherever that was.
for apdu in 3 12 18 24 30 36; do
    card_control 0 reset-count >/dev/null
    card_control 0 "hold-at $apdu" >/dev/null
    init >init.log 2>&1 &
    initialising=$!
    card_is_held() {
        [ "$(card_control 0 held)" = 1 ] || ! kill -0 "$initialising" 2>/dev/null
    }
    wait_for 30 card_is_held
    [ "$(card_control 0 held)" = 1 ] || break
    kill_daemon
    card_control 0 "hold-at 0" >/dev/null
    wait "$initialising" || true
    start_daemon
    wait_for 20 sh -c 'tessera --json reader list | jq -e ".[0].serial != \"\" or .[0].problem != \"\""'
    # The card may have been held when all was done.
    is initialized true || init >init.log 2>&1 || fail "after APDU $apdu: $(cat init.log)"
    is initialized true || fail "after APDU $apdu: $(tessera status)"
    as_owner tessera operator current >/dev/null || fail "no login after APDU $apdu: $(cat login.log)"
    is locked false || fail "still locked after APDU $apdu: $(tessera status)"
    start_over
done

# Once, undisturbed.
start_over
expect_output "unblock code: " init
[[ $output =~ 'unblock code: '([0-9]{4})\ ([0-9]{4})\ [0-9]{2}\  ]] || fail "no unblock code in: $output"
code=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
expect_failure 4 init
expect_output system-owner as_owner tessera operator current
[[ ! $(tessera audit list 2>&1) == *add-system-owner* ]] || fail "the trail is shown to everybody"
expect_output add-system-owner as_owner tessera audit list

# Cards for a holder and for an operator who is no custodian.
as_owner bash -c "$(declare -f issue)"'
    issue && tessera card activate reader:2 --new-pin-file other-pin &&
    tessera card issue --reader 3 --template operator --roles normal &&
    tessera card activate reader:3 --new-pin-file other-pin' >issued.log 2>&1 || fail "$(cat issued.log)"
expect_failure any as_operator tessera audit list
expect_output yubikey-10000002 as_operator tessera card list

as_owner tessera slot add kept --create --keep-pin --pin-file other-pin >/dev/null
slot_is_available() {
    [ "$(as_owner tessera --json slot show kept | jq .available)" = "$1" ]
}

# After a start: programs use their cards, what needs the master key waits, a sealed PIN too.
restart_daemon
wait_for 20 card_is 2 active
is locked true || fail "the master key is not locked after a start"
echo data >data
card_remove 0
card_remove 2
sign >sign.log || fail "no signature while locked: $(cat sign.log)"
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --list-token-slots >slots.log 2>&1 || true
! grep -q kept slots.log || fail "a slot whose PIN is sealed is there while locked"
card_insert 0
card_insert 2
wait_for 20 card_is 3 active
expect_failure any as_operator tessera card reissue reader:2
[[ $output == *locked* ]] || fail "a locked master key gives: $output"
expect_failure any tessera login --reader 1 --pin-file wrong-pin -- true
is locked true || fail "a wrong PIN unlocks"
as_owner true
is locked false || fail "the owner's login does not unlock"
slot_is_available true || fail "a slot whose PIN is sealed does not open"
as_operator tessera card reissue reader:2 >/dev/null

# A custodian unlocks it as well.
as_owner tessera operator set reader:3 --roles normal,auditor --custodian >/dev/null
restart_daemon
wait_for 20 card_is 3 active
is locked true || fail "not locked"
as_operator tessera audit list >/dev/null
is locked false || fail "the custodian's login does not unlock"

# Nobody gives the own card up; the last owner stays; a deactivated operator is out at once.
expect_failure 4 as_owner tessera card suspend reader:1
expect_failure 4 as_owner tessera operator set reader:1 --roles normal
expect_failure any as_owner tessera operator remove reader:1
as_owner tessera operator set reader:3 --roles normal --inactive >/dev/null
expect_failure 4 as_operator tessera card list

# The unblock code sets a new PIN with any tool, also while locked.
restart_daemon
wait_for 20 card_is 1 active
stop_daemon
run_piv() {
    yubico-piv-tool --reader 'CCID 00 00' "$@"
}
run_piv --action unblock-pin --pin "$code" --new-pin 161803 >piv.log 2>&1 || fail "$(cat piv.log)"
start_daemon
wait_for 20 card_is 1 active
echo 161803 >owner-pin
expect_output system-owner as_owner tessera operator current
expect_output whole as_owner tessera audit verify
