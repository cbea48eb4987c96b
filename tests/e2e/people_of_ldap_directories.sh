#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# sandbox: --cards none
# Operators find people in LDAP directories: over StartTLS, ldaps and a local socket, by typed text, login and id, page by page, by the
# presets, and by the pages of the guide.
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/slapd.sh
source "$TESSERA_SOURCE/tests/lib/slapd.sh"
cd "$TESSERA_SANDBOX/tmp"

make_slapd one
people 1 250 | load_slapd one
load_slapd one <<END
dn: uid=ada,ou=people,$slapd_suffix
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
objectClass: tester
uid: ada
cn: Ada King
cn: Countess Lovelace
givenName: Ada
sn: King
sn: Lovelace
displayName: Ada Lovelace
mail: ada@example.org
mail: a.lovelace@example.org
employeeNumber: 1815
uidNumber: 1815
gidNumber: 100
homeDirectory: /home/ada
shadowExpire: 100000
ipaUniqueID: 1c5a4bd2-0000-11ee-8000-000000000001
krbPrincipalName: ada@EXAMPLE.ORG
userPassword: enchantress

dn: uid=gone,ou=people,$slapd_suffix
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
objectClass: tester
uid: gone
cn: Gone Person
sn: Person
uidNumber: 1816
gidNumber: 100
homeDirectory: /home/gone
shadowExpire: 12000
nsAccountLock: TRUE
ipaUniqueID: 1c5a4bd2-0000-11ee-8000-000000000002
userPassword: gone

dn: uid=öz\2Cer,ou=people,$slapd_suffix
objectClass: inetOrgPerson
uid: öz,er
cn: Özge (the *first*) \\ Er
sn: Er
mail: oezge@example.org
END
start_slapd one 3890

# As the guide has it, but for where it is.
mkdir -p "$TESSERA_SANDBOX/etc/tessera"
cp slapd-ca.pem "$TESSERA_SANDBOX/etc/tessera/ldap-ca.pem"
guide_lines ldap.md Connect '{' | sed 's/"ldap1.example.org"/"127.0.0.1:3890"/; s/"ldap2.example.org"/"127.0.0.1:3889"/' >staff.json
echo "reader secret" >password
guide_types 'password of connection staff=reader secret'
guide_run ldap.md Connect tessera
guide_run directories.md "Find people"

names() {
    tessera --json directory search "$@" | jq -r '[.people[].name] | join("|")'
}

field() {
    tessera --json directory show "$1" "$2" | jq -r ".fields[\"$3\"]"
}

# Typed text: how any of the attributes begins, in any case; several words; nothing else is read as a filter.
[ "$(names staff lovel --limit 1 | wc -l)" = 1 ]
[[ "|$(names staff "ADA LOV" --limit 100)|" == *"|Ada Lovelace|"* ]]
[ "$(names staff 1815)" = "Ada Lovelace" ]
[ "$(names staff "a.love")" = "Ada Lovelace" ]
[ "$(names staff "king ada")" = "Ada Lovelace" ]
[ "$(names staff "özge (the *f")" = 'Özge (the *first*) \ Er' ]
[ "$(names staff '*')" = "" ]
[ "$(names staff ')(uid=*' --limit 1)" = "" ]
[ "$(names staff --field user='*')" = "" ]
[ "$(names staff --field user='öz,er')" = 'Özge (the *first*) \ Er' ]
expect_failure 2 tessera directory search staff --field shoe-size=38
[[ $output == *'no field "shoe-size"'* ]]

# One value of several: that of the entry's name, or the first in order; the first attribute that is there.
[ "$(field staff ada name)" = "Ada Lovelace" ]
[ "$(field staff ada surname)" = King ]
[ "$(field staff ada email)" = a.lovelace@example.org ]

# By id, which outlives the login.
id=$(tessera --json directory show staff ada | jq -r .id)
slapd_change one <<END
dn: uid=ada,ou=people,$slapd_suffix
changetype: modrdn
newrdn: uid=augusta
deleteoldrdn: 1
END
[ "$(tessera --json directory show staff --id "$id" | jq -r .fields.user)" = augusta ]
expect_failure 3 tessera directory show staff ada
expect_failure 3 tessera directory show staff --id 11111111-2222-3333-4444-555555555555
expect_failure 3 tessera directory show staff --id "not * an id"
slapd_change one <<END
dn: uid=augusta,ou=people,$slapd_suffix
changetype: modrdn
newrdn: uid=ada
deleteoldrdn: 1
END

# All people, page by page, each of them once; pages may differ in length.
read_pages() {
    local after='' limit=40 answer
    while :; do
        answer=$(tessera --json directory search "$1" --limit $limit ${after:+--after "$after"})
        jq -r '.people[].id' <<<"$answer"
        after=$(jq -r .next <<<"$answer")
        [ -n "$after" ] || break
        limit=$((limit == 40 ? 70 : 40))
    done
}
read_pages staff >ids
[ "$(wc -l <ids)" = 253 ] || fail "$(wc -l <ids) people are read"
[ "$(sort -u ids | wc -l)" = 253 ] || fail "people are read twice"
expect_failure 2 tessera directory search staff ada --after @40x
[[ $output == *"search again"* ]]
next=$(tessera --json directory search staff --limit 40 --after @40 | jq -r .next)
expect_failure 2 tessera directory search staff other --after "$next"

# Kept connections are used again, and not for another password.
connections() {
    ss -Htn state established "( dport = :3890 )" | wc -l
}
for _ in 1 2 3 4 5; do names staff ada >/dev/null; done
[ "$(connections)" -le 3 ] || fail "$(connections) connections for one search at a time"
echo "wrong" >wrong
tessera connection secret staff password wrong >/dev/null
expect_failure 1 tessera directory search staff ada
[[ $output == *"does not take cn=reader"* ]]
tessera connection secret staff password password >/dev/null
names staff ada >/dev/null

# Other doors of the same directory.
document() {
    jq "$2" staff.json | jq ".name = \"$1\"" >"$1.json"
    tessera connection add "$1.json" >/dev/null
}
document ldaps '.hosts = ["127.0.0.1:3891"] | .security = "ldaps"'
tessera connection secret ldaps password password >/dev/null
expect_output "by ldaps" tessera connection test ldaps
document socket ".hosts = [\"$PWD/one/ldapi\"] | .security = \"none\" | .bind = {\"method\": \"external\"}"
expect_output "local socket, is taken" tessera connection test socket
[ "$(names socket 1815)" = "Ada Lovelace" ]
document public '.bind = {"method": "anonymous"} | .base = "ou=public,dc=example,dc=org"'
load_person() {
    slapd_change one <<END
dn: uid=$1,ou=public,$slapd_suffix
changetype: add
objectClass: inetOrgPerson
uid: $1
cn: Public $1
sn: $1
END
}
load_person someone
expect_output "asked anonymously" tessera connection test public
[ "$(names public)" = "Public someone" ]

# As the guide has it by a client certificate.
slapd_ca slapd-ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=cardd -keyout client.key -out client.csr 2>/dev/null
openssl x509 -req -days 30 -in client.csr -CA slapd-ca.pem -CAkey slapd-ca.key -out client.pem 2>/dev/null
cat client.pem client.key >tesserad.pem
guide_lines ldap.md "As whom" '{' | sed 's/"ldap1.example.org"/"127.0.0.1:3891"/' >staff-certificate.json
guide_run ldap.md "As whom" tessera
[ "$(names staff-certificate 1815)" = "Ada Lovelace" ]

# The presets, and what they know of disabled people.
document posix '.preset = "posixAccount"'
document ipa '.preset = "freeipa"'
document mapped '.fields = {"email": null, "title": "badge", "name": ["displayName", "uid"]} | .disabled = [{"attribute": "employeeNumber", "value": "500007"}]'
for name in posix ipa mapped; do tessera connection secret $name password password >/dev/null; done
for name in staff posix ipa; do
    tessera --json directory show $name gone | jq -e .disabled >/dev/null || fail "$name does not know who is disabled"
done
tessera --json directory show posix gone | jq -e '.reason | contains("shadowExpire has passed")' >/dev/null
tessera --json directory show posix ada | jq -e '.disabled | not' >/dev/null
tessera --json directory show mapped p0000007 | jq -e .disabled >/dev/null
[ "$(field ipa ada upn)" = ada@EXAMPLE.ORG ]
[ "$(tessera --json directory show ipa ada@EXAMPLE.ORG | jq -r .id)" = 1c5a4bd2-0000-11ee-8000-000000000001 ]
[ "$(field mapped ada email)" = null ]
[ "$(field mapped p0000007 name)" = p0000007 ]

# Proving people: alike for a wrong password, somebody unknown and somebody disabled.
prove() {
    "$TESSERA_BUILD/tests/lib/directory-ask" staff.json "reader secret" authenticate "$@"
}
[ "$(prove ada enchantress)" = "Ada Lovelace" ]
for who in "ada wrong" "nobody enchantress" "gone gone" "ada "; do
    [ "$(prove "${who% *}" "${who#* }" || true)" = "AccessDenied: the name or the password is wrong" ] ||
        fail "'$who' is told: $(prove "${who% *}" "${who#* }" || true)"
done
[ "$(prove '*' enchantress || true)" = "AccessDenied: the name or the password is wrong" ]

# Only who may issue cards may look.
expect_failure 4 setpriv --reuid ada --regid ada --clear-groups env -u TESSERA_SESSION tessera directory search staff ada
echo "people of LDAP directories are found"
