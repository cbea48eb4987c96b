#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# people see and help their own cards alone, by proofs that the template takes, and strangers learn nothing
# sandbox: --cards blank,blank --vcard-option 0:--serial=12345678
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"

# As a program before the login has it: no rights, no home, no session, no terminal.
as() {
    env -i PATH="$PATH" LC_ALL=C.UTF-8 TESSERA_SOCKET="$TESSERA_SOCKET" ASAN_OPTIONS="${ASAN_OPTIONS:-}" \
        UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" LSAN_OPTIONS="${LSAN_OPTIONS:-}" \
        setsid -w setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"
}
as_nobody() {
    as nobody nogroup "$@"
}
as_ada() {
    as ada ada "$@"
}
field() {
    tessera --json card show "$1" | jq -r "$2"
}
records() { # records FILTER [jq]
    tessera --json audit list --operation self-authenticate --limit 1000 | jq -c "${1:-.}"
}
types() { # guide_lines ... | types PROMPT=ANSWER...: its command, at a terminal of nobody's
    local line
    line=$(sed -n 's|^\(ExecStart=/usr/bin/\)\?tessera|tessera|p')
    [ -n "$line" ] || fail "the guide has no such line"
    as_nobody "$TESSERA_SOURCE/tests/lib/typist" "$@" -- bash -c "$line" >said 2>&1 || fail "'$line' says: $(cat said)"
}
two_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 2 ]
}
new_code() {
    tessera --json self-code new "$@" | jq -r .code
}
unblock_with() { # unblock_with CODE PIN: as the guide's example before the login does
    printf '%s\n%s\n' "$1" "$2" | as_nobody tessera self unblock --stdin
}
pin_is() { # pin_is CARD PIN
    echo "$2" >present
    echo "$2" >next
    tessera card change-pin "$1" --pin-file present --new-pin-file next >/dev/null
}
# with FILTER: the guide's template, with a change
with() {
    jq "$1" staff.json
}
refused() {
    with "$1" >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"$2"*"$3"* ]] || fail "$1 gives: $output"
}
wait_for 20 two_cards_are_read
one=yubikey-12345678 other=yubikey-10000002

guide_lines self-service.md "What people may do" "{" >staff.json

echo "# what a template says that cannot be is refused with its place"
refused '.["self-service"].unblock = ["badge"]' /self-service/unblock/0 "card, user-id, system-user, directory, code"
refused '.["self-service"].unblock = ["code", "code"]' /self-service/unblock/1 "twice"
refused '.["self-service"].unblock = []' /self-service/unblock ""
refused '.["self-service"].unblock = "code"' /self-service/unblock "an array"
refused '.["self-service"].activate = ["card"]' /self-service/activate/0 "no"
refused '.["self-service"].activate = true' /self-service/activate "/issue/by"
refused '.["self-service"].unblock = ["user-id"]' /self-service/unblock "system-users"
refused '.["self-service"].unblock = ["directory"]' /self-service/unblock "/self-service/directory"
refused '.issue = {"authentication": ["code"]}' /issue/authentication "/issue/by user"
refused '.issue = {"by": "user", "authentication": ["code", "user-id"]}' /issue/by "system-user"
refused '.["self-service"].issue = true' /self-service/issue ""
with . | tessera template add - >/dev/null
tessera template show staff --json >shown.json
jq -e '.["self-service"].unblock == ["code", "card"]' shown.json >/dev/null || fail "it is shown as $(cat shown.json)"

echo "# two cards, of two people"
tessera card issue --reader 1 --template staff --holder name='Ada Lovelace' --holder upn=ada@example.org >/dev/null
tessera card issue --reader 2 --template staff --holder name='Grace Hopper' --holder upn=grace@example.org >/dev/null
expect_output "You have no card" as_nobody tessera self
[ "$(as_ada tessera --json self)" = '[]' ] || fail "ada is shown $(as_ada tessera --json self)"

echo "# the first PIN by a code that an operator gives; it is shown once and kept as a hash"
code=$(new_code $one)
[[ $code =~ ^[2-9A-Z]{4}(-[2-9A-Z]{4}){3}$ ]] || fail "the code is $code"
tessera --json self-code list | jq -e --arg code "${code:0:4}" 'length == 1 and .[0].code == $code and
    .[0].purpose == "activate" and .[0].card == "yubikey-12345678" and .[0].failures == 0' >/dev/null ||
    fail "the list is $(tessera --json self-code list)"
secret=${code//-/}
! grep -qa "${secret:4}" "$TESSERA_STATE"/tessera.db* || fail "the code is in the store"
expect_failure 4 unblock_with "$code" 271828 # it is for another purpose
printf '%s\n271828\n' "${code,,}" | as_nobody tessera self activate --stdin >/dev/null
pin_is $one 271828
expect_failure 4 unblock_with "$code" 314159 # nor does it work twice
[ "$(tessera --json self-code list)" = '[]' ] || fail "a used code is listed"
[ "$(field $other .state)" = issued ] || fail "the other card is $(field $other .state)"
tessera card activate $other --new-pin-file present >/dev/null

echo "# unblocked before the login: a blocked card, a code, a new PIN, and nobody's rights"
block() {
    echo 000000 >wrong
    for _ in 1 2 3; do
        expect_failure any tessera card change-pin "$1" --pin-file wrong --new-pin-file next
    done
}
block $one
code=$(new_code $one --hours 1)
expect_failure 5 unblock_with "$code" 12 # a PIN that is refused leaves the code good
expect_output "unblocked" unblock_with "$code" 314159
pin_is $one 314159
printf '%s\n' "$code" >code
chmod 644 code
expect_failure 4 as_nobody tessera self --code-file code
tessera --json audit list --operation self-unblock --card $one --newest --limit 1 >record
jq -e --arg who "as code ${code:0:4}" '.[0].outcome == "ok" and (.[0].actor | contains($who)) and .[0].operator == null' \
    record >/dev/null || jq -e --arg who "as code ${code:0:4}" '.[0].outcome == "ok" and (.[0].actor | contains($who))' record >/dev/null ||
    fail "the trail has $(cat record)"

echo "# with a code one sees that card alone, and can do with it what the code is for"
code=$(new_code $one)
printf '%s\n' "$code" >code
as_nobody tessera --json self --code-file code | jq -e --arg one $one 'length == 1 and .[0].serial == $one and
    .[0].may == ["unblock"] and .[0].state == "active" and .[0].expires_at > now' >/dev/null ||
    fail "the code shows $(as_nobody tessera --json self --code-file code)"
expect_failure 4 as_nobody tessera self unblock $other --code-file code
[ "$(field $other .state)" = active ] || fail "the other card was changed"
expect_failure 4 as_nobody tessera self lost --yes --code-file code
expect_failure 4 as_ada tessera card unblock $one --new-pin-file next

echo "# who may give which code"
expect_failure any tessera self-code new $one --for issue
expect_failure 2 tessera self-code new $one --hours 0
expect_failure 2 tessera self-code new $one --hours 337
expect_failure any tessera self-code new $one --for activate
[[ $output == *"active"* ]] || fail "it says $output"
expect_failure any tessera self-code new 1
[[ $output == *"own card"* ]] || fail "an own card: $output"
expect_failure 4 as_ada tessera self-code list
expect_failure any as_ada tessera self-code new 2
tessera self-code remove "${code:0:4}" >/dev/null
expect_failure 4 unblock_with "$code" 271828

echo "# a stranger is told the same, whatever is wrong: words, status, time and what the trail shows"
live=$(new_code $one)
stranger=62001
as_stranger() { # another user each time: a user's tries are counted by the minute, too
    stranger=$((stranger + 1))
    as $stranger $stranger "$@"
}
tell() { # tell CODE: what a stranger is told, and how long it takes; the record goes to "recorded"
    local before=${EPOCHREALTIME/./}
    # shellcheck disable=SC2016
    expect_failure 4 as_stranger sh -c 'printf "%s\n271828\n" "$1" | tessera self unblock --stdin' - "$1"
    echo "$output, after $(((${EPOCHREALTIME/./} - before) / 1000000)) s" | sed 's/[2-9] s$/1 s/'
    records '.[-1] | del(.id, .time, .hash, .actor) | tojson' | sed 's/code [A-Z0-9?]*/code N/' >recorded
}
tell "${live:0:5}AAAA-AAAA-AAAA" >live-wrong
cp recorded live-wrong-recorded
for code in 2222-AAAA-AAAA-AAAA "$secret" x; do
    tell "$code" >other
    diff live-wrong other || fail "'$code' tells something"
    diff live-wrong-recorded recorded || fail "'$code' is recorded otherwise"
done
grep -q ', after 1 s' live-wrong || fail "$(cat live-wrong)"

echo "# five wrong tries lock a code and its card for everybody, also when the daemon starts anew"
for _ in 1 2 3 4; do
    tell "${live:0:5}BBBB-BBBB-BBBB" >/dev/null
done
second=$(new_code $one)
for code in "$live" "$second"; do
    tell "$code" >other
    diff live-wrong other || fail "the lock-out tells something"
    [[ $(cat recorded) == *"locked out"* ]] || fail "the trail does not say that it is: $(cat recorded)"
done
kill_daemon
start_daemon
tell "$second" >other
diff live-wrong other || fail "a restart ends the lock-out"

echo "# an operator ends it"
expect_failure 4 as_ada tessera self-code unlock $one
expect_output "may try again" tessera self-code unlock $one
expect_output "no wrong tries" tessera self-code unlock $one
expect_output unblocked unblock_with "$second" 271828
pin_is $one 271828
tessera --json audit list --operation lift-lock-out | jq -e '.[-1].outcome == "ok" and .[-1].operator != ""' >/dev/null ||
    fail "the trail does not say who lifted it"

echo "# one user's tries are few within a minute"
for number in {1..26}; do
    as 62000 62000 sh -c 'echo x | tessera self --stdin' >"try-$number" 2>&1 &
done
wait
[ "$(grep -l "this was not accepted" try-* | wc -l)" = 20 ] || fail "so many were looked at: $(sort try-* | uniq -c)"
[ "$(grep -l "wait for the next one" try-* | wc -l)" = 6 ] || fail "so many were not: $(sort try-* | uniq -c)"

echo "# reissued, reported lost and given back, each by a code of its own"
by_code() { # by_code PURPOSE COMMAND...
    new_code "$one" --for "$1" >code
    as_nobody tessera self "${@:2}" --code-file code >/dev/null
}
by_code reissue reissue
[ "$(field $one .state)" = issued ] || fail "the card is $(field $one .state)"
new_code $one >code
as_nobody tessera --json self activate --generate-pin --code-file code | jq -e '.pin | length >= 6' >/dev/null ||
    fail "no PIN was made"
by_code report-lost lost --yes
[ "$(field $one '.state + " " + .reason')" = "inactive lost" ] || fail "the card is $(field $one '.state + " " + .reason')"
by_code retire retire --yes
[ "$(field $one .state)" = retired ] || fail "the card is $(field $one .state)"

echo "# a card that is issued to whom the operator has named, as the guide says"
guide_lines self-service.md "Cards for visitors" "{" | tessera template add - >/dev/null
expect_failure any tessera self-code new --template visitor --holder name=Barbara
expect_failure any tessera self-code new --template staff --holder name=Barbara --holder upn=b@example.org
guide_run self-service.md "Cards for visitors" "tessera self-code new" >shown
code=$(sed -n 's/^one-time code: \([^ ]*\) .*/\1/p' shown)
echo K7M2-AAAA-AAAA-AAAA >wrong
expect_failure 4 as_nobody tessera self issue --reader 1 --template visitor --code-file wrong
card_remove 1
guide_lines self-service.md "Cards for visitors" "tessera self issue" | types "One-time=$code" "PIN=271828"
[ "$(field $one '.state + " " + .holder.upn')" = "active barbara@example.org" ] || fail "the card is $(field $one .)"
printf '%s\n' "$code" >code
expect_failure 4 as_nobody tessera self issue --reader 1 --code-file code

echo "# the rest of the guide"
tessera card retire $one --yes >/dev/null
tessera card issue --reader 1 --template staff --holder name='Ada Lovelace' --holder upn=ada@example.org >/dev/null
tessera card activate $one --new-pin-file present >/dev/null
guide_run self-service.md "Your own cards" >/dev/null
give_as_the_guide() {
    guide_run self-service.md "Give a code" 'tessera self-code new yubikey-12345678$' >shown
    code=$(sed -n 's/^one-time code: \([^ ]*\) .*/\1/p' shown)
}
give_as_the_guide
guide_lines self-service.md "Use it" "tessera self unblock" | types "One-time=$code" "PIN=314159"
pin_is $one 314159
give_as_the_guide
guide_lines self-service.md "Before the login" "[Unit]" | types "One-time=$code" "PIN=161803"
pin_is $one 161803
give_as_the_guide
as_nobody env code="$code" pin=271828 bash -c "$(guide_lines self-service.md "Use it" "printf")" >/dev/null
pin_is $one 271828
guide_run self-service.md "Give a code" "tessera self-code new yubikey-12345678 --for" >/dev/null
guide_run self-service.md "When it is not accepted" "tessera audit" >/dev/null
guide_run self-service.md "When it is not accepted" "tessera self-code unlock" >/dev/null
expect_output whole tessera audit verify
