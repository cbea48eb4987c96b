#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# users of the machine and people of a directory see and help their own cards, by password or polkit, and no others'
# sandbox: --cards blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/polkit.sh
source "$TESSERA_SOURCE/tests/lib/polkit.sh"
# shellcheck source=tests/lib/slapd.sh
source "$TESSERA_SOURCE/tests/lib/slapd.sh"
cd "$TESSERA_SANDBOX/tmp"

as() { # a user of the machine, with nothing of root's
    env -i PATH="$PATH" LC_ALL=C.UTF-8 TESSERA_SOCKET="$TESSERA_SOCKET" ASAN_OPTIONS="${ASAN_OPTIONS:-}" \
        UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" LSAN_OPTIONS="${LSAN_OPTIONS:-}" \
        setsid -w setpriv --reuid "$1" --regid "${1/nobody/nogroup}" --clear-groups "${@:2}"
}
field() {
    tessera --json card show "$1" | jq -r "$2"
}
pin_is() {
    echo "$2" >present
    echo "$2" >next
    tessera card change-pin "$1" --pin-file present --new-pin-file next >/dev/null
}
two_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 2 ]
}
by_password() { # by_password USER LOGIN PASSWORD PIN COMMAND...: typed at standard input
    printf '%s\n' "$3" "$4" | as "$1" tessera self "${@:5}" --login "$2" --stdin
}
wait_for 20 two_cards_are_read
one=yubikey-10000001 other=yubikey-10000002

make_slapd corp
entry() {
    printf 'dn: uid=%s,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: tester\nuid: %s\ncn: %s\nsn: %s\n' \
        "$1" "$slapd_suffix" "$1" "$2" "${2##* }"
    printf 'mail: %s@example.org\nuserPassword: secret of %s\n%s\n\n' "$1" "$1" "${3:-telephoneNumber: 1}"
}
{
    entry ada 'Ada Lovelace'
    entry grace 'Grace Hopper'
    entry mallory 'Mallory Moore' 'nsAccountLock: TRUE'
} | load_slapd corp
start_slapd corp 3890
jq -n --arg base "ou=people,$slapd_suffix" '{name: "corp", kind: "ldap", hosts: ["127.0.0.1:3890"], security: "none",
    bind: {method: "simple", dn: "cn=reader,dc=example,dc=org"}, base: $base}' >corp.json
tessera connection add corp.json >/dev/null
echo 'reader secret' >password
tessera connection secret corp password password >/dev/null

guide_lines self-service.md "People of a directory" "{" >staff.json
tessera template add staff.json >/dev/null
# wrong CHANGE: the same for fields that operators give, whose passwords a directory checks
wrong() {
    jq ".name = \"other\" | .issue = {} | .[\"self-service\"] = {\"unblock\": [\"directory\"]} | $1" staff.json >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"/self-service/directory"*"$2"* ]] || fail "$1 gives: $output"
}
wrong '.["self-service"].directory = "nothing"' nothing
wrong '.["self-service"].directory = "local"' "no directory"
wrong . "has to say which directory"
expect_failure any tessera connection remove corp
[[ $output == *'template "staff"'* ]] || fail "removing the connection says: $output"

echo "# a person of the directory issues a card to themselves, and sets the first PIN"
expect_failure any as nobody tessera card issue --reader 1 --template staff
expect_failure 4 by_password nobody ada wrong 271828 issue --reader 1
told=$output
expect_failure 4 by_password nobody nobody-at-all wrong 271828 issue --reader 1
[ "$output" = "$told" ] || fail "who is not there: $output"
expect_failure 4 by_password nobody mallory 'secret of mallory' 271828 issue --reader 1
[ "$output" = "$told" ] || fail "who is disabled: $output"
expect_failure 4 by_password nobody ada '' 271828 issue --reader 1
[ "$output" = "$told" ] || fail "without a password: $output"
[ "$(tessera --json reader show 1 | jq -r .state)" = unregistered ] || fail "the card was touched"
card_remove 1
guide_lines self-service.md "People of a directory" "tessera self issue" >commands
as nobody "$TESSERA_SOURCE/tests/lib/typist" "Password=secret of ada" "PIN=271828" -- bash -e commands >said 2>&1 ||
    fail "the guide's commands say $(cat said)"
card_insert 1
pin_is $one 271828
[ "$(field $one '.holder | "\(.name) \(.email)"')" = "Ada Lovelace ada@example.org" ] || fail "the holder is $(field $one .holder)"
tessera --json audit list --operation self-issue --newest --limit 1 | jq -e '.[0].outcome == "ok" and
    (.[0].actor | contains("as directory corp ada"))' >/dev/null || fail "the trail has $(tessera --json audit list --operation self-issue --newest --limit 1)"
expect_failure any by_password nobody ada 'secret of ada' 271828 issue --reader 2
expect_failure 4 by_password nobody grace 'secret of grace' 271828 activate $one
expect_failure 4 by_password nobody grace 'secret of grace' 314159 unblock $one

echo "# everybody sees their own cards alone"
by_password nobody grace 'secret of grace' 314159 issue --reader 2 >/dev/null
for who in ada grace; do
    by_password nobody $who "secret of $who" '' --json >cards
    jq -e --arg serial "$([ $who = ada ] && echo $one || echo $other)" 'length == 1 and .[0].serial == $serial' cards >/dev/null ||
        fail "$who sees $(cat cards)"
done
jq -e '.[0].may == ["activate", "report-lost"]' cards >/dev/null || fail "grace may $(cat cards)"
[ "$(as nobody tessera --json self)" = '[]' ] || fail "nobody sees cards"

echo "# the users of the machine have the directory's names here: ada may report a loss as she is, grace not hers"
as ada tessera --json self | jq -e '.[0].serial == "yubikey-10000001" and .[0].may == []' >/dev/null ||
    fail "ada sees $(as ada tessera --json self)"
expect_failure any as ada tessera self lost $other --yes
[ "$(field $other .state)" = issued ] || fail "ada has changed the card of grace"

echo "# unblocked by the directory's password"
expect_failure 4 by_password nobody grace 'secret of grace' 314159 unblock $one
by_password nobody ada 'secret of ada' 314159 unblock >/dev/null
pin_is $one 314159

echo "# a directory that is down is said to be, to everybody alike, and counts for no wrong try"
stop_slapd corp
for who in ada nobody-at-all; do
    for _ in 1 2 3; do
        expect_failure 8 by_password 62010 $who 'secret of ada' 271828 unblock
        [[ $output == *"cannot be asked at present"* ]] || fail "it says $output"
    done
done
tessera --json audit list --operation self-authenticate --newest --limit 1 | jq -e '.[0].outcome != "AccessDenied"' >/dev/null ||
    fail "the trail does not say why"
start_slapd corp 3890
by_password 62010 ada 'secret of ada' 271828 unblock >/dev/null

echo "# five wrong passwords lock the person out, whoever tries and by whichever spelling"
for login in grace GRACE grace@example.org 'CORP\grace' ' grace'; do
    expect_failure 4 by_password 62001 "$login" guess 1 unblock
    [ "$output" = "$told" ] || fail "a wrong password: $output"
done
expect_failure 4 by_password 62002 grace 'secret of grace' ''
[ "$output" = "$told" ] || fail "while locked out: $output"
tessera self-code unlock --person grace --connection corp | grep -q "may try again" || fail "nothing was lifted"
by_password 62002 grace 'secret of grace' '' --json >/dev/null

echo "# polkit: without it nobody is the system's user"
expect_failure 4 as ada tessera self retire --yes --system-user
[[ $output == *"does not answer"* ]] || fail "it says $output"
polkitd=$(find /usr/lib/polkit-1 /usr/libexec -name polkitd 2>/dev/null | head -n 1)
if [ -n "$polkitd" ]; then
    mkdir actions rules empty
    cp "$TESSERA_SOURCE/data/org.tessera1.policy" actions/
    polkit_pcscd_actions yes
    cat >rules/10-test.rules <<'END'
polkit.addRule(function(action, subject) {
    if (action.id == "org.tessera1.self" && subject.user == "ada")
        return polkit.Result.YES;
});
END
    chmod 0755 actions rules
    chmod 0644 actions/* rules/*
    mount --bind actions /usr/share/polkit-1/actions
    mount --bind rules /usr/share/polkit-1/rules.d
    [ ! -d /etc/polkit-1/rules.d ] || mount --bind empty /etc/polkit-1/rules.d
    cp /usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf "$TESSERA_SANDBOX/etc/policy/"
    polkit_answers() {
        bus_call org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1 | grep -q true
    }
    owns_name_again() {
        bus_call org.freedesktop.DBus.NameHasOwner string:org.tessera1 | grep -q true
    }
    stop_bus
    start_bus
    start_part polkitd "$polkitd" --no-debug
    wait_for_part polkitd polkit_answers
    wait_for 20 owns_name_again

    echo "# polkit: who is not let has to authenticate, and nobody is there to ask"
    expect_failure 4 as grace tessera self retire --yes --system-user
    [[ $output == *"wants the user to authenticate"* ]] || fail "it says $output"
    [ "$(field $other .state)" = issued ] || fail "the card of grace was retired"
    expect_failure 4 as ada tessera self retire $other --yes --system-user
    as ada tessera self retire --yes --system-user >/dev/null
    [ "$(field $one .state)" = retired ] || fail "the card is $(field $one .state)"
    tessera --json audit list --operation self-retire --newest --limit 1 | jq -e '.[0].actor | contains("as system-user ada")' >/dev/null ||
        fail "the trail does not say as whom"
    stop_part polkitd TERM
fi

echo "# a code for a person of the directory, whom the operator names"
tessera self-code new --template staff --person grace >/dev/null 2>&1 || true
expect_failure any tessera self-code new --template staff --person nobody-at-all
expect_failure any tessera self-code new --template staff --holder name=Grace
tessera card retire $other --yes >/dev/null
tessera --json self-code new --template staff --person grace | jq -r .code >code
printf '%s\n' "$(cat code)" | as nobody tessera self issue --reader 2 --stdin >/dev/null
[ "$(field $other '.state + " " + .holder.name')" = "issued Grace Hopper" ] || fail "the card is $(field $other .)"
stop_slapd corp
expect_output whole tessera audit verify
