#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a key in an HSM slot is renewed by itself before its certificate ends, where its template says so, and else is a task
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
tessera slot add web --create --keep-pin --pin-file pin >/dev/null
for automatic in true false; do
    tessera template add - >/dev/null <<END
{"name": "automatic-$automatic", "card-type": "hsm-key", "renewal": {"days": 30, "automatic": $automatic},
 "keys": [{"algorithm": "ec-p256", "certificate":
  {"authority": "local", "profile": "tls-server", "subject": [["CN", "{name}"]], "san": {"dns": "{name}"}}}]}
END
    tessera slot enroll web "$automatic" --template "automatic-$automatic" --holder name=www.example.org >/dev/null
done

valid() {
    tessera --json card show "slot:web/$1" | jq -r '.certificates[] | select(.status == "valid").serial'
}
in_token() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label web --read-object --type cert --label "$1" \
        --output-file token.der >/dev/null 2>&1 || fail "no certificate in the token"
    openssl x509 -inform DER -in token.der -noout -serial -pubkey
}
in_store() {
    sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" "$1"
}
round_is_over() {
    tessera --json job list | jq -e 'any(.[]; .operation == "reminders" and .state == "succeeded")' >/dev/null
}

# --- not due yet
restart_daemon
wait_for 30 round_is_over
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"

# --- due, as if time had passed
first=$(valid true)
key=$(in_token true | sed 1d)
other=$(valid false)
in_store "UPDATE certificate SET not_after = strftime('%s', 'now') + 20 * 86400
    WHERE serial_hex IN ('$first', '$other')"
restart_daemon
is_renewed() {
    [ -n "$(valid true)" ] && [ "$(valid true)" != "$first" ]
}
wait_for 60 is_renewed
[ "$(tessera --json card show slot:web/true | jq -r '[.certificates[].status] | join(" ")')" = "revoked valid" ] ||
    fail "$(tessera card show slot:web/true)"
[ "$(in_token true | sed 1d)" = "$key" ] || fail "the key is another one"
[ "$(in_token true | sed -n 's/^serial=//p' | tr A-F a-f | sed 's/^0*//')" = "$(valid true | sed 's/^0*//')" ] ||
    fail "the token has another certificate"

# --- the one that is not to be renewed by itself waits for an operator, and is over when it was
[ "$(valid false)" = "$other" ] || fail "it was renewed without being told to"
is_one_task() {
    [ "$(tessera --json task list | jq length)" = 1 ]
}
wait_for 30 is_one_task
tessera task list | grep -q 'to be renewed: tessera slot renew' || fail "$(tessera task list)"
tessera slot renew web false >/dev/null
[ "$(valid false)" != "$other" ] || fail "it was not renewed"
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
expect_output whole tessera audit verify
