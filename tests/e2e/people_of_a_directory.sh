#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# people of an LDAP directory get cards by their login, and what becomes of them there becomes of their cards
#
# time limit: 300
# sandbox: --cards blank,blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/slapd.sh
source "$TESSERA_SOURCE/tests/lib/slapd.sh"
cd "$TESSERA_SANDBOX/tmp"

in_store() {
    sqlite3 "$TESSERA_STATE/tessera.db" ".timeout 10000" "$1"
}
base=ou=people,$slapd_suffix
# entry UID NAME [LINE...]
entry() {
    local uid=$1 name=$2
    shift 2
    printf 'dn: uid=%s,%s\nobjectClass: inetOrgPerson\nobjectClass: tester\nuid: %s\ncn: %s\nsn: %s\n' \
        "$uid" "$base" "$uid" "$name" "${name##* }"
    printf '%s\n' "$@" ''
}
# change DN LINE...
change() {
    printf 'dn: %s\nchangetype: modify\n' "$1" >change.ldif
    shift
    printf '%s\n' "$@" >>change.ldif
    slapd_change staff <change.ldif
}
make_slapd staff
{
    entry ada 'Ada Byron' 'mail: ada@example.org'
    entry grace 'Grace Hopper' 'mail: grace@example.org'
    entry linus 'Linus Pauling'
    entry mallory 'Mallory Moore' 'mail: mallory@example.org' 'nsAccountLock: TRUE'
    entry twin 'Castor Twin' 'mail: castor@example.org'
    entry twin2 'Pollux Twin' 'mail: pollux@example.org' | sed '/^uid: /a uid: twin'
} | load_slapd staff
start_slapd staff 3890
jq -n --arg base "$base" '{name: "people", kind: "ldap", hosts: ["127.0.0.1:3890"], security: "none",
    bind: {method: "simple", dn: "cn=reader,dc=example,dc=org"}, base: $base}' >people.json
tessera connection add people.json >/dev/null
echo 'reader secret' >password
tessera connection secret people password password >/dev/null
tessera connection test people >/dev/null

# --- a template asks only for what the directory has
guide_lines people.md "A template for people" | sed -n '/^{/,/^}/p' >staff.json
refused() {
    jq "$1" staff.json >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"$2"*"$3"* ]] || fail "$1 gives: $output"
}
refused '.issue.holder.directory = "nobody"' /issue/holder/directory 'no connection "nobody"'
refused '.issue.holder.directory = "local"' /issue/holder/directory 'no directory'
refused '.keys[0].certificate.san.email = "{fax}"' /issue/holder/directory '"fax"'
guide_run people.md "A template for people" >/dev/null
expect_failure any tessera connection remove people
[[ $output == *'template "staff" uses'* ]] || fail "$output"

three_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 3 ]
}
wait_for 10 three_cards_are_read
serial_in() {
    tessera --json reader show "$1" | jq -r .serial
}
one=$(serial_in 1) two=$(serial_in 2) three=$(serial_in 3)

# --- who gets no card is told why, and nothing has happened to it
untouched() {
    [ "$(tessera --json reader show 1 | jq -r .state)" = unregistered ] || fail "$1: the card was touched"
    [ "$(in_store 'SELECT count(*) FROM intent')" = 0 ] || fail "$1 has left an intent"
}
no_card() {
    expect_failure any tessera card issue --reader 1 --template staff "${@:2}"
    [[ $output == *"$1"* ]] || fail "${*:2}: $output"
    untouched "${*:2}"
}
no_card 'say who it is'
no_card 'nobody with the login "eve"' --person eve
no_card 'twin' --person twin
no_card 'Mallory Moore is disabled in the directory "people"' --person mallory
no_card '"email" is missing' --person linus
no_card 'is given as "a@b.org", and the directory "people" has "ada@example.org"' --person ada --holder email=a@b.org
no_card '/issue/holder/further' --person ada --holder shoe-size=38
stop_slapd staff
no_card 'directory "people"' --person ada
start_slapd staff 3890

# --- issue
guide_run people.md "Issue" >/dev/null
holder_of() {
    tessera --json card show "$1" | jq -r ".holder[\"$2\"]"
}
state_of() {
    tessera --json card show "$1" | jq -r .state
}
[ "$(holder_of "$one" name)/$(holder_of "$one" email)/$(holder_of "$one" badge)" = 'Ada Byron/ada@example.org/1815' ] ||
    fail "$(tessera card show "$one")"
expect_failure any tessera card issue --reader 2 --template staff --person ada
[[ $output == *"has the card $one of the template"* ]] || fail "$output"
printf 'serial,person\n%s,eve\n%s,grace\n' "$two" "$two" >batch.csv
expect_failure any tessera card batch batch.csv --template staff --reader 2
[[ $output == *'nobody with the login "eve"'* ]] || fail "$output"
[ "$(holder_of "$two" name)" = 'Grace Hopper' ] || fail "$output"

# --- the day after: nothing has changed
expect_output 'disabled or gone: 0' guide_run people.md "What is watched" "tessera directory check$"
expect_output 'as their directories have them' guide_run people.md "What is watched" "tessera report people"
# Who is down says nothing.
stop_slapd staff
expect_failure any tessera directory check
[[ $output == *'directory "people"'* ]] || fail "$output"
[ "$(state_of "$one")" = issued ] || fail "an error was taken for an end"
start_slapd staff 3890

# --- another name at another place is the same person
printf 'dn: uid=ada,%s\nchangetype: modrdn\nnewrdn: uid=countess\ndeleteoldrdn: 1\n' "$base" | slapd_change staff
change "uid=countess,$base" 'replace: cn' 'cn: Ada King' '-' 'replace: telephoneNumber' 'telephoneNumber: 1843'
expect_output 'changed: 1' tessera directory check
tessera --json report people >found
jq -e --arg card "$one" 'length == 1 and .[0].serial == $card and .[0].state == "present" and
    (.[0].changes | sort_by(.field)) == [{"field": "name", "card": "Ada Byron", "directory": "Ada King"},
        {"field": "user", "card": "ada", "directory": "countess"}]' found >/dev/null || fail "$(cat found)"
expect_output /issue/holder/name guide_run people.md "Names that change" "tessera template drift"
expect_failure any tessera card update "$one"
[[ $output == *'"name"'*'reissue the card'* ]] || fail "$output"
tessera card update "$one" --keep-fields >/dev/null
[ "$one" = yubikey-10000001 ] || fail "the guide means another card than $one"
guide_run people.md "Names that change" "tessera card update" >/dev/null
tessera --json card show "$one" | jq -e '.certificates | any(.subject == "CN=Ada King" and .status == "valid")' >/dev/null ||
    fail "$(tessera card show "$one")"
[ "$(holder_of "$one" badge)" = 1815 ] || fail "what was given is gone"
expect_output 'as their directories have them' tessera report people

# --- disabled, and back
stdbuf -oL busctl --no-pager monitor org.tessera1 >signals 2>&1 &
monitor=$!
wait_for 10 grep -q Monitoring signals
change "uid=countess,$base" 'add: nsAccountLock' 'nsAccountLock: TRUE'
expect_output 'cards suspended: 1' tessera directory check people
[ "$(state_of "$one")" = inactive ] || fail "$(tessera card show "$one")"
tessera --json card show "$one" | jq -e '.reason == "person-disabled" and
    (.certificates | any(.status == "on-hold"))' >/dev/null || fail "$(tessera card show "$one")"
wait_for 10 grep -q 'Member=PersonChanged' signals
kill "$monitor"
tessera --json report people | jq -e '.[0] | .state == "disabled" and .card_state == "inactive"' >/dev/null ||
    fail "$(tessera report people)"
expect_output person-disabled tessera audit list --card "$one"
[ "$(tessera --json audit list --card "$one" --operation suspend | jq -r '.[].actor')" = tesserad ] ||
    fail "$(tessera audit list --card "$one")"
expect_failure any tessera card reissue "$one"
expect_failure 2 tessera card suspend "$two" --reason person-gone
change "uid=countess,$base" 'delete: nsAccountLock'
expect_output 'resumed: 1' tessera directory check
[ "$(state_of "$one")" = issued ] || fail "$(tessera card show "$one")"

# --- a new card in place of the old one is the same person's, and takes what the directory has
stop_slapd staff
expect_failure any tessera card replace "$one" --reader 3
[ "$(tessera --json reader show 3 | jq -r .state)" = unregistered ] || fail "the card was touched"
tessera card replace "$one" --reader 3 --keep-fields >/dev/null
start_slapd staff 3890
[ "$(holder_of "$three" name)" = 'Ada King' ] || fail "$(tessera card show "$three")"

# --- so many at once are not believed
for i in {1..7}; do
    in_store "INSERT INTO person SELECT connection, 'ghost-$i', 'Ghost $i', 'present', since, '', fields, seen_at, '' FROM person
            WHERE name = 'Grace Hopper';
        CREATE TEMPORARY TABLE ghost AS SELECT * FROM credential WHERE serial = '$two';
        UPDATE ghost SET id = 1000 + $i, serial = 'ghost-$i', person_id = 'ghost-$i';
        INSERT INTO credential SELECT * FROM ghost;"
done
expect_failure any tessera directory check
[[ $output == *'7 of 9 people of the directory "people" are disabled or gone at once'*--confirm* ]] || fail "$output"
expect_output '7 of 9 people' tessera audit list --operation people-missing
[ "$(state_of ghost-1)" = issued ] || fail "it was believed"
expect_output 'cards suspended: 7' guide_run people.md "What is watched" "tessera directory check people"
[ "$(state_of ghost-7)" = inactive ] || fail "it was not believed"

# --- gone
printf 'dn: uid=grace,%s\nchangetype: delete\n' "$base" | slapd_change staff
expect_output 'cards suspended: 1' tessera directory check
tessera --json report people | jq -e --arg card "$two" 'map(select(.serial == $card))[0] |
    .state == "gone" and .card_reason == "person-gone"' >/dev/null || fail "$(tessera report people)"
expect_output person-gone tessera audit list --card "$two"
tessera card resume "$two" >/dev/null
expect_output 'cards suspended: 0' tessera directory check
[ "$(state_of "$two")" = issued ] || fail "an operator's word was undone"

# --- the daemon killed at every write of its store: one suspension, and it is told
# shellcheck source=tests/lib/kill-at-write.sh
source "$TESSERA_SOURCE/tests/lib/kill-at-write.sh"
restart_daemon
suspensions() {
    tessera --json audit list --card "$three" --operation suspend | jq length
}
disable() {
    before=$(suspensions)
    change "uid=countess,$base" 'add: nsAccountLock' 'nsAccountLock: TRUE'
}
check() {
    tessera directory check
}
finish_check() {
    tessera directory check >/dev/null
    [ "$(state_of "$three")" = inactive ] || fail "$where: $(tessera card show "$three")"
    # One, which is recorded when it is done: a kill in between leaves that to person-disabled.
    [ $(($(suspensions) - before)) -le 1 ] || fail "$where: $(tessera audit list --card "$three")"
    expect_output '; the card is suspended' tessera audit list --card "$three" --newest --limit 1
    change "uid=countess,$base" 'delete: nsAccountLock'
    tessera directory check >/dev/null
    [ "$(state_of "$three")" = issued ] || fail "$where: $(tessera card show "$three")"
    disable
}
disable
walk check 5
stop_slapd staff
