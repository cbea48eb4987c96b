#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a task that is overdue is said once by signal, journal, audit trail and mail, and mail waits for a server that is away
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/smtp.sh
source "$TESSERA_SOURCE/tests/lib/smtp.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443
add_digicert_one 8443
digicert_one_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
printf '271828\n' >pin
printf 'open-sesame-4711\n' >password

in_store() {
    sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" "$1"
}

# --- the connection: nothing is said before the server has proved its name, and each step is tried
start_smtp 2525 --starttls --user tessera --password open-sesame-4711
guide_lines mail.md "Mail" "{" | jq --arg ca "$PWD/activation-ca.pem" \
    '.host = "localhost" | .port = 2525 | .["ca-file"] = $ca | .to = ["ops@example.org", "chief@example.org"]' >mail.json
tessera connection add mail.json >/dev/null
expect_failure any tessera connection test mail
[[ $output == *"connection secret mail password"* ]] || fail "$output"
tessera connection secret mail password password >/dev/null
expect_output "user and password are taken" tessera connection test mail
tessera connection remove mail >/dev/null
guide_types 'password of connection mail: =open-sesame-4711'
guide_run mail.md "Mail" "tessera connection add" >said
grep -q 'user and password are taken' said || fail "$(cat said)"
touch mails-2525/refuse-login
expect_failure any tessera connection test mail
[[ $output == *"login: "*"does not take the user name and password"* ]] || fail "$output"
rm mails-2525/refuse-login
refused() {
    jq "$1" mail.json >wrong.json
    tessera connection update wrong.json >/dev/null
    expect_failure any tessera connection test mail
    [[ $output == *"$2"* ]] || fail "$1: $output"
}
refused 'del(.["ca-file"])' 'not trusted'
refused '.host = "127.0.0.1"' 'not trusted'
refused '.port = 2599' 'does not take connections'
refused '.host = "no-such-host.invalid"' 'name is not known'
start_smtp 2526
refused '.port = 2526' 'does not offer STARTTLS'
stop_smtp 2526
mail_folder=$PWD/mails-2525
invalid() {
    jq "$1" mail.json >wrong.json
    expect_failure any tessera connection update wrong.json
    [[ $output == *"$2"* ]] || fail "$1: $output"
}
invalid '.host = "mail.example.org" | .security = "none"' '/security'
invalid '.host = "127.example.org" | .security = "none"' '/security'
invalid '.to = ["ops@example.org\r\nBcc: eve@example.org"]' '/to/0'
invalid '.from = "Tessera <tessera@example.org>"' '/from'
invalid '.host = "localhost/x"' '/host'
invalid '.bcc = "x"' '/bcc'
tessera connection update mail.json >/dev/null
# It gives no certificates.
jq '.name = "no" | .keys[0].certificate.authority = "mail"' template.json >no.json
expect_failure any tessera template add no.json
[[ $output == *"of kind smtp gives no certificates"* ]] || fail "$output"

# --- an authority is away for a day
tessera card issue --reader 1 --template digicert --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@example.org >/dev/null
tessera card activate --new-pin-file pin >/dev/null
stop_digicert_one 8443
expect_failure any tessera card suspend
id=$(tessera --json task list | jq -r '.[0].id')
stdbuf -oL busctl --no-pager monitor org.tessera1 >signals 2>&1 &
monitor=$!
wait_for 10 grep -q Monitoring signals
in_store "UPDATE task SET created_at = created_at - 86400, alarm_at = alarm_at - 86400"
wait_for 60 has_mails 2
kill "$monitor"
grep -A8 'Member=TaskOverdue' signals | grep -q "INT64 $id;" || fail "$(cat signals)"
mail_text 1 >mail
grep -q '^X-Envelope: tessera@example.org ops@example.org tls=True user=tessera$' mail || fail "$(cat mail)"
grep -q '^Subject: Tessera: 1 overdue task$' mail || fail "$(cat mail)"
grep -q "task $id (tell) since 20.*authentication key of .*authority digicert: .*does not take connections" mail || fail "$(cat mail)"
mail_text 2 >mail
grep -q 'chief@example.org tls=True' mail || fail "$(cat mail)"
expect_output "task $id (tell)" tessera audit list --operation alarm-task
[ "$(tessera --json audit list --operation alarm-task | jq length)" = 1 ] || fail "$(tessera audit list)"

# --- once: the next time is in two days, whatever is restarted
later() {
    [ "$(in_store "SELECT alarms || ' ' || (alarm_at > strftime('%s', 'now') + 86400) FROM task")" = "$1 1" ]
}
later 1 || fail "$(in_store 'SELECT * FROM task')"
restart_daemon
expect_failure any tessera task run "$id"
later 1 || fail "$(in_store 'SELECT * FROM task')"
# The second threshold; a mail went out less than an hour ago, so this one waits.
in_store "UPDATE task SET created_at = created_at - 2 * 86400, alarm_at = 1"
wait_for 60 later 2
[ "$(mails)" = 2 ] || fail "$(mails) mails"
[ "$(in_store 'SELECT count(*) FROM mail')" = 0 ] || fail "a mail is kept"

# --- the mail server is away: mail waits, over a restart, too
stop_smtp 2525
in_store "UPDATE named_value SET value = CAST('1' AS BLOB) WHERE name = 'alarm-mail/at'"
tried() {
    [ "$(in_store 'SELECT count(*) FROM mail')" = 2 ] && [ "$(in_store 'SELECT max(attempts) FROM mail')" != 0 ]
}
wait_for 60 tried
restart_daemon
[ "$(in_store 'SELECT count(*) FROM mail')" = 2 ] || fail "a mail is lost"
start_smtp 2525 --starttls --user tessera --password open-sesame-4711
in_store "UPDATE mail SET next_at = 1"
wait_for 60 has_mails 4
sent() {
    [ "$(in_store 'SELECT count(*) FROM mail')" = 0 ]
}
wait_for 20 sent

# --- an address that the server refuses for good is given up; the other one gets its mail
printf '550 no such person\n' >mails-2525/refuse-recipient
in_store "UPDATE named_value SET value = CAST('1' AS BLOB) WHERE name = 'alarm-mail/at'"
in_store "UPDATE task SET alarm_at = 1"
given_up() {
    [ "$(tessera --json audit list --operation send-mail | jq '[.[] | select(.outcome != "ok")] | length')" = 2 ]
}
wait_for 60 given_up
sent || fail "it is tried again"
[ "$(mails)" = 4 ] || fail "$(mails) mails"
# A refusal of the moment is tried again.
printf '451 later\n' >mails-2525/refuse-recipient
in_store "UPDATE named_value SET value = CAST('1' AS BLOB) WHERE name = 'alarm-mail/at'"
in_store "UPDATE task SET alarm_at = 1"
wait_for 60 tried
rm mails-2525/refuse-recipient
in_store "UPDATE mail SET next_at = 1"
wait_for 60 has_mails 6

# --- a task that needs an operator is said at once: this authority has never heard of the certificate
start_digicert_one 8443
expect_failure any tessera task run "$id"
said() {
    tessera audit list --operation alarm-task >said
    grep -q 'is not found' said
}
wait_for 60 said

# --- the password is nowhere
! grep -rq open-sesame-4711 "$TESSERA_STATE" "$TESSERA_SANDBOX"/log* 2>/dev/null || fail "the password lies about"
expect_output whole tessera audit verify
