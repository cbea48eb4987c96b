#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card that encrypts is managed and used from afar without a secret passing the machine between in the clear
# sandbox: --no-owner --cards scp11,blank,scp11
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"

# look_for STATE...: names what has passed of these cards' secrets as they are now, PINs and certificates.
cat >look-for.py <<'END'
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
import vcard_state
seen = open(sys.argv[1], "rb").read()
assert b"Transmit" in seen, "nothing was recorded"
wanted = [("PIN", b"271828"), ("PIN", b"314159")]
for state in sys.argv[2:]:
    wanted += vcard_state.secrets(state).items()
    # Of a chained one the middle of a piece.
    wanted.append(("certificate", vcard_state.certificate(state)[40:100] or b"no certificate"))
print(" ".join(sorted({name for name, value in wanted if value in seen})))
END
look_for() {
    /usr/bin/python3 look-for.py "$between/seen" "$@"
}
nothing_has_passed() {
    local found
    found=$(look_for "$VCARD_STATE_0" "$VCARD_STATE_2") || fail "cannot look for secrets"
    [ -z "$found" ] || fail "$found passed in the clear after $1"
}
is_encrypted() {
    tessera_plain --json reader show "$(remote_reader "$1")" | jq -e .encrypted >/dev/null
}

# --- the owner's card and another one; nobody has allowed that new cards' secrets pass in the clear
start_far_server "scp11-ca = $TESSERA_SANDBOX/etc/scp11-root.pem" "remote-readers = everyone"
start_between
start_agent agent --allow "CCID 00 00" --allow "CCID 1 00 00"
make_far_owner
nothing_has_passed "the owner's beginning"
add_template
wait_for 20 remote_card_is_read 0
[ "$(remote_reader 0)" = 1 ] || fail "the card is not in reader 1"
expect_output "Encrypted:    yes" tessera reader show 1
# The machine of the desk itself has looked at the card; from here on there is the server alone.
: >"$VCARD_LOG_0"
tessera card register --reader 1
nothing_has_passed "register"
tessera card unregister reader:1 --yes
issue
nothing_has_passed issue
for verb in activate change_pin unblock sign rotate reissue activate sign; do
    "$verb" >/dev/null 2>verb.log || fail "$verb: $(cat verb.log)"
    nothing_has_passed "$verb"
done
expect_output "no such cards" tessera card list --exposed
expect_failure 5 tessera card change-pin --pin-file other-pin --new-pin-file pin
retire
nothing_has_passed retire
issue >/dev/null
activate >/dev/null

# --- of all that, nothing was said in the clear
[ "$(wc -l <"$VCARD_LOG_0")" -gt 100 ] || fail "the card was asked too little"
! grep -vE '^[0-9]+ (04 |00 A4 04 00 |80 88 )' "$VCARD_LOG_0" ||
    fail "commands in the clear after the first contact"
# Over both cards' whole lives: SELECT, version, the certified key, and the opening of channels.
said=$(sed -nE 's/^> (.{4}).*/\1/p' "$between/apdus" | grep -v ^04 | sort -u | tr '\n' ' ')
[ "$said" = "00a4 00ca 00fd 8088 " ] || fail "in the clear was said: $said"

# --- a card that was put in again, or looked at by others, is encrypted anew
card_remove 0
card_insert 0
wait_for 20 state_is_one_of active
is_encrypted 0 || fail "the card is in the clear after it was put in again"
yubico-piv-tool -r "$VCARD_READER_0" -a status >/dev/null
opensc-tool -r "$VCARD_READER_0" -s 00:A4:04:00:08:A0:00:00:05:27:47:11:17 >/dev/null
sign >/dev/null 2>&1 || fail "no signature after another program has used the card"
unblock >/dev/null
nothing_has_passed "another program's use"
stop_daemon
start_far_server
wait_for 30 state_is_one_of active
is_encrypted 0 || fail "the card is in the clear after a new start"
stop_part agent TERM

# --- the same of a card that cannot: what was not found would have been
start_agent agent --allow "CCID 00 01" --allow "CCID 1 00 00"
wait_for 20 remote_card_is_read 1
! is_encrypted 1 || fail "an old card is said to encrypt"
card_insert 2
wait_for 20 remote_card_is_read 2
log_owner_in "$(remote_reader 2)" "$TESSERA_SANDBOX/kept/owner-pin"
card_remove 2
reader=$(remote_reader 1)
expect_failure any tessera card issue --reader "$reader" --template walk --holder name=Ada
[[ $output == *remote-ownership* ]] || fail "refused for another reason: $output"
nothing_has_passed "the owner's login, and a refused issue"
stop_daemon
start_far_server "remote-ownership = yes"
wait_for 30 remote_card_is_read 1
card_insert 2
wait_for 20 remote_card_is_read 2
log_owner_in "$(remote_reader 2)" "$TESSERA_SANDBOX/kept/owner-pin"
card_remove 2
tessera card issue --reader "$reader" --template walk --holder name=Grace
tessera card activate yubikey-10000002 --new-pin-file pin
[ "$(look_for "$VCARD_STATE_1")" = "PIN PUK certificate management key" ] ||
    fail "of an old card was seen only: $(look_for "$VCARD_STATE_1")"
expect_output yubikey-10000002 tessera card list --exposed
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
