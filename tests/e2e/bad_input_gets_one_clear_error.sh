#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# malformed templates, unknown cards, unsuitable PINs and wrong states are refused with one clear error each
# sandbox: --cards blank,none,nist
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# The reader with a card of this kind; their order is not stable.
reader_with() {
    tessera --json reader list | jq -r ".[] | select($1) | .number"
}

cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 2 ]
}

wait_for 10 cards_are_read
yubikey=$(reader_with '.serial | startswith("yubikey")')
plain=$(reader_with '.card_present and (.serial | startswith("yubikey") | not)')
empty=$(reader_with '.card_present | not' | head -1)

issue() {
    tessera card issue --reader "$1" --template "$2" --holder "name=Ada Lovelace" \
        --holder email=ada@example.org --holder upn=ada@example.org
}

one_line_error() {
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "not one clear error: $output"
    [[ $output == *"$1"* ]] || fail "the error does not say '$1': $output"
}

# --- templates
template() {
    cat >template.json
    expect_failure 2 tessera template add template.json
}
template <<<'{"name": "x"'
one_line_error "template"
template <<<'{"name": "bad", "card-type": "piv", "keys": [{"slot": "nose", "algorithm": "rsa-2048"}]}'
one_line_error "/keys/0/slot"
template <<<'{"name": "bad", "card-type": "piv", "keys": [], "colour": "red"}'
one_line_error "/colour"
template <<<'{"name": "bad", "card-type": "piv", "keys": [{"slot": "authentication", "algorithm": "rsa-512"}]}'
one_line_error "rsa-2048"
expect_failure 3 tessera template show bad

# --- cards
expect_failure 6 issue "$empty" employee
one_line_error "no card"
expect_failure 3 issue 99 employee
one_line_error "99"
expect_failure 3 tessera job show 99
one_line_error "there is no job 99"
expect_failure 3 tessera card show 99
one_line_error "no such card"
expect_failure 3 issue "$yubikey" nothing-like-it
one_line_error "nothing-like-it"
expect_failure any issue "$plain" employee
one_line_error "management key"
expect_failure 2 tessera card issue --reader "$yubikey" --template employee --holder "name=Ada" \
    --holder upn=ada@example.org
one_line_error "email"
expect_output unregistered tessera reader show "$yubikey"

# --- PINs and states
issue "$yubikey" employee >/dev/null
card=$(tessera --json reader show "$yubikey" | jq -r .serial)
printf '12345\n' >short
printf '123456789\n' >long
printf 'abcdef\n' >letters
printf '271828\n' >pin
expect_failure 5 tessera card activate "$card" --new-pin-file short
one_line_error "6"
expect_failure 5 tessera card activate "$card" --new-pin-file long
one_line_error "8"
expect_failure 5 tessera card activate "$card" --new-pin-file letters
one_line_error "digits"
expect_failure 7 tessera card resume "$card"
one_line_error "issued"
tessera card activate "$card" --new-pin-file pin >/dev/null
expect_failure 7 tessera card activate "$card" --new-pin-file pin
one_line_error "active"
expect_failure 7 issue "$yubikey" employee
one_line_error "active"
printf '000000\n' >wrong
expect_failure 5 tessera card change-pin "$card" --pin-file wrong --new-pin-file pin
one_line_error "wrong PIN"
expect_failure 3 tessera card show yubikey-1
one_line_error "yubikey-1"
expect_failure 2 tessera card revoke "$card" --reason because --yes
one_line_error "keyCompromise"

# --- all that is missing is told at once, and what cannot be is no waiting
expect_failure 2 tessera card issue --reader "$yubikey" --template employee --holder email=a@example.org
one_line_error 'fields "name", "upn" are missing'
expect_failure 2 tessera card replace "$card" --reader "$yubikey"
one_line_error "holds the card $card itself"
expect_failure 2 tessera card report "$card" --as eaten
one_line_error "not 'eaten'"
printf 'name\n' >nobody.csv
expect_failure 2 tessera card batch nobody.csv --template employee --reader "$yubikey"
one_line_error "no row"

# --- nothing of a PIN is anywhere in logs or the audit trail
for value in 12345 123456789 abcdef 271828; do
    ! grep -rqw -- "$value" "$TESSERA_SANDBOX/log" || fail "a PIN is in a log"
done
expect_output whole tessera audit verify
