#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# what is asked of a card that was just inserted waits until it has been read, and does not fail
# sandbox: --vcard-option --latency-apdu-us=200000
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# Answers as soon as tesserad has met the card; reading it takes a second or more.
insert_again() {
    card_remove 0
    card_control 0 insert >/dev/null
    wait_for 10 card_was_met
}

card_was_met() {
    tessera reader show 1 --json | jq -e .card_present
}

state_is() {
    [ "$(tessera reader show 1 --json | jq -r .state)" = "$1" ]
}

wait_for 30 state_is unregistered
insert_again
state_is "" || fail "a card that is being read has the state $(tessera reader show 1 --json)"
expect_failure 7 tessera card show
[[ $output == *"still being read"* ]] || fail "it says: $output"
expect_output issued tessera card issue --reader 1 --template ec --holder name=Ada \
    --holder email=ada@example.org --holder upn=ada@example.org

insert_again
expect_output active tessera card activate yubikey-10000001 --pin-fd 0 <<<271828

insert_again
printf '%s\n' 271828 314159 >pins
expect_output changed tessera card change-pin yubikey-10000001 --pin-fd 0 <pins
