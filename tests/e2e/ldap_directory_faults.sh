#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# sandbox: --cards none
# Whatever is wrong with an LDAP directory is one clear error, in time; and another server is asked where that can help.
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/slapd.sh
source "$TESSERA_SOURCE/tests/lib/slapd.sh"
cd "$TESSERA_SANDBOX/tmp"

echo "reader secret" >password
make_slapd one
make_slapd two
for name in one two; do people 1 30 | load_slapd $name; done
start_slapd one 3890
start_slapd two 3900
start_part ldap-faults "$TESSERA_SOURCE/tests/servers/ldap-faults" 4001=stall-tls 4002=no-starttls 4003=silent 4004=close \
    4005=garbage 4006=busy 4007=cut 4008=stall 4009=drip 4010=other-name 4011=loop
listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wait_for_part ldap-faults listens 4011

# directory NAME FILTER: a connection like the good one, changed by the filter of jq.
directory() {
    jq -n --arg name "$1" --arg ca "$PWD/slapd-ca.pem" '{name: $name, kind: "ldap", hosts: ["127.0.0.1:3890"], "ca-file": $ca,
        bind: {method: "simple", dn: "cn=reader,dc=example,dc=org"}, base: "ou=people,dc=example,dc=org", "timeout-seconds": 10}' |
        jq "$2" >"$1.json"
    tessera connection add "$1.json" >/dev/null && tessera connection secret "$1" password password >/dev/null
}

# fails STATUS TEXT CMD...: in less than 6 seconds, with one line that has the text.
fails() {
    local status=$1 text=$2 start=${EPOCHREALTIME/./} took
    shift 2
    expect_failure "$status" "$@"
    took=$(((${EPOCHREALTIME/./} - start) / 1000))
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$*: not one clear error: $output"
    [[ $output == *"$text"* ]] || fail "$*: '$text' is not in: $output"
    [[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"
    [ "$took" -lt "$((${TESSERA_PRELOAD:+1}0 ? 30000 : 6000))" ] || fail "$*: it takes $took ms"
}

# The step at which a test stops, and what it says.
stops() {
    fails 1 "$2: " tessera connection test "$1"
    [[ $output == *"$3"* ]] || fail "the test of $1 does not say '$3': $output"
}

directory good .
[ "$(tessera --json directory search good "ada" --limit 1 | jq '.people | length')" = 1 ]

# Refused settings.
refused() {
    expect_failure 2 directory bad "$1"
    [[ $output == *"$2"* ]] || fail "'$2' is not in: $output"
}
refused '.hosts = ["ldap.example.org"] | .security = "none"' "for this machine alone"
refused '.filter = "(uid=*"' "a filter ends with )"
refused '.filter = "(uid=a)(uid=b)"' "nothing follows"
refused '.fields = {"email": "mail address"}' "/fields/email"
refused '.bind = {"method": "simple"}' "dn"
refused 'del(.hosts)' "hosts"
refused '.domain = "example.org"' "in place of"
refused '."referral-hosts" = ["127.0.0.1"]' "follow"
refused '.hosts = ["127.0.0.1:99999"]' "a host is expected"

# Names, ports and TLS.
directory nowhere '.hosts = ["no-such-host.invalid"]'
stops nowhere connection "no-such-host.invalid is not found"
directory down '.hosts = ["127.0.0.1:3"]'
stops down connection "Connection refused"
fails 8 "Connection refused" tessera directory search down ada
slapd_ca other
directory unknown-ca ".\"ca-file\" = \"$PWD/other.pem\""
stops unknown-ca TLS "is of no authority that $PWD/other.pem has"
directory no-ca '."ca-file" = "/nonexistent.pem"'
stops no-ca TLS "/nonexistent.pem"
directory other-name '.hosts = ["127.0.0.2:3890"]'
stops other-name TLS "is for another name"
directory stall-tls '."timeout-seconds" = 1 | .hosts = ["127.0.0.1:4001"]'
stops stall-tls TLS "does not go on with TLS within 1000 ms"
directory no-starttls '.hosts = ["127.0.0.1:4002"]'
stops no-starttls TLS "StartTLS"
directory plain-ldaps '.hosts = ["127.0.0.1:3890"] | .security = "ldaps"'
stops plain-ldaps TLS "TLS with 127.0.0.1 fails"
directory silent '."timeout-seconds" = 1 | .hosts = ["127.0.0.1:4003"]'
stops silent TLS "does not answer within 1000 ms"
directory close '.hosts = ["127.0.0.1:4004"]'
stops close TLS "ends the connection"
directory garbage '."timeout-seconds" = 1 | .hosts = ["127.0.0.1:4005"]'
stops garbage TLS "127.0.0.1:4005"

# Rights, places and passwords.
tessera connection secret good password <(echo wrong) >/dev/null
stops good bind "does not take cn=reader,dc=example,dc=org with this password (tessera connection secret good password)"
tessera connection secret good password password >/dev/null
directory no-base '.base = "ou=nothing,dc=example,dc=org"'
stops no-base base "look at base"
directory bad-base '.base = "ou=people,dc=="'
stops bad-base base "look at base"
directory no-people '.filter = "(uid=nobody)"'
stops no-people search "no entry fits (uid=nobody)"
directory no-rights '.bind = {"method": "anonymous"}'
stops no-rights base "look at base"
directory no-id '."id-attribute" = "employeeType"'
stops no-id mapping "has no employeeType"
fails 1 "has no employeeType" tessera directory search no-id ada
directory no-fields '.fields = {"name": "ou2", "given-name": null, "surname": null, "user": null, "email": null, "employee-number": null,
    "phone": null, "department": null, "title": null}'
stops no-fields mapping "fills no field"

# A server that does what slapd does not.
plain() {
    directory "$1" ".hosts = [\"127.0.0.1:$2\"] | .security = \"none\" | .bind = {method: \"anonymous\"} | $3"
}
plain busy 4006 .
fails 8 "it is busy" tessera directory search busy ada
plain cut 4007 .
fails 8 "ends the connection" tessera directory search cut ada
plain stall 4008 '."timeout-seconds" = 1'
fails 8 "does not answer within" tessera directory search stall ada
plain drip 4009 '."timeout-seconds" = 1'
fails 8 "does not answer within" tessera directory search drip ada
plain other-server 4010 .
fails 1 "refers to ldap://192.0.2.1/dc=example,dc=org" tessera directory search other-server ada
plain other-followed 4010 '.referrals = "follow"'
fails 1 "none of the connection's hosts" tessera directory search other-followed ada
plain loop 4011 '.referrals = "follow"'
fails 1 "leads in a circle" tessera directory search loop ada

# Several servers: the next one is asked, and the one that stopped is not waited for again. Nobody is gone meanwhile.
directory impatient '."timeout-seconds" = 1'
directory both '."timeout-seconds" = 1 | .hosts = ["127.0.0.1:3890", "127.0.0.1:3900"]'
id=$(tessera --json directory show both p0000007 | jq -r .id)
freeze "$(part_pid slapd-one)"
fails 8 "does not answer within 1000 ms" tessera directory show impatient --id "$id"
search_both() { tessera --json directory search both ada --limit 1 | jq -e '.people | length == 1' >/dev/null; }
search_both
start=${EPOCHREALTIME/./}
search_both
[ $((${EPOCHREALTIME/./} - start)) -lt 900000 ] || fail "a server that stopped is waited for again"
kill -CONT "$(part_pid slapd-one)"
stop_slapd one
fails 8 "Connection refused" tessera directory show good --id "$id"
search_both
start_slapd one 3890
tessera directory show good --id "$id" >/dev/null

# Referrals to the connection's own other server.
load_referral() {
    slapd_change one <<END
dn: ou=elsewhere,ou=people,$slapd_suffix
changetype: add
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:$1/ou=people,$slapd_suffix
END
}
load_referral 3900
slapd_change two <<END
dn: uid=far,ou=people,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
uid: far
cn: Far Away
sn: Away
END
fails 3 "nobody in good has the login far" tessera directory show good far
directory followed '.referrals = "follow" | ."referral-hosts" = ["127.0.0.1:3900"]'
tessera directory show followed far | grep -q "Far Away"
directory ignored '.referrals = "follow"'
fails 3 "nobody in ignored has the login far" tessera directory show ignored far
stop_slapd two
fails 8 "127.0.0.1" tessera directory show followed far

# Entries that are no good: two of one login, values that are no text, 10 MB of something.
slapd_change one <<END
dn: ou=branch,ou=people,$slapd_suffix
changetype: add
objectClass: organizationalUnit
ou: branch

dn: uid=p0000003,ou=branch,ou=people,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
uid: p0000003
cn: The Second
sn: Second

dn: uid=odd,ou=people,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
objectClass: tester
uid: odd
cn: Odd One
sn: One
badge:: $(printf 'caf\xe9 au lait' | base64)

dn: uid=bell,ou=people,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
objectClass: tester
uid: bell
cn: Odd Two
sn: Two
badge:: $(printf 'ding\a\e[31m' | base64)

dn: uid=long,ou=people,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
objectClass: tester
uid: long
cn: Odd Three
sn: Three
badge: $(head -c 2000 /dev/zero | tr '\0' x)
END
fails 2 "several people in good have the login p0000003: uid=p0000003,ou=people,$slapd_suffix and uid=p0000003,ou=branch" \
    tessera directory show good p0000003
directory badges '.fields = {"title": "badge"}'
tessera directory search badges odd >said
grep -q "title is left out: it is no text" said
grep -q "title is left out: it has 2000 bytes" said
[ "$(tessera --json directory search badges odd | jq '[.people[] | select(.fields.title)] | length')" = 0 ]
stop_slapd one
{
    printf 'dn: uid=huge,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: tester\nuid: huge\ncn: Odd Huge\nsn: Huge\nbadge:: ' \
        "$slapd_suffix"
    head -c 10000000 /dev/urandom | base64 -w0
    echo
} | load_slapd one
start_slapd one 3890
tessera --json directory search badges odd >people.json
[ "$(jq '.people | length' people.json)" = 4 ] || fail "one person who is too long hides others"
jq -e '.people[] | select(.name == "huge") | .reason | contains("an attribute is too long")' people.json >/dev/null
fails 1 "more than 1048576 bytes" tessera directory show badges huge
tessera directory show good huge >/dev/null # where it is not read

# Limits of the directory: a list that does not end, an error that says why.
stop_slapd one
sed -i 's/^limits .*/limits dn.exact=cn=reader,dc=example,dc=org size=25/' one/slapd.conf
start_slapd one 3890
tessera --json directory search good --limit 20 | jq -e '(.people | length == 20) and .next != ""' >/dev/null
fails 1 "raise its limit" tessera directory search good --limit 20 --after @20

# The certificate has expired.
stop_slapd one
slapd_certificate one 0 127.0.0.1
start_slapd one 3890
stops good TLS "the certificate of 127.0.0.1 is not good now: certificate has expired"
fails 8 "certificate has expired" tessera directory search good ada

! grep -q "reader secret" "$TESSERA_SANDBOX/log/tesserad" || fail "the password is in the log"
echo "faults of LDAP directories are clear errors"
