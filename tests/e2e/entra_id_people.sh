#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# people of Entra ID are found as the guide says, page by page, with one token, whatever is typed and whatever Graph does
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/entra.sh
source "$TESSERA_SOURCE/tests/lib/entra.sh"
cd "$TESSERA_SANDBOX/tmp"
guide_run entra-id.md "By a certificate" openssl >/dev/null 2>&1
start_entra 8453
elsewhere=$PWD/entra-8453.control
start_entra 8443 --people 250

# --- the guide
local_urls() {
    jq --argjson here "$(entra_document 8443)" '$here + . + ($here | {"authentication-url", "api-url", "ca-file"})'
}
guide_lines entra-id.md "Add the connection" "{" | local_urls >entra.json
guide_run entra-id.md "Add the connection" "tessera connection add" >said
grep -q '^people: 256 found' said || fail "$(cat said)"
jq '.authentication = "client-certificate"' entra.json >changed.json
mv changed.json entra.json
guide_run entra-id.md "By a certificate" "tessera connection update" >said
grep -q '^token: .*by its certificate' said || fail "$(cat said)"
guide_run entra-id.md "Find people" "tessera directory search" >said
[ "$(grep -c 'Ada Lovelace' said)" = 4 ] || fail "$(cat said)"
guide_lines entra-id.md "Find people" "{" >fields.json
jq -s '.[0] * .[1]' entra.json fields.json >with-fields.json
tessera connection update with-fields.json >/dev/null
[ "$(tessera --json directory show entra alovelace@example.org | jq -c '.fields | [.badge, .phone, .user]')" = \
    '["B-4711",null,"alovelace"]' ] || fail "the guide's fields are not filled"

# --- what is typed
entra_document 8443 >entra.json
tessera connection update entra.json >/dev/null
names() {
    tessera --json directory search entra "$@" | jq -r '[.people[].name] | join(", ")'
}
finds() {
    local wanted=$1
    shift
    [ "$(names "$@")" = "$wanted" ] || fail "'$*' finds '$(names "$@")', not '$wanted'"
}
finds "Ada Lovelace" lov
finds "Ada Lovelace" "ada lo"
finds "Ada Lovelace" alovel
finds "Alan Turing" ALAN.TURING@
finds "Grace Hopper" E000002
finds "Conor O'Neill" "o'neill"
finds 'Zoë "Z" Ångström \ (R&D) 100% + #1' 'zoë "z'
finds 'Zoë "Z" Ångström \ (R&D) 100% + #1' 'R&D'
finds "" '" OR "accountEnabled:false'
finds "" "x') or startsWith(displayName,'"
finds "" "\\"
finds "Ada Lovelace" --field upn=alovelace@example.org
finds "Alan Turing" --field user=alan.turing
finds "Ada Lovelace" --field "phone=+44 20 7946 0001"
finds "Grace Hopper" --field "phone=+1 202 555 0102"
finds "Ada Lovelace" --field sid=S-1-5-21-1004336348-1177238915-682003330-1
finds "Conor O'Neill" --field "surname=O'Neill"
finds "" --field "email=' or accountEnabled eq true or mail eq '"
expect_failure 2 tessera directory search entra --field badge=B-4711
[[ $output == *"fills no field badge"* ]] || fail "$output"
expect_failure 2 tessera directory search entra "$(printf '%0300d' 0)"

# --- one person
[ "$(tessera --json directory show entra cbabbage | jq -c '[.disabled, .reason]')" = \
    '[true,"the account is disabled in Entra ID"]' ] || fail "the disabled account is not shown so"
expect_output "alan.turing" tessera directory show entra alan.turing
expect_failure any tessera directory show entra nobody@example.org
expect_failure any tessera directory show entra "x' or userType eq 'Guest"
expect_failure any tessera directory show entra --id 6e1a0000-4000-8000-0000-0000ffffffff
expect_failure 2 tessera directory show entra --id ../groups
ada=6e1a0000-4000-8000-0000-000000000001
expect_output "Ada Lovelace" tessera directory show entra --id $ada
stand_in '{"change": [2, {"userPrincipalName": "alovelace@other.example"}]}' >/dev/null
expect_failure 2 tessera directory show entra alovelace
[[ $output == *"several people of Entra ID have the login name alovelace"* ]] || fail "$output"
stand_in '{"change": [2, {"userPrincipalName": "ghopper@example.org"}]}' >/dev/null

# --- pages; their cursors are good for this connection alone, and say nothing
page=$(tessera --json directory search entra garcia --limit 9)
next=$(jq -r .next <<<"$page")
[[ $next =~ ^[0-9a-f]{32}$ ]] || fail "the cursor is $next"
tessera --json directory search entra garcia --limit 9 --after "$next" >again
jq -e --argjson first "$page" '(.people[].id) as $id | $first.people | all(.id != $id)' again >/dev/null ||
    fail "a person comes on two pages"
all=$(jq '.people | length' <<<"$page")
pages=1
while [ -n "$next" ]; do
    page=$(tessera --json directory search entra garcia --limit 9 --after "$next")
    next=$(jq -r .next <<<"$page")
    all=$((all + $(jq '.people | length' <<<"$page")))
    pages=$((pages + 1))
done
[ "$all $pages" = "23 3" ] || fail "$all people on $pages pages"
for cursor in x "$(printf '%032d' 0)" "https://localhost:8454/v1.0/users" "0 https://localhost:8444/v1.0/organization"; do
    expect_failure 2 tessera directory search entra garcia --after "$cursor"
    [[ $output == *"begin anew"* ]] || fail "$output"
done
next=$(tessera --json directory search entra garcia --limit 9 | jq -r .next)
expect_failure 2 tessera directory search entra garcia --limit 8 --after "$next"
[[ $output == *"as many people on a page as before"* ]] || fail "$output"
jq '.comment = "changed"' entra.json >changed.json
tessera connection update changed.json >/dev/null
expect_failure 2 tessera directory search entra garcia --after "$next"

# --- one token for all, until it ends, is refused, or the connection changes
tokens() {
    local before
    before=$(counted tokens)
    "$@" >/dev/null
    echo $(($(counted tokens) - before))
}
several() {
    names ada
    names grace
    tessera directory show entra alovelace
}
several >/dev/null
[ "$(tokens several)" = 0 ] || fail "a token was not kept"
stand_in '{"expire": true}' >/dev/null
[ "$(tokens several)" = 1 ] || fail "a token that is refused is not replaced once"
tessera connection update entra.json >/dev/null
[ "$(tokens several)" = 1 ] || fail "a changed connection does not get a token of its own"
tessera connection secret entra client-secret client-secret >/dev/null
[ "$(tokens several)" = 0 ] || fail "the same secret got another token"
knob '{"expires-in": 1}'
stand_in '{"expire": true}' >/dev/null
several >/dev/null
sleep 2
[ "$(tokens names ada)" = 1 ] || fail "a token is used beyond its end"
no_knobs
jq '.comment = "another token"' entra.json >changed.json
tessera connection update changed.json >/dev/null
[ "$(tokens several)" = 1 ] || fail "a changed connection does not get a token of its own"
knob '{"fail": {"status": 401, "times": 9, "code": "InvalidAuthenticationToken"}}'
[ "$(tokens expect_failure any names ada)" = 1 ] || fail "a refused token is not replaced exactly once"
no_knobs

# --- groups, those inside others too
jq '.groups = ["a0000000-0000-4000-8000-000000000001"]' entra.json >changed.json
tessera connection update changed.json >/dev/null
finds "Ada Lovelace, Charles Babbage, Grace Hopper"
finds "Grace Hopper" ghop
finds "" turing
[[ $(tessera --json directory show entra alan.turing | jq -c '[.disabled, .reason]') == '[true,'*"none of the connection's groups"* ]] ||
    fail "who is in no group is shown as if they were"
[ "$(tessera --json directory show entra --id $ada | jq .disabled)" = false ] || fail "a member is shown as none"
jq '.groups = ["a0000000-0000-4000-8000-000000000002", "a0000000-0000-4000-8000-000000000003"]' entra.json >changed.json
tessera connection update changed.json >/dev/null
next=$(tessera --json directory search entra --limit 2 | jq -r .next)
[ "$(names --limit 2 --after "$next")" = "Ada Lovelace, Alan Turing" ] || fail "the second group does not follow the first"
tessera connection update entra.json >/dev/null

# --- Graph's faults: answered, or one clear error
try_faults() {
    local knobs=$1 wanted=$2
    shift 2
    knob "$knobs"
    if [ -z "$wanted" ]; then
        [ "$("$@")" = "Ada Lovelace" ] || fail "$knobs: not found"
    else
        expect_failure any "$@"
        [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$knobs: not one clear error: $output"
        [[ $output == *"$wanted"* ]] || fail "$knobs: '$wanted' is not in: $output"
        [ "${#output}" -lt 700 ] || fail "$knobs: the error is ${#output} bytes long"
        [[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"
    fi
    no_knobs
}
ada() {
    tessera --json directory search entra lovelace | jq -r '.people[].name'
}
answered() {
    try_faults "$1" "" ada
}
refused() {
    try_faults "$1" "$2" tessera directory search entra lovelace
}
answered '{"lose-answer": 1}'
answered '{"cut-answer": 1}'
answered '{"truncate": 1}'
answered '{"html": 1}'
answered '{"close-idle": 1}'
answered '{"empty-pages": 1}'
answered '{"fail": {"status": 429, "retry-after": "1", "times": 1}}'
answered '{"fail": {"status": 503, "retry-after": "1", "times": 1}}'
answered '{"fail": {"status": 500, "times": 1}}'
answered '{"fail": {"status": 401, "times": 1}}'
refused '{"truncate": 2}' "no whole JSON"
refused '{"html": 2}' "Loading"
refused '{"oversize": 2}' "longer than"
refused '{"slow": 1}' "no whole answer within 5 seconds"
refused '{"fail": {"status": 429, "retry-after": "1000"}}' "asks to wait 1000 seconds"
refused '{"fail": {"status": 503, "times": 9}}' "it is busy; try again later"
refused '{"fail": {"status": 403, "code": "Authorization_RequestDenied", "message": "No \u001b[2J"}}' "User.Read.All"
refused '{"redirect": "https://localhost:8454/v1.0/users"}' "redirects to https://localhost:8454/v1.0/users, which is not followed"
refused '{"next-link": "https://localhost:8454/v1.0/users?a=x"}' "at another address than https://localhost:8444/v1.0"
refused '{"next-link": "https://localhost:8444/v1.0/../beta/users"}' "at another address"
refused '{"answer": "[1]"}' "no whole JSON"
refused '{"answer": "{\"value\": {}}"}' "not Graph"
refused '{"answer": "{\"value\": [{\"id\": 1}]}"}' "no person"
refused '{"answer": "{\"value\": [], \"value\": []}"}' "no whole JSON"
refused '{"people-are": {"id": "../x"}}' "no person"
refused '{"people-are": {"accountEnabled": null}}' "whether the account"
deep=$(printf '%05000d' 0)
refused "{\"answer\": \"${deep//0/[}\"}" "no whole JSON"
[ "$(stand_in_control=$elsewhere counted requests)" = 0 ] || fail "another host was asked"

# The first page twice, a person twice, values that nobody can have.
knob '{"next-link": "loop"}'
next=$(tessera --json directory search entra garcia --limit 2 | jq -r .next)
expect_failure any tessera directory search entra garcia --limit 2 --after "$next"
[[ $output == *"same page"* ]] || fail "$output"
no_knobs
knob '{"duplicate": true}'
finds "Ada Lovelace" alovelace --limit 100
no_knobs
knob "{\"people-are\": {\"displayName\": \"$(printf '%02000d' 0)\", \"department\": \"\\u001b[2J\", \"mail\": 7}}"
tessera --json directory search entra alovelace >person
jq -e '.people[0] | .name == "alovelace@example.org" and (.fields | has("name") or has("department") or has("email") | not)' \
    person >/dev/null || fail "$(cat person)"
no_knobs

# A person who is gone is so for certain alone.
expect_output "Ada Lovelace" tessera directory show entra --id $ada
knob '{"fail": {"status": 404, "code": "Odd", "times": 9}}'
expect_failure any tessera directory show entra --id $ada
[[ $output != *"has nobody"* ]] || fail "$output"
no_knobs
stand_in '{"remove": 1}' >/dev/null
expect_failure any tessera directory show entra --id $ada
[[ $output == *"has nobody with the id"* ]] || fail "$output"

! grep -rqF "$(cat client-secret)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the secret is in a log or the store"
! grep -rq "eyJ0eXAi" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "a token is in a log or the store"
stop_entra 8443
expect_failure any tessera directory search entra lovelace
[[ $output == *"does not take connections"* ]] || fail "$output"
stop_entra 8453
