#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a user without any right issues a card to themselves, and to nobody else, where a template says so
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"

as() {
    env -u TESSERA_SESSION setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}
field() {
    tessera --json card show "$1" | jq -r "$2"
}
two_cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state == "unregistered")] | length')" = 2 ]
}
refusals() {
    tessera --json audit list --operation "$1" --limit 1000 | jq '[.[] | select(.outcome != "ok")] | length'
}
# with FILTER: the template below, with a change
with() {
    jq "$1" <<'END_OF_TEMPLATE'
{"name": "own", "card-type": "piv",
 "issue": {"by": "user", "holder": {"from": "system-user"}},
 "self-service": {"activate": true},
 "keys": [{"slot": "authentication", "algorithm": "ec-p256",
           "certificate": {"authority": "local", "profile": "smartcard-logon",
                           "subject": [["CN", "{name}"], ["UID", "{user}"]],
                           "san": {"upn": "{user}@example.org"}}}]}
END_OF_TEMPLATE
}
refused() {
    with "$1" >wrong.json
    expect_failure 2 tessera template add wrong.json
    [[ $output == *"$2"*"$3"* ]] || fail "$1 gives: $output"
}
wait_for 20 two_cards_are_read
one=yubikey-10000001 other=yubikey-10000002
echo 271828 >pin
echo 314159 >other-pin
echo 1 >short
chmod 644 pin other-pin short

echo "# what does not fit together is refused"
refused '.issue.holder.from = "fields"' /issue/by system-user
refused 'del(.issue.holder)' /issue/by system-user
refused '.issue.by = "operator"' /issue/holder "/issue/by must be user"
refused '.operator = {"kind": "operator"}' /issue/by "no operators"
refused '.keys[0].certificate.san.email = "{email}"' /issue "{email}"
refused '.issue = {} ' /self-service/activate "users issue"
refused '.issue.by = "anyone"' /issue/by "operator, user"

with . | tessera template add - >/dev/null
with '.name = "ready" | .issue["auto-initiate"] = true | .["pin-policy"] = {"holder-data": "refused"}' |
    tessera template add - >/dev/null
[ "$(tessera --json template list | jq -c '.[] | select(.name == "own") | .required_fields')" = '[]' ] ||
    fail "fields are asked for"
# The sandbox's own user database: a full name for ada, none for grace.
sed 's/^\(ada:.*:\):\(.*:.*\)$/\1Ada Lovelace,Room 1:\2/' /etc/passwd >passwd
cat passwd >/etc/passwd

echo "# only to themselves, and only by such a template"
expect_failure 4 as ada tessera card issue --reader 1 --template ec --holder name=Ada
expect_failure 4 as ada tessera card issue --reader 1 --template nothing
expect_failure 2 as ada tessera card issue --reader 1 --template own --holder user=grace
[[ $output == *"no fields are given"* ]] || fail "fields are refused so: $output"
expect_failure 4 as ada tessera card issue --reader 1 --template own --roles auditor
expect_failure 2 tessera card issue --reader 1 --template own --holder name=Ada
expect_failure 2 as ada tessera card issue --reader 1 --template ready
[[ $output == *"a PIN is needed"* ]] || fail "it says: $output"
[ "$(tessera --json reader show 1 | jq -r .state)" = unregistered ] || fail "a refused card was touched"

echo "# the holder is who called, as the user database has them"
as ada tessera card issue --reader 1 --template own >/dev/null
[ "$(field $one '.holder | "\(.user) \(.uid) \(.name)"')" = "ada $(id -u ada) Ada Lovelace" ] ||
    fail "the holder is $(field $one .holder)"
[ "$(field $one .state)" = issued ] || fail "the card is $(field $one .state)"
tessera card certificate $one authentication >certificate.pem
openssl x509 -in certificate.pem -noout -subject -nameopt RFC2253 | grep -qx 'subject=UID=ada,CN=Ada Lovelace' ||
    fail "the subject is $(openssl x509 -in certificate.pem -noout -subject)"
[[ $(tessera --json audit list --operation self-issue --newest --limit 1) == *"uid=$(id -u ada)"* ]] ||
    fail "the trail does not say who issued"

echo "# the first PIN is theirs alone to set, without an operator"
expect_failure 4 as grace tessera card activate reader:1 --new-pin-file pin
expect_failure 4 as ada tessera card unblock reader:1 --new-pin-file pin
expect_failure 5 as ada tessera card activate reader:1 --new-pin-file short
as ada tessera card activate reader:1 --new-pin-file pin >/dev/null
[ "$(field $one .state)" = active ] || fail "the card is $(field $one .state)"
as ada tessera card change-pin reader:1 --pin-file pin --new-pin-file other-pin >/dev/null

echo "# one card for each user and template, until it is retired or replaced"
expect_failure 1 as ada tessera card issue --reader 2 --template own
[[ $output == *"the card $one"*already* ]] || fail "a second card is refused so: $output"
tessera card revoke $one --reason privilegeWithdrawn --yes >/dev/null
expect_failure 1 as ada tessera card issue --reader 2 --template own
expect_failure any tessera card reissue $one --template ec --holder name=Eve --holder email=e@x --holder upn=e@x
[[ $output == *"a user has issued this card"* ]] || fail "another template is refused so: $output"
expect_failure 2 tessera card reissue $one --holder name=Eve
tessera card replace $one --reader 2 >/dev/null
[ "$(field $other .holder.user)" = ada ] || fail "the new card is not ada's: $(field $other .holder)"
as ada tessera card activate reader:2 --new-pin-file pin >/dev/null
expect_failure 1 as ada tessera card issue --reader 1 --template own
tessera card retire $one --yes >/dev/null
tessera card retire $other --yes >/dev/null

echo "# with the first PIN at issue; the PIN is none of their names"
printf '%s\n' "$(id -u ada)123" >named
chmod 644 named
expect_failure 5 as ada tessera card issue --reader 1 --template ready --new-pin-file named
made=$(as ada tessera --json card issue --reader 1 --template ready --generate-pin | jq -r .pin)
[ "$(field $one .state)" = active ] || fail "the card is $(field $one .state)"
printf '%s\n' "$made" >made
chmod 644 made
as ada tessera card change-pin reader:1 --pin-file made --new-pin-file pin >/dev/null
as grace tessera card issue --reader 2 --template ready --new-pin-file pin >/dev/null
[ "$(field $other '.holder | "\(.user) \(.name)"')" = "grace grace" ] || fail "the holder is $(field $other .holder)"
expect_failure any tessera card reissue $other --template ec
tessera card retire $other --yes >/dev/null

echo "# a user id that has passed to somebody else"
as grace tessera card issue --reader 2 --template own >/dev/null
sed "s/^grace:/hopper:/" /etc/passwd >passwd
cat passwd >/etc/passwd
expect_failure 4 setpriv --reuid 61003 --regid 61003 --clear-groups env -u TESSERA_SESSION \
    tessera card activate reader:2 --new-pin-file pin
sed "s/^hopper:/grace:/" /etc/passwd >passwd
cat passwd >/etc/passwd
as grace tessera card activate reader:2 --new-pin-file pin >/dev/null

echo "# an operator's template of the same name takes the right away, and refusals do not fill the trail"
with '.issue = {} | .["self-service"] = {} | .keys[0].certificate.san = {} | .keys[0].certificate.subject = [["CN", "{name}"]]' |
    tessera template update - >/dev/null
tessera card retire $other --yes >/dev/null
expect_failure 4 as grace tessera card issue --reader 2 --template own
before=$(refusals self-issue)
for _ in {1..40}; do
    expect_failure any as ada tessera card issue --reader 2 --template ready
done
[ $(($(refusals self-issue) - before)) -le 31 ] || fail "a user's refusals fill the trail"

echo "# as the guide says"
guide_lines templates.md "Cards that users issue to themselves" "{" >guide.json
tessera template update guide.json >/dev/null
guide_lines templates.md "Cards that users issue to themselves" "tessera card issue" |
    sed -e 's/issue/& --reader 2/' -e 's/activate/& reader:2 --new-pin-file pin/' -e '/./s/^/as grace /' >guide
eval "$(cat guide)" >/dev/null
[ "$(field $other .state)" = active ] || fail "the guide leaves the card $(field $other .state)"
expect_output whole tessera audit verify
