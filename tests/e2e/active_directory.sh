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
page=active-directory.md
users=CN=Users,DC=lab,DC=test
start_samba
restart_daemon
mkdir -p "$TESSERA_SANDBOX/etc/tessera"
cp ad/svc.keytab activation-ca.pem "$TESSERA_SANDBOX/etc/tessera/"
mv "$TESSERA_SANDBOX"/etc/tessera/{activation-ca,lab-ca}.pem

guide_lines $page "By a Kerberos account" "{" >kerberos.json
guide_lines $page "By a password" "{" >password.json
# use FILE JQ...: the connection, changed so.
use() {
    local file=$1
    shift
    jq "$@" "$file" >changed.json
    tessera connection update changed.json >/dev/null
}
# stops_at STEP TEXT: the test of the connection fails there and says so.
stops_at() {
    expect_failure any tessera connection test ad
    [[ $output == *"tessera: $1: "*"$2"* ]] || fail "not at $1 with '$2' but: $output"
}
found() {
    tessera --json directory search ad "$@" | jq -r '[.people[].fields.user] | sort | join(" ")'
}
# finds LOGINS WORDS...: a search has these people.
finds() {
    local got wanted=$1
    shift
    got=$(found "$@")
    [ "$got" = "$wanted" ] || fail "search $* has '$got', not '$wanted'"
}
# is NAME JQ VALUE: of what is shown of a person.
is() {
    local got
    got=$(tessera --json directory show ad "$1" | jq -r "$2")
    [ "$got" = "$3" ] || fail "$2 of $1 is '$got', not '$3'"
}
# proves FILE PASSWORD LOGIN=NAME...: the password is of those who have a name here, and of nobody else.
proves() {
    local file=$1 password=$2 pair wanted got
    shift 2
    for pair; do
        wanted=${pair#*=}
        wanted=${wanted:-AccessDenied: the name or the password is wrong}
        got=$("$TESSERA_BUILD/tests/lib/directory-ask" "$file" Passw0rd.User1 authenticate "${pair%%=*}" "$password") || :
        [ "$got" = "$wanted" ] || fail "$file: '$password' of ${pair%%=*}: $got"
    done
}

echo "# by Kerberos"
cp kerberos.json ad.json
guide_run $page "By a Kerberos account" "tessera connection add" >said || fail "$(cat said)"
grep -q "name: DNS has 1 controller for _ldap._tcp.dc._msdcs.lab.test" said || fail "$(cat said)"
grep -q "ticket: svc@LAB.TEST has a Kerberos ticket" said || fail "$(cat said)"
grep -q "base: DC=lab,DC=test is there" said || fail "$(cat said)"
guide_run $page "Look for people" "tessera directory search" >said || fail "$(cat said)"
grep -q "Ada Lovelace" said || fail "$(cat said)"
finds "Administrator Guest ada grace joan krbtgt mary must svc" ""
finds "Administrator ada" ad
finds ada "Ada Lov"
finds grace grace@lab
finds "" "*"
finds "" "ada)(cn=*"
finds ada --field upn=ada@lab.test
finds ada --field sid="$(samba_value ada objectSid)"
first=$(tessera --json directory search ad --limit 4)
[ "$(jq '.people | length' <<<"$first")" = 4 ] || fail "$first"
second=$(tessera --json directory search ad --limit 4 --after "$(jq -r .next <<<"$first")")
[ "$(jq -rn --argjson a "$first" --argjson b "$second" '[$a, $b | .people[].id] | unique | length')" = 8 ] ||
    fail "$first $second"

echo "# a person"
for login in ada ADA ada@lab.test 'LAB\ada'; do
    is "$login" .fields.user ada
done
is ada .fields.sid "$(samba_value ada objectSid)"
is ada .id "$(samba_value ada objectGUID)"
is ada .fields.name "Ada Lovelace"
is ada '.fields["employee-number"]' 4711
is ada .fields.upn ada@lab.test
is ada .fields.title Analyst
is ada .disabled false
expect_failure any tessera directory show ad nobody
[[ $output == *"nobody in ad has the login nobody"* ]] || fail "$output"
expect_output "Ada Lovelace" tessera directory show ad --id "$(samba_value ada objectGUID)"
is mary .disabled true
is mary .reason "the account is disabled"
is joan .disabled true
is joan .reason "the account has expired"
is must .disabled false

echo "# members of a group, and of groups in it"
guide_lines $page "Who may get cards" "{" >groups.json
use groups.json .
expect_output "group: CN=Cards,$users has 3 members of its own" tessera connection test ad
finds "ada joan mary" ""
expect_failure any tessera directory show ad grace
use groups.json ".groups += [\"CN=Domain Admins,$users\"]"
finds "Administrator ada joan mary" ""
use groups.json ".groups = [\"CN=None,$users\"]"
stops_at group "CN=None"
# More than a controller tells at once.
for i in $(seq 300); do
    printf 'dn: CN=c%d,%s\nchangetype: add\nobjectClass: contact\n\n' "$i" "$users"
done >many.ldif
{
    printf 'dn: CN=Many,%s\nchangetype: add\nobjectClass: group\nsAMAccountName: Many\n' "$users"
    for i in $(seq 300); do
        printf 'member: CN=c%d,%s\n' "$i" "$users"
    done
} >>many.ldif
samba_change <many.ldif
use groups.json ".groups += [\"CN=Many,$users\"]"
expect_output "CN=Many,$users has 300 members" tessera connection test ad

echo "# the global catalog"
use kerberos.json '.["global-catalog"] = true'
expect_output "dc1.lab.test:3268 answers" tessera connection test ad
is ada .fields.sid "$(samba_value ada objectSid)"

echo "# by a password over TLS"
echo Passw0rd.User1 >password-file
cp password.json ad.json
guide_run $page "By a password" "tessera connection update" >said || fail "$(cat said)"
grep -q "TLS: by StartTLS" said || fail "$(cat said)"
is ada .fields.sid "$(samba_value ada objectSid)"
use password.json '.hosts = ["dc1.lab.test"] | .security = "ldaps"'
is ada .fields.user ada
use password.json '.user = "LAB\\svc"'
is ada .fields.user ada
use password.json 'del(.["ca-file"])'
stops_at TLS ""
use password.json '.user = "mary@lab.test"'
stops_at bind "the account is disabled"
use password.json '.user = "nobody@lab.test"'
stops_at bind "account or password is wrong"

echo "# passwords of people"
people=(ada="Ada Lovelace" ada@lab.test="Ada Lovelace" 'LAB\ada=Ada Lovelace' mary= joan= nobody= '*=' 'a*=')
nobody=(ada= ada@lab.test= mary= must= nobody=)
for file in kerberos.json password.json; do
    proves $file Passw0rd.User1 "${people[@]}"
    proves $file Passw0rd.User2 "${nobody[@]}"
    proves $file "" "${nobody[@]}"
done
proves kerberos.json Passw0rd.User1 must=
proves password.json Passw0rd.User1 must="AccessDenied: the password has to be changed in the directory first"
proves groups.json Passw0rd.User1 ada="Ada Lovelace" grace=

echo "# a UPN that nobody has set"
samba_change <<END
dn: CN=grace,$users
changetype: modify
delete: userPrincipalName
END
use kerberos.json .
is grace .fields.upn grace@lab.test

echo "# each missing piece"
use kerberos.json '.kerberos.keytab = "/nowhere"'
stops_at ticket "make a keytab of the account"
use kerberos.json --arg keytab "$PWD/ad/svc-old.keytab" '.kerberos.keytab = $keytab'
stops_at ticket "was its password changed?"
use kerberos.json '.kerberos.principal = "nobody@LAB.TEST"'
stops_at ticket "of this very principal"
use kerberos.json '.domain = "lab2.test"'
stops_at name "_ldap._tcp.dc._msdcs.lab2.test"
use kerberos.json '.site = "Berlin"'
stops_at name "_ldap._tcp.Berlin._sites.dc._msdcs.lab.test"
use kerberos.json '.["dns-server"] = "127.0.0.1:1053"'
stops_at name "no DNS server answers"
use kerberos.json '.hosts = ["dc1.lab.test:1389"]'
stops_at connection "1389"
use kerberos.json '.base = "OU=Nowhere,DC=lab,DC=test"'
stops_at base "look at base"
use kerberos.json '.hosts = ["dc1.lab.test:1389", "dc1.lab.test"]'
is ada .fields.user ada
sed -i.bak 's/127.0.0.1:88/127.0.0.1:1088/' ad/krb5.conf
use kerberos.json .
stops_at ticket "is a KDC up"
start_part silent python3 -c 'import socket
one, other = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
one.bind(("127.0.0.1", 1088))
other.bind(("127.0.0.1", 1088))
other.listen()
print("ready", flush=True)
other.accept()[0].recv(1)
one.recvfrom(0)
other.accept()'
wait_for_part silent grep -q ready "$TESSERA_SANDBOX/log/silent"
use kerberos.json '.["timeout-seconds"] = 2'
stops_at ticket "has not answered in time"
stop_part silent KILL
mv ad/krb5.conf.bak ad/krb5.conf

echo "# the domain is away, and comes back"
is ada .fields.user ada
stop_samba
stops_at name "no DNS server answers"
expect_failure any tessera directory show ad ada
start_samba
wait_for 60 tessera directory show ad ada
expect_output whole tessera audit verify
