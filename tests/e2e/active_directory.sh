#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# people of a real domain are found by Kerberos and by a password, and each missing piece is named
# time limit: 600
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/samba-ad.sh
source "$TESSERA_SOURCE/tests/lib/samba-ad.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need samba samba-tool ldbsearch
cd "$TESSERA_SANDBOX/tmp"
start_samba
restart_daemon

# by_kerberos KEYTAB: the guide's document with that keytab.
by_kerberos() {
    guide_lines active-directory.md "By a Kerberos account" "{" |
        jq --arg keytab "$PWD/ad/$1" '.kerberos.keytab = $keytab'
}
by_password() {
    guide_lines active-directory.md "By a password" "{" | jq --arg ca "$PWD/activation-ca.pem" '.["ca-file"] = $ca'
}
# use JQ...: the connection, changed so.
use() {
    by_kerberos svc.keytab | jq "$@" >changed.json
    tessera connection update changed.json >/dev/null
}
# stops_at STEP TEXT: the test of the connection fails there and says so.
stops_at() {
    expect_failure 1 tessera connection test ad
    [[ $output == *"$1: "*"$2"* ]] || fail "not at $1 with '$2' but: $output"
}
found() {
    tessera --json directory search ad "$@" | jq -r '[.people[].fields.user] | sort | join(" ")'
}
# is NAME JQ VALUE: of what is shown of a person.
is() {
    local got
    got=$(tessera --json directory show ad "$1" | jq -r "$2")
    [ "$got" = "$3" ] || fail "$2 of $1 is '$got', not '$3'"
}

echo "# what the document may say"
for wrong in 'del(.domain)' '.domain = "lab"' '.domain = "a..b"' '.site = "a.b"' '.["dns-server"] = "dns"' \
    '.groups = ["Cards"]' '.groups = []' '.security = "ldaps"' '.user = "x"' '.kerberos.password = "x"' \
    'del(.kerberos)' '.hosts = ["dc1.lab.test"] | .site = "Berlin"' '.authentication = "anonymous"' \
    '.filter = "(cn=*"' '.fields = {"sid": "x y"}' '.referrals = "follow"'; do
    by_kerberos svc.keytab | jq "$wrong" >wrong.json
    expect_failure 2 tessera connection add wrong.json
done
for wrong in '.security = "none"' '.security = "ldaps"' 'del(.user)' '.kerberos = {}'; do
    by_password | jq "$wrong" >wrong.json
    expect_failure 2 tessera connection add wrong.json
done

echo "# by Kerberos"
by_kerberos svc.keytab >ad.json
tessera connection add ad.json >/dev/null
tessera connection test ad >said || fail "$(cat said)"
cat said
[ "$(found '')" = "Administrator Guest ada grace joan krbtgt mary must svc" ] || fail "found: $(found '')"
[ "$(found ad)" = "Administrator ada" ] || fail "ad: $(found ad)"
[ "$(found 'Ada Lov')" = ada ] || fail "Ada Lov: $(found 'Ada Lov')"
[ "$(found 'grace@lab')" = grace ] || fail "grace@lab: $(found 'grace@lab')"
[ -z "$(found '*')" ] || fail "*: $(found '*')"
[ "$(found --field upn=ada@lab.test '')" = ada ] || fail "by upn"

echo "# a person"
for login in ada ADA ada@lab.test 'LAB\ada'; do
    is "$login" .fields.user ada
done
is ada .fields.sid "$(samba_value ada objectSid)"
is ada .id "$(samba_value ada objectGUID)"
is ada .fields.name "Ada Lovelace"
is ada '.fields["employee-number"]' 4711
is ada .fields.upn ada@lab.test
is ada .disabled false
expect_failure 3 tessera directory show ad nobody
expect_output "Ada Lovelace" tessera directory show ad --id "$(samba_value ada objectGUID)"
is mary .disabled true
is mary .reason "the account is disabled"
is joan .reason "the account has expired"
is must .disabled false

echo "# members of a group, and of groups in it"
use '.groups = ["CN=Cards,CN=Users,DC=lab,DC=test"]'
[ "$(found '')" = "ada joan mary" ] || fail "members: $(found '')"
expect_failure 3 tessera directory show ad grace
use '.groups = ["CN=Cards,CN=Users,DC=lab,DC=test", "CN=Domain Admins,CN=Users,DC=lab,DC=test"]'
[ "$(found '')" = "Administrator ada joan mary" ] || fail "members: $(found '')"

echo "# a UPN that nobody has set"
samba_change <<END
dn: CN=grace,CN=Users,DC=lab,DC=test
changetype: modify
delete: userPrincipalName
END
use .
is grace .fields.upn grace@lab.test

echo "# the global catalog"
use '.["global-catalog"] = true'
expect_output "3268" tessera connection test ad
[ "$(found ad)" = "Administrator ada" ] || fail "ad: $(found ad)"

echo "# by a password over TLS"
by_password >changed.json
tessera connection update changed.json >/dev/null
echo Passw0rd.User1 >password
tessera connection secret ad password password >/dev/null
tessera connection test ad >said || fail "$(cat said)"
cat said
is ada .fields.sid "$(samba_value ada objectSid)"
by_password | jq '.hosts = ["dc1.lab.test"] | .security = "ldaps"' >changed.json
tessera connection update changed.json >/dev/null
is ada .fields.user ada
echo Passw0rd.User2 >wrong
tessera connection secret ad password wrong >/dev/null
stops_at bind "password"

echo "# each missing piece"
use '.kerberos.keytab = "/nowhere"'
stops_at ticket "make a keytab of the account"
use --arg keytab "$PWD/ad/svc-old.keytab" '.kerberos.keytab = $keytab'
stops_at ticket "was its password changed?"
use '.kerberos.principal = "nobody@LAB.TEST"'
stops_at ticket "of this very principal"
use '.domain = "lab2.test"'
stops_at name "_ldap._tcp.dc._msdcs.lab2.test"
use '.site = "Berlin"'
stops_at name "Berlin"
use '.hosts = ["127.0.0.1:1389"]'
stops_at connection ""
use '.base = "OU=Nowhere,DC=lab,DC=test"'
stops_at base "OU=Nowhere"
use '.hosts = ["127.0.0.1:1389", "dc1.lab.test"]'
is ada .fields.user ada

echo "# the domain is away"
use .
stop_samba
stops_at name ""
expect_failure 1 tessera directory show ad ada
start_samba
wait_for 30 tessera directory show ad ada
