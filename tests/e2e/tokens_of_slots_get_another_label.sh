#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a program gives a slot's token another label, and wherever the daemon is killed meanwhile, the slot finds its token
# time limit: 600
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/kill-at-write.sh
source "$TESSERA_SOURCE/tests/lib/kill-at-write.sh"
so_pin=31415926
softhsm=/usr/lib/softhsm/libsofthsm2.so
labels=0

# new_token LABEL: with a security officer's PIN that we know
new_token() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf \
        softhsm2-util --init-token --free --label "$1" --so-pin "$so_pin" --pin 271828 >/dev/null
}
# begin FROM TO: as a program does
begin() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label "$1" --init-token --label "$2" --so-pin "$so_pin"
}
# The label of the token by its serial number, as SoftHSM2 itself says it.
own_label() {
    SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --show-slots | awk -v serial="$serial" '
        $1 == "Serial" && $3 == serial { found = 1 }
        $1 == "Label:" { sub(/^ *Label: */, ""); sub(/ *$/, ""); if (found) print; found = 0 }'
}
label() {
    tessera --json slot show web | jq -r .token_label
}
is_available() {
    tessera --json slot show web | jq -e .available >/dev/null
}
has_label() {
    is_available && [ "$(label)" = "$1" ]
}
rules() {
    tessera --json slot show web | jq -r '.rules[].key'
}
add_slot() {
    tessera slot add web --token-label "$1" "${place[@]}" >/dev/null
}

relabel() {
    begin "$old" "$new"
}
finish_relabel() {
    (wait_for 20 is_available) || fail "after $where: $(tessera --json slot show web | jq -r .problem)"
    now=$(own_label)
    [ "$now" = "$old" ] || [ "$now" = "$new" ] || fail "after $where the token is \"$now\""
    $reached || expect_output "$new" own_label
    [ "$(label)" = "$now" ] || fail "after $where the slot says \"$(label)\", and the token is \"$now\""
    expect_output tls rules
    # As it was at first: the next one begins without a serial number.
    tessera slot remove web >/dev/null
    add_slot "$now"
    allow
    labels=$((labels + 1))
    old=$now
    new="shop $labels"
}
allow() {
    tessera slot allow web sign --user root --key tls >/dev/null
}

# refuses FROM TO CKR
refuses() {
    begin "$1" "$2" >begin.log 2>&1 && fail "the token \"$1\" got the label \"$2\""
    grep -q "$3" begin.log || fail "another refusal than $3: $(cat begin.log)"
}

stop_daemon
new_token web
new_token other
new_token nobodys
start_daemon
serial=$(SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm2-util --show-slots | awk '
    $1 == "Serial" { serial = $3 }
    $1 == "Label:" && $2 == "web" { print serial }')
place=()
add_slot web
allow
tessera slot add other --token-label other >/dev/null

for taken in other nobodys tessera; do
    refuses web "$taken" CKR_ARGUMENTS_BAD
done
expect_output web label
echo "ok a label that another token has is refused"

begin web 'Café 1' >/dev/null
expect_output 'Café 1' label
expect_output 'Café 1' own_label
expect_output tls rules
restart_daemon
wait_for 20 has_label 'Café 1'
expect_output tls rules
echo "ok the slot goes with its token, and keeps its rules"

old='Café 1'
new=shop
walk relabel 6

# What the HSM's own tools change shows with the next start, as the serial number is known from before.
begin "$old" market >/dev/null
stop_daemon
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf \
    pkcs11-tool --module "$softhsm" --token-label market --init-token --label fair --so-pin "$so_pin" >/dev/null 2>&1
start_daemon
wait_for 20 has_label fair
echo "ok a token that others gave another label is found by its serial number"

# The same with the module in a process of its own.
tessera slot remove web >/dev/null
tessera slot remove other >/dev/null
place=(--process own --environment "SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf")
add_slot fair
allow
old=fair
walk relabel 6
