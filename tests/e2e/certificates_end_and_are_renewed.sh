#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# certificates that end are reported, holders are reminded once for each number of days, and cards renewed with their PIN
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/smtp.sh
source "$TESSERA_SOURCE/tests/lib/smtp.sh"
cd "$TESSERA_SANDBOX/tmp"
wait_for 10 tessera reader show 1
printf '271828\n' >pin

in_store() {
    sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" "$1"
}

# end_in DAYS: the good certificates of the card end so soon, as if time had passed
end_in() {
    in_store "UPDATE certificate SET not_after = strftime('%s', 'now') + $1 * 86400 + 3600
        WHERE status = 'valid' AND credential_id = 2"
}

serials() {
    tessera --json card show | jq -r '.certificates[] | select(.status == "valid") | "\(.slot) \(.serial)"' | sort
}

on_card() {
    yubico-piv-tool --action read-certificate --slot "$1" 2>/dev/null | openssl x509 -noout -serial -pubkey
}

start_smtp 2525 --starttls
cat >mail.json <<END
{"name": "mail", "kind": "smtp", "host": "localhost", "port": 2525, "ca-file": "$PWD/activation-ca.pem",
 "from": "tessera@example.org", "to": ["ops@example.org"]}
END
tessera connection add mail.json >/dev/null
guide_lines renewal.md "Reminders" '"renewal"' >members
jq --argjson more "{$(cat members)}" '. + $more | .name = "ending" | .["self-service"] = {reissue: true}' \
    "$TESSERA_SOURCE/data/templates/employee.json" >ending.json
tessera template add ending.json >/dev/null
tessera card issue --reader 1 --template ending --holder name='Ada Löwe' --holder email=ada@example.org \
    --holder upn=ada@example.org >/dev/null
tessera card activate --new-pin-file pin >/dev/null
serial=$(tessera --json card show | jq -r .serial)

# --- the report: sorted, in pages, for so many days
guide_run renewal.md "The report" >said
grep -q 'No certificate ends so soon' said || fail "$(cat said)"
[ "$(tessera --json report expiring --days 400 | jq length)" = 4 ] || fail "$(tessera report expiring --days 400)"
in_store "UPDATE certificate SET not_after = strftime('%s', 'now') + 10 * 86400 WHERE credential_id = 2 AND slot = 154"
tessera --json report expiring --days 400 | jq -e '.[0].slot == "authentication" and (map(.end) == (map(.end) | sort))' >/dev/null ||
    fail "$(tessera report expiring --days 400)"
[ "$(tessera --json report expiring | jq -r '.[].slot')" = authentication ] || fail "$(tessera report expiring)"

# --- reminders: one for each number of days, and not again after a restart
end_in 25
restart_daemon
wait_for 60 has_mails 2
files=("$mail_folder"/*.eml)
for i in 1 2; do mail_text "$i" >"mail-$i"; done
grep -l 'ada@example.org' mail-1 mail-2 >holders || fail "$(cat mail-1 mail-2)"
grep -q "^Subject: Ada Löwe, your card ends in 25 days$" "$(cat holders)" || fail "$(cat "$(cat holders)")"
grep -h -q "$serial: the certificate of the .* key ends on .*; the holder is written to" mail-1 mail-2 || fail "$(cat mail-1 mail-2)"
[ "${#files[@]}" = 2 ] || fail "${#files[@]} mails: four certificates end on one day"
[ "$(tessera --json task list | jq '[.[] | select(.kind == "renew")] | length')" = 4 ] || fail "$(tessera task list)"
restart_daemon
round_is_over() {
    tessera --json job list | jq -e 'any(.[]; .operation == "reminders" and .state == "succeeded")' >/dev/null
}
wait_for 30 round_is_over
[ "$(in_store 'SELECT count(*) FROM mail')" = 0 ] && [ "$(mails)" = 2 ] || fail "it is said twice"
end_in 2
restart_daemon
wait_for 60 has_mails 4

# --- a holder without an address: the operators know
in_store "UPDATE credential SET holder = json_remove(holder, '\$.email') WHERE id = 2"
end_in 1
in_store "DELETE FROM notice"
restart_daemon
wait_for 60 has_mails 5
mail_text 5 >mail-5
grep -q 'field "email" is missing' mail-5 || fail "$(cat mail-5)"
in_store "UPDATE credential SET holder = json_set(holder, '\$.email', 'ada@example.org') WHERE id = 2"

# --- renewal: the same keys, the PIN stays, and nothing is revoked before
before=$(serials)
key=$(on_card 9a | sed 1d)
printf '314159\n' >wrong
expect_failure any tessera card renew --pin-file wrong
[[ $output == *"2 tries"* ]] || fail "$output"
[ "$(serials)" = "$before" ] || fail "something was renewed"
guide_types 'PIN=271828'
guide_run renewal.md "Renew a card" "tessera card renew$" >said
grep -q 'renewed; the PIN is what it was' said || fail "$(cat said)"
[ "$(serials | cut -d' ' -f1)" = "$(echo "$before" | cut -d' ' -f1)" ] || fail "$(serials)"
[ -z "$(comm -12 <(serials) <(echo "$before"))" ] || fail "not all are new: $(serials)"
[ "$(on_card 9a | sed 1d)" = "$key" ] || fail "the key is another one"
[ "$(on_card 9a | sed -n 's/^serial=//p' | tr A-F a-f | sed 's/^0*//')" = \
    "$(serials | sed -n 's/^authentication 0*//p')" ] || fail "the card has another certificate"
[ "$(tessera --json card show | jq -r .state)" = active ] || fail "$(tessera card show)"
yubico-piv-tool --action verify-pin --pin 271828 >/dev/null 2>&1 || fail "the PIN is another one"
tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
tessera connection crl local --pem -o crl.pem
[ "$(openssl crl -in crl.pem -noout -text | grep -c 'Superseded')" = 4 ] || fail "$(openssl crl -in crl.pem -noout -text)"

# --- one slot with a new key; the key that deciphers stays unless it is named
before=$(serials)
guide_run renewal.md "Renew a card" "tessera card renew --slot" >said
[ "$(on_card 9a | sed 1d)" != "$key" ] || fail "the key is the old one"
[ "$(comm -12 <(serials) <(echo "$before") | wc -l)" = 3 ] || fail "$(serials)"
cipher=$(on_card 9d)
tessera card renew --new-key --pin-file pin >/dev/null
[ "$(on_card 9d)" = "$cipher" ] || fail "the key that deciphers is gone"
expect_failure any tessera card renew --slot retired-1 --pin-file pin
[[ $output == *"no certificate of its template there"* ]] || fail "$output"

# --- the authority is away: the old certificate stays on the card, and good
before=$(serials)
certificate=$(on_card 9a)
in_store "CREATE TRIGGER full BEFORE INSERT ON certificate BEGIN SELECT raise(ABORT, 'no'); END"
expect_failure any tessera card renew --pin-file pin
in_store "DROP TRIGGER full"
[ "$(serials)" = "$before" ] && [ "$(on_card 9a)" = "$certificate" ] || fail "$(serials)"
[ "$(in_store 'SELECT count(*) FROM intent')" = 0 ] || fail "an intent is left"

# --- a card that is suspended, and who may
tessera card suspend >/dev/null
expect_failure any tessera card renew --pin-file pin
tessera card resume >/dev/null
expect_failure any env -u TESSERA_SESSION tessera card renew --pin-file pin
[ "$(serials)" = "$before" ] || fail "$(serials)"
invalid() {
    jq "$1" ending.json >wrong.json
    expect_failure any tessera template add wrong.json
    [[ $output == *"$2"* ]] || fail "$1: $output"
}
invalid '.name = "x" | .reminders.days = [3, 14]' /reminders/days/1
invalid '.name = "x" | .renewal.automatic = true' /renewal/automatic
invalid '.name = "x" | .reminders.subject = "{"' /reminders/subject
invalid '.name = "x" | .renewal = {}' /renewal/days
expect_output whole tessera audit verify
