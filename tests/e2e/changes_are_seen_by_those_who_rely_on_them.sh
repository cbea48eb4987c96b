#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a suspension, resumption or revocation is on the list of tasks until the authority's own CRL or OCSP shows it
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443 --revocation-port 8480
add_digicert_one 8443
digicert_one_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
printf '271828\n' >pin

issue() {
    tessera card issue --reader 1 --template digicert --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@example.org >/dev/null
    tessera card activate --new-pin-file pin >/dev/null
}

task() {
    tessera --json task list | jq -r ".[0].$1"
}

run_task() {
    tessera task run "$(task id)"
}

nothing_left() {
    tessera task list | grep -q 'There is nothing'
}

# It has looked by itself and goes on.
looked() {
    [ "$(task attempts)" != 0 ]
}

# --- the change is made and told; that nobody sees it yet is no failure, and not done either
issue
knob '{"hide": true}'
tessera card suspend >/dev/null
[ "$(counted suspended)" = 1 ] || fail "it is not told"
[ "$(task kind) $(task status)" = "see on-hold" ] || fail "$(tessera task list)"
wait_for 60 looked
expect_failure any run_task
[[ $output == *"it is told; the authority's OCSP shows the certificate as valid still, until 20"* ]] || fail "$output"
[ "$(counted suspended)" = 1 ] || fail "it is told again"
# Not at once, and not after a year: the answer is good for a day.
wait=$(($(task next) - $(date +%s)))
[ "$wait" -gt 600 ] && [ "$wait" -le 3600 ] || fail "it looks again after $wait seconds"
expect_failure any tessera connection remove digicert
restart_daemon
[ "$(task kind) $(task status)" = "see on-hold" ] || fail "$(tessera task list)"
no_knobs
run_task >/dev/null
nothing_left || fail "$(tessera task list)"
expect_output "ok" tessera audit list --operation see-certificate

# --- resumed: only when the hold is gone from the list, here without OCSP
knob '{"ocsp": "missing"}'
tessera card resume >/dev/null
run_task >/dev/null
nothing_left || fail "$(tessera task list)"

# --- a revocation; answers that prove nothing are not believed
tessera card revoke --reason keyCompromise --yes >/dev/null
refused() {
    knob "$1"
    expect_failure any run_task
    [[ $output == *"$2"* ]] || fail "$1: $output"
    [ "$(task kind) $(task status)" = "see revoked" ] || fail "$1: $(tessera task list)"
}
refused '{"crl": "missing"}' 'status 404'
refused '{"crl": "stale"}' 'out of date'
refused '{"crl": "future"}' 'clocks'
refused '{"crl": "wrong-signature"}' 'cannot be used'
refused '{"crl": "other-issuer"}' 'cannot be used'
refused '{"crl": "text"}' 'no revocation list'
refused '{"crl": "oversize"}' 'longer than'
refused '{"crl": "redirect"}' 'redirects'
refused '{"crl": "none", "hide": true}' "CRL shows the certificate as valid still"
no_knobs
refused '{"crl": "missing", "ocsp": "wrong-signature"}' 'not signed by'
[[ $output == *"/crl: it answers with status 404"* ]] || fail "$output"
no_knobs
run_task >/dev/null
nothing_left || fail "$(tessera task list)"
tessera card retire --yes >/dev/null
knob '{"places": ["ocsp"]}'
issue
tessera card revoke --reason keyCompromise --yes >/dev/null
refused '{"ocsp": "missing"}' 'status 404'
refused '{"ocsp": "stale"}' 'out of date'
refused '{"ocsp": "future"}' 'out of date'
refused '{"ocsp": "wrong-signature"}' 'not signed by'
refused '{"ocsp": "other-signer"}' 'not signed by'
refused '{"ocsp": "try-later"}' 'trylater'
refused '{"ocsp": "unknown"}' 'does not know the certificate'
refused '{"ocsp": "text"}' 'no OCSP responder'
refused '{"ocsp": "wrong-nonce"}' 'another question'
knob '{"ocsp": "no-nonce"}'
run_task >/dev/null
nothing_left || fail "$(tessera task list)"
no_knobs

# --- nobody says where: the authority's own word counts, as before
tessera card retire --yes >/dev/null
knob '{"places": ["ldap"]}'
issue
tessera card suspend >/dev/null
nothing_left || fail "$(tessera task list)"
# The connection can say where, and whose signature is good there.
tessera connection show digicert | jq '.["revocation-check"] = {crl: "http://localhost:8480/crl",
    "issuer-file": "'"$PWD/digicert-ca.pem"'"}' >digicert.json
tessera connection update digicert.json >/dev/null
knob '{"hide": true}'
tessera card revoke --reason superseded --yes >/dev/null
[ "$(task kind) $(task status)" = "see revoked" ] || fail "$(tessera task list)"
expect_failure any run_task
[[ $output == *"CRL shows the certificate as valid still"* ]] || fail "$output"
# Or that it is not looked for.
jq '.["revocation-check"] = {enabled: false}' digicert.json >off.json
tessera connection update off.json >/dev/null
run_task >/dev/null
nothing_left || fail "$(tessera task list)"
jq '.["revocation-check"] = {crl: "file:///etc/passwd"}' digicert.json >wrong.json
expect_failure any tessera connection update wrong.json
[[ $output == */revocation-check/crl* ]] || fail "$output"

no_knobs
expect_output whole tessera audit verify
stop_digicert_one 8443
