#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the guide's page on system owners and operators works as it is printed
# sandbox: --cards blank,blank,blank --no-owner --vcard-option 1:--serial=12345678
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
page=operators.md
echo 271828 >pin
guide_types 'y/N=y' 'PIN=271828'

is() {
    [ "$(tessera --json status | jq -r ".$1")" = "$2" ] || fail "$1 is not $2: $(tessera status)"
}
blank_card_is_in() {
    [ "$(tessera --json reader show "$1" | jq -r .state)" = unregistered ]
}
shown_has() {
    grep -q "$1" shown || fail "it says: $(cat shown)"
}

# Sealed to cards: no PIN in a file.
stop_daemon
sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
rm -rf "${TESSERA_STATE:?}"/*
start_daemon
card_remove 1
card_remove 2
wait_for 20 blank_card_is_in 1

guide_run "$page" "The system owner" "tessera init" >shown 2>&1
shown_has 'unblock code'
is initialized true
restart_daemon
is locked true
wait_for 20 eval '[ "$(tessera --json reader show 1 | jq -r .state)" = active ]'
guide_run "$page" "The system owner" "tessera login -- tessera status" >shown 2>&1
is locked false
SHELL=/bin/true guide_run "$page" "Log in" 'tessera login$'
guide_run "$page" "Log in" "tessera login -- tessera operator current" >shown 2>&1
shown_has system-owner

# The second owner's card is in the third reader here: the second has the operator's.
card_insert 2
wait_for 20 blank_card_is_in 3
eval "$(guide_lines "$page" "The system owner" "tessera login -- tessera operator add-owner" |
    sed -e 's/^tessera login/guide_program & --reader 1/' -e 's/--reader 2/--reader 3/')" >shown 2>&1
shown_has 'unblock code'

card_insert 1
wait_for 20 blank_card_is_in 2
log_owner_in 1 pin
export TESSERA_SESSION=$TESSERA_SANDBOX/part/session
guide_run "$page" "Operators" "tessera card issue" >shown
shown_has auditor
guide_run "$page" "Operators" "tessera operator set"
[ "$(tessera --json operator list | jq -r '[.[] | select(.serial == "yubikey-12345678")] | length')" = 0 ] ||
    fail "the operator is still there: $(tessera operator list)"
[ "$(tessera --json operator list | jq length)" = 2 ] || fail "there are not two owners: $(tessera operator list)"
expect_output whole tessera audit verify
