#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards get certificates of Microsoft CS by a Kerberos account, bound to TLS, and each missing piece is named
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need krb5kdc kdb5_util kadmin.local
cd "$TESSERA_SANDBOX/tmp"
realm=EXAMPLE.TEST

start_kdc() {
    start_part kdc "$TESSERA_SOURCE/tests/servers/kdc" "$PWD/kdc" 18088 cmsoper
    wait_for_part kdc port_answers 18088
}
# start_service PORT KEYTAB: the stand-in; GSS-API's module is in Debian's Python.
start_service() {
    PATH=/usr/bin:$PATH start_ms_cs "$1" --authentication kerberos --keytab "$PWD/kdc/$2"
}
export KRB5_CONFIG=$PWD/kdc/krb5.conf
start_kdc
wait_for 60 test -e kdc/ready
restart_daemon

# document PORT KEYTAB ACCOUNT: the guide's, with the stand-in in place of the service.
document() {
    guide_lines microsoft-cs.md "By a Kerberos account" "{" | sed "s/ces.lab.test/localhost:$1/" |
        jq --arg keytab "$PWD/kdc/$2" --arg account "$3@$realm" --arg ca "$PWD/activation-ca.pem" \
            '.kerberos = {principal: $account, keytab: $keytab} | .["ca-file"] = $ca'
}
start_service 8443 http.keytab
document 8443 cmsoper.keytab cmsoper >lab.json

echo "# what the document may say"
jq 'del(.kerberos)' lab.json >wrong.json
expect_failure 2 tessera connection add wrong.json
[[ $output == *kerberos* ]] || fail "$output"
for wrong in '.kerberos.principal = "cmsoper"' '.kerberos.keytab = "here"' '.kerberos.cache = "FILE:/x"' \
    '.authentication = "password" | .user = "x"' '.kerberos.password = "x"'; do
    jq "$wrong" lab.json >wrong.json
    expect_failure 2 tessera connection add wrong.json
    [[ $output == */kerberos* ]] || fail "$wrong: $output"
done

echo "# a card's certificates"
tessera connection add lab.json >/dev/null
tessera connection test lab >said || fail "$(cat said)"
grep -q "ticket: cmsoper@$realm has a Kerberos ticket for localhost:8443" said || fail "$(cat said)"
grep -q "authentication: .*accepts the Kerberos account" said || fail "$(cat said)"
tessera connection profiles lab --update >/dev/null
ms_cs_template >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@lab.test >/dev/null
[ "$(ms_cs_counted issued)" = 2 ] || fail "$(ms_cs_counted issued) certificates were issued"

echo "# the same by the web enrollment"
document 8443 cmsoper.keytab cmsoper | jq --arg issuer "$PWD/ms-cs-ca.pem" 'del(.["policy-url"]) | .protocol = "web" |
    .url = "https://localhost:8443/certsrv" | .["issuer-file"] = $issuer |
    .profiles = {CardLogonOffline: {subject: "request"}, SignatureOffline: {subject: "request"}}' >changed.json
tessera connection update changed.json >/dev/null
expect_output "accepts the Kerberos account" tessera connection test lab
expect_failure any tessera card retire --yes
tessera card retire --yes >/dev/null
ms_cs_knob '{"pending": 2}'
tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org \
    --holder upn=ada@lab.test >/dev/null
[ "$(ms_cs_counted issued)" = 4 ] || fail "$(ms_cs_counted issued) certificates were issued"
[ "$(ms_cs_counted fetches)" -ge 2 ] || fail "certificates came without having been fetched"
ms_cs_no_knobs

# stops_at STEP TEXT: the test of the connection fails there and says so.
stops_at() {
    expect_failure 1 tessera connection test lab
    [[ $output == *"$1: "*"$2"* ]] || fail "not at $1 with '$2' but: $output"
}
update() {
    document "$@" >changed.json
    tessera connection update changed.json >/dev/null
}

echo "# each missing piece"
update 8443 none.keytab cmsoper
stops_at ticket "make a keytab of the account"
update 8443 svc.keytab cmsoper
stops_at ticket "of this very principal"
update 8443 svc-old.keytab svc
stops_at ticket "was its password changed?"
update 8443 disabled.keytab disabled
stops_at ticket "disabled or locked"
update 8443 svc.keytab svc
stops_at authentication "does not accept the Kerberos account"
document 8443 cmsoper.keytab cmsoper | jq '.kerberos.cache = "FILE:/nowhere" | del(.kerberos.keytab)' >changed.json
tessera connection update changed.json >/dev/null
stops_at ticket "no Kerberos ticket in FILE:/nowhere"
start_service 8444 http-old.keytab
update 8444 cmsoper.keytab cmsoper
stops_at authentication "Key version is not available"
start_ms_cs 8445
document 8445 cmsoper.keytab cmsoper | sed 's/_Kerberos/_UsernamePassword/' >changed.json
tessera connection update changed.json >/dev/null
stops_at authentication ""
update 8443 cmsoper.keytab cmsoper
stop_part kdc TERM
stops_at ticket "is a KDC up"

echo "# the KDC is there again"
start_kdc
expect_output "accepts the Kerberos account" tessera connection test lab
expect_output whole tessera audit verify
