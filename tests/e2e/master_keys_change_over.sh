#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the master key gets a new version, cards change over to it, and another token takes over
# sandbox: --cards blank,old,factory
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
printf '314159\n' >other-pin
cat >auto.json <<'END'
{"name": "auto", "card-type": "piv", "rotate-at-contact": true,
 "keys": [{"slot": "authentication", "algorithm": "ec-p256"}]}
END

# The number of the reader that card N of the sandbox is in.
reader_of() {
    tessera --json reader list | jq -r --arg name "$(card_file READER "$1")" \
        '.[] | select(.name == $name) | .number'
}
serial_of() {
    tessera --json reader show "$(reader_of "$1")" | jq -r .serial
}
issue() { # N TEMPLATE
    tessera card issue --reader "$(reader_of "$1")" --template "$2" --holder name="Card $1" \
        --holder email=card@example.org --holder upn=card@example.org >/dev/null
    tessera card activate "$(serial_of "$1")" --new-pin-file pin >/dev/null
}
version_of() {
    tessera --json card show "$1" | jq -r .key_version
}
version_is() {
    [ "$(version_of "$1")" = "$2" ]
}
cards_of_version() {
    tessera --json key list | jq -r ".[] | select(.version == $1) | .cards"
}
card_is() { # N true|false
    tessera --json reader show "$(reader_of "$1")" | jq -e ".card_present == $2" >/dev/null
}
again() { # a new contact with card N
    card_control "$1" remove >/dev/null
    wait_for 10 card_is "$1" false
    card_control "$1" insert >/dev/null
    wait_for 10 card_is "$1" true
}

tessera template add auto.json >/dev/null
issue 0 ec
issue 1 ec
issue 2 auto
first=$(serial_of 0) second=$(serial_of 1) third=$(serial_of 2)
total=$(cards_of_version 1)
expect_output "tessera" tessera key list

# A new version: old cards work on, and the template that says so changes its card over.
expect_output "version 2" tessera key rotate --yes
wait_for 20 version_is "$third" 2
version_is "$first" 1 || fail "a card changed over that was not to"
tessera card unblock "$first" --new-pin-file other-pin >/dev/null
[ "$(cards_of_version 1)" = $((total - 1)) ] && [ "$(cards_of_version 2)" = 1 ] ||
    fail "the report counts other cards: $(tessera key list)"
[ "$(tessera --json key report | jq length)" = $((total - 1)) ] || fail "report: $(tessera key report)"
[ "$(tessera --json key report 2 | jq -r '.[0].serial')" = "$third" ] || fail "report of version 2"
tessera card unblock "$third" --new-pin-file other-pin >/dev/null

# By hand, and, once tesserad.conf says so, at the next contact.
tessera card rotate "$first" >/dev/null
version_is "$first" 2 || fail "not changed over by hand"
tessera card unblock "$first" --new-pin-file pin >/dev/null
daemon_option "rotate-at-contact = yes"
restart_daemon
again 1
wait_for 20 version_is "$second" 2
tessera card unblock "$second" --new-pin-file pin >/dev/null

# The owner's card waits for its owner: its unblock code changes with it.
owner=$(tessera --json operator list | jq -r '.[0].card')
version_is "$owner" 1 || fail "an owner's card changed over by itself"

# Another token takes over.
(umask 077 && printf '87654321' >hsm-pin)
chown tessera hsm-pin 2>/dev/null || true
export SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf
softhsm2-util --init-token --free --label hsm --so-pin 12345678 --pin 87654321 >/dev/null
stop_daemon
cp "$TESSERA_CONFIG" before.conf
uri="pkcs11:token=hsm?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:$PWD/hsm-pin"
daemon_option "token-uri = $uri"
if start_daemon 2>/dev/null; then
    fail "a token without the master key was taken"
fi
grep -q "does not hold master key version 2" "$TESSERA_SANDBOX/log/tesserad" ||
    fail "no clear error: $(tail -3 "$TESSERA_SANDBOX/log/tesserad")"
daemon_option "token-uri-old = embedded"
start_daemon
expect_output "version 3" tessera key rotate --yes
tessera --json key list | jq -e '.[] | select(.version == 3) | .token | startswith("hsm ")' >/dev/null ||
    fail "version 3 is in another token: $(tessera key list)"
for number in 0 1 2; do
    again "$number"
done
for serial in "$first" "$second" "$third"; do
    wait_for 20 version_is "$serial" 3
    tessera card unblock "$serial" --new-pin-file pin >/dev/null
done
# The local CA still signs, with its key in the older token.
tessera card reissue "$first" >/dev/null
tessera card activate "$first" --new-pin-file pin >/dev/null
stop_daemon
grep -v '^token-uri-old' "$TESSERA_CONFIG" >without && cp without "$TESSERA_CONFIG"
if start_daemon 2>/dev/null; then
    fail "the older token was given up although a card needs it"
fi
grep -q "does not hold master key version 1" "$TESSERA_SANDBOX/log/tesserad" ||
    fail "no clear error: $(tail -3 "$TESSERA_SANDBOX/log/tesserad")"
cp before.conf "$TESSERA_CONFIG"
daemon_option "token-uri = $uri"
daemon_option "token-uri-old = embedded"
start_daemon
tessera audit list --operation rotate-master-key | grep -q rotate-master-key || fail "not audited"
