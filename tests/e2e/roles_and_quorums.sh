#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# custom roles and quorums hold over the bus, change at once, escalate to nothing and survive a restart
#
# The cards: three operators' and a holder's.
# sandbox: --cards blank,blank,blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >pin

make_operator() {
    tessera card issue --reader "$1" --template operator --roles "$2" --holder name="$3" >/dev/null
    tessera card activate "yubikey-1000000$1" --new-pin-file pin >/dev/null
}
# as N COMMAND...: with the login of the operator whose card is in reader N alone.
as() {
    env -u TESSERA_SESSION tessera login --reader "$1" --pin-file pin -- "${@:2}"
}
# both N M COMMAND...: with the logins of two.
both() {
    env -u TESSERA_SESSION tessera login --reader "$1" --pin-file pin -- \
        tessera login --reader "$2" --pin-file pin -- "${@:3}"
}
# denied TEXT COMMAND...
denied() {
    local text=$1
    shift
    expect_failure 4 "$@"
    [[ $output == *"$text"* ]] || fail "'$*' says: $output"
}
in_use() {
    local text=$1
    shift
    expect_failure 7 "$@"
    [[ $output == *"$text"* ]] || fail "'$*' says: $output"
}
permissions_of() {
    tessera --json role list | jq -r ".[] | select(.name == \"$1\") | .permissions"
}

# --- a custom role is what it says, over the bus
tessera role add night-desk --permissions view-cards,unblock --description 'Unblocks at night.' >/dev/null
[ "$(permissions_of night-desk)" = "view-cards unblock" ] || fail "$(tessera role list)"
expect_output 'unblock cards' tessera role show night-desk
expect_failure any tessera role add night-desk --permissions issue
expect_failure any tessera role add elevated --permissions issue
expect_failure 2 tessera role add 'Night Desk' --permissions issue
expect_failure 2 tessera role add other
expect_failure 2 tessera role add other --permissions issue,fly
[[ $output == *'no permission "fly"'* ]] || fail "it says: $output"
for permission in manage-owners anyone holder; do
    expect_failure 2 tessera role add other --permissions issue,$permission
done
expect_failure 3 tessera role show other
expect_failure 3 tessera role change other --permissions issue
expect_failure 3 tessera role remove other
denied shipped tessera role change auditor --permissions issue
denied shipped tessera role remove auditor

make_operator 1 night-desk 'Ada Lovelace'
make_operator 2 system-administrator 'Grace Hopper'
make_operator 3 system-administrator 'Barbara Liskov'
expect_output yubikey-10000002 as 1 tessera card list
denied "do not let one issue cards" as 1 tessera card issue --reader 4 --template ec
denied "do not let one" as 1 tessera card suspend yubikey-10000002
denied "do not let one" as 1 tessera role add other --permissions unblock

# --- a change counts at once, within a login, and after a restart
# shellcheck disable=SC2016
as 1 bash -c '
    tessera card list >/dev/null && ! tessera audit list 2>/dev/null &&
    TESSERA_SESSION=$1 tessera role change night-desk --permissions view-cards,unblock,read-audit &&
    tessera audit list >/dev/null &&
    TESSERA_SESSION=$1 tessera role change night-desk --permissions unblock &&
    ! tessera audit list 2>/dev/null && ! tessera card list 2>/dev/null
' - "$TESSERA_SESSION" >changed.log 2>&1 || fail "$(cat changed.log)"
expect_output 'Unblocks at night.' tessera role show night-desk
tessera role change night-desk --permissions view-cards,unblock --description 'At night.' >/dev/null
restart_daemon
wait_for 20 as 1 tessera card list >/dev/null
[ "$(permissions_of night-desk)" = "view-cards unblock" ] || fail "$(tessera role list)"
expect_output 'At night.' tessera role show night-desk
denied "do not let one" as 1 tessera audit list

# --- templates name custom roles; what is in use stays
tessera template show ec | jq '.unblock.roles = ["no-such"]' >unblock.json
expect_failure 2 tessera template update unblock.json
[[ $output == */unblock/roles/0*'no role'* ]] || fail "it says: $output"
tessera template show ec | jq '.unblock.roles = ["night-desk"]' | tessera template update - >/dev/null
in_use 'lets the role "night-desk" unblock' tessera role change night-desk --permissions view-cards
in_use 'has the role "night-desk"' tessera role remove night-desk
tessera card issue --reader 4 --template ec --holder name=Eve --holder email=eve@example.org \
    --holder upn=eve@example.org >/dev/null
tessera card activate yubikey-10000004 --new-pin-file pin >/dev/null
denied 'no role' as 2 tessera card unblock yubikey-10000004 --new-pin-file pin
as 1 tessera card unblock yubikey-10000004 --new-pin-file pin >/dev/null
tessera operator set yubikey-10000001 --roles restricted >/dev/null
in_use 'template "ec"' tessera role remove night-desk
tessera template show ec | jq 'del(.unblock)' | tessera template update - >/dev/null
# A card has the earlier version still.
in_use 'template "ec"' tessera role remove night-desk
tessera card update yubikey-10000004 >/dev/null
tessera role remove night-desk >/dev/null
expect_failure 2 tessera operator set yubikey-10000001 --roles night-desk

# --- as the guide says
guide_lines operators.md "Custom roles" | sed 's/yubikey-12345678/yubikey-10000001/' >guide
bash -e guide >guide.log 2>&1 || fail "the guide's page fails: $(cat guide.log)"

# --- nobody gets more than there is to give
tessera role add staff --permissions view-cards,view-settings,issue,activate,unblock,reissue,manage-operators >/dev/null
tessera role add clerk --permissions view-cards >/dev/null
tessera operator set yubikey-10000001 --roles staff >/dev/null
denied 'own role' as 1 tessera role add mighty --permissions view-cards,revoke
denied revoke as 1 tessera role change clerk --permissions view-cards,revoke
denied "the own card has" as 1 tessera role change staff --permissions view-cards
denied "the own card has" as 1 tessera role remove staff
as 1 tessera role change clerk --permissions view-cards,issue >/dev/null
denied "own roles" as 1 tessera operator set yubikey-10000002 --roles clerk
denied "own roles" as 1 tessera operator remove yubikey-10000002
before=$(tessera --json audit list --operation unblock --outcome AccessDenied | jq length)
denied "own roles" as 1 tessera card unblock yubikey-10000002 --new-pin-file pin
[ "$(tessera --json audit list --operation unblock --outcome AccessDenied | jq length)" = $((before + 1)) ] ||
    fail "a refusal is not recorded once"
denied "own roles" as 1 tessera card reissue yubikey-10000002
denied "own roles" as 1 tessera card issue --reader 4 --template operator --roles elevated
denied "own card" as 1 tessera operator set yubikey-10000001 --roles system-administrator
# An administrator appoints who recovers keys, and cannot put that into a role.
as 2 tessera operator set yubikey-10000001 --roles key-recovery,staff >/dev/null
denied recover-keys as 2 tessera role add savers --permissions recover-keys
both 1 2 tessera role add savers --permissions recover-keys >/dev/null 2>&1
tessera role remove savers >/dev/null
denied recover-keys as 3 tessera role change clerk --permissions recover-keys

# --- quorums
[ "$(tessera --json quorum list | jq -c '[.[] | .count] | unique')" = '[1]' ] || fail "$(tessera quorum list)"
expect_failure 2 tessera quorum set issue 2
expect_failure 2 tessera quorum set rotate-keys 0
expect_failure 2 tessera quorum set rotate-keys 9
as 2 tessera quorum set rotate-keys 2 >/dev/null
denied "takes 2 operators, and 1 of them is logged in" as 2 tessera key rotate --yes
[[ $output == *'tessera login --reader'* ]] || fail "it says: $output"
# The helper of a quorum has to have the right, too.
denied "and 1 of them is" both 1 2 tessera key rotate --yes
denied "takes 2" tessera key rotate --yes
both 2 3 tessera key rotate --yes >/dev/null 2>&1 || fail "two administrators are no quorum"
tessera --json audit list --operation rotate-master-key --newest | jq -r '.[0].operator' >named
[ "$(wc -w <named)" = 2 ] || fail "the audit record names $(cat named)"
[ "$(tessera --json audit list --outcome QuorumMissing | jq length)" -ge 3 ] ||
    fail "$(tessera audit list --newest --limit 9)"
# The second logs in to the session that there is.
# shellcheck disable=SC2016
as 2 bash -c '
    tessera login --reader 3 --pin-file pin && [ "$(tessera --json operator current | jq length)" = 2 ] &&
    tessera key rotate --yes && tessera login --reader 3 --pin-file pin &&
    [ "$(tessera --json operator current | jq length)" = 2 ]' >second.log 2>&1 || fail "$(cat second.log)"
guide_lines operators.md "Quorums" | sed -e 's/--reader 2/--reader 3 --pin-file pin/' \
    -e 's/--reader 1/--reader 2 --pin-file pin/' -e 's/key rotate/& --yes/' >guide
env -u TESSERA_SESSION bash -e <(tail -n 1 guide) >guide.log 2>&1 || fail "the guide's page fails: $(cat guide.log)"
expect_output rotate-keys bash -e <(head -n 1 guide)
# Nobody lowers it alone, or makes a second operator of the own for it.
denied "takes 2" as 2 tessera quorum set rotate-keys 1
denied "takes 2" as 2 tessera operator set yubikey-10000001 --roles system-administrator
denied "takes 2" as 2 tessera card issue --reader 4 --template operator --roles system-administrator
denied "takes 2" as 2 tessera card unblock yubikey-10000003 --new-pin-file pin
denied "takes 2" as 2 tessera role change clerk --permissions rotate-keys
as 2 tessera operator set yubikey-10000001 --roles normal >/dev/null
restart_daemon
wait_for 20 as 2 tessera card list >/dev/null
denied "takes 2" as 2 tessera key rotate --yes

# --- many cards are revoked at once, by those who may, with a result for each
states() {
    tessera --json card list | jq -r '[.[] | .state] | join(" ")'
}
tessera card reissue yubikey-10000004 >/dev/null
tessera card activate yubikey-10000004 --new-pin-file pin >/dev/null
before=$(states)
tessera role add sweeper --permissions view-cards,view-settings,bulk-revoke >/dev/null
tessera operator set yubikey-10000001 --roles sweeper >/dev/null
denied "do not let one revoke cards" as 1 tessera card revoke yubikey-10000004 --yes
denied "operator's card" as 1 tessera card revoke yubikey-10000004 yubikey-10000002 --yes
denied "own card" as 1 tessera card revoke yubikey-10000004 yubikey-10000001 --yes
expect_failure 3 as 1 tessera card revoke yubikey-10000004 no-such --yes
printf 'yubikey-10000004\nno-such\n' >serials
expect_failure 3 as 1 tessera card revoke --from-file serials --yes
expect_failure 2 as 1 tessera card revoke yubikey-10000004 --from-file serials --yes
expect_failure 2 as 1 tessera card revoke --from-file serials --reason because --yes
expect_failure 2 as 1 tessera card revoke --from-file serials </dev/null
[ "$(states)" = "$before" ] || fail "something was revoked: $(tessera card list)"
as 2 tessera quorum set bulk-revoke 2 >/dev/null
denied "takes 2" as 1 tessera card revoke --template ec --yes
both 1 2 tessera --json card revoke --template ec --reason superseded --yes >revoked 2>/dev/null
jq -e '. == [{serial: "yubikey-10000004", outcome: "revoked", message: ""}]' revoked >/dev/null ||
    fail "the result is $(cat revoked)"
tessera connection crl local --pem | openssl crl -noout -text | grep -q Superseded || fail "it is not in the list"
tessera --json audit list --operation revoke --newest | jq -r '.[0].operator' >named
[ "$(wc -w <named)" = 2 ] || fail "the audit record names $(cat named)"
both 1 2 tessera quorum set bulk-revoke 1 >/dev/null 2>&1
# Again; and what one card is refused for stops none of the others.
printf '\n  yubikey-10000004 \r\n' >serials
expect_output 'already revoked' as 1 tessera card revoke --from-file serials --yes
guide_lines suspend-revoke-retire.md "Revoke many" |
    sed 's/yubikey-12345678 yubikey-12345679/yubikey-10000004 yubikey-10000004/' >guide
bash -e guide >guide.log 2>&1 || fail "the guide's page fails: $(cat guide.log)"
tessera card retire yubikey-10000004 --yes >/dev/null
expect_failure 1 tessera card revoke yubikey-10000004 yubikey-10000001 --yes
[[ $output == *yubikey-10000004*failed*retired*yubikey-10000001*revoked*"1 of 2 cards were not revoked"* ]] ||
    fail "it says: $output"
tessera card reissue yubikey-10000001 >/dev/null
tessera card activate yubikey-10000001 --new-pin-file pin >/dev/null
# --- one person with two cards is one; who is needed stays
denied "do not let one" tessera quorum set recover-keys 1
both 2 3 tessera card issue --reader 4 --template operator --roles system-administrator \
    --holder name='grace hopper' >/dev/null 2>&1
both 2 3 tessera card activate yubikey-10000004 --new-pin-file pin >/dev/null 2>&1
denied "and 1 of them is" both 2 4 tessera key rotate --yes
expect_failure 2 both 2 3 tessera quorum set rotate-keys 4
[[ $output == *'1 to 3'* ]] || fail "it says: $output"
expect_output "make one more" both 2 3 tessera quorum set rotate-keys 3
in_use "2 operators would be left" tessera operator remove yubikey-10000003
in_use "2 operators would be left" tessera operator set yubikey-10000003 --roles normal
in_use "2 operators would be left" tessera operator set yubikey-10000003 --roles system-administrator --inactive
in_use "2 operators would be left" tessera card revoke yubikey-10000003 --yes
in_use "2 operators would be left" tessera card report yubikey-10000003 --as stolen --yes
# A lost card is stopped all the same, and may come back.
tessera card report yubikey-10000003 --as lost >/dev/null
in_use "2 operators would be left" tessera card revoke yubikey-10000003 --yes
expect_failure 7 as 3 tessera card list
tessera card resume yubikey-10000003 >/dev/null
tessera operator remove yubikey-10000004 >/dev/null
denied "2 of them are" both 2 3 tessera quorum set rotate-keys 1
tessera login --reader 2 --pin-file pin 2>/dev/null
tessera login --reader 3 --pin-file pin 2>/dev/null
tessera quorum set rotate-keys 1 >/dev/null
as 2 tessera key rotate --yes >/dev/null
as 2 tessera operator remove yubikey-10000003 >/dev/null
expect_output whole tessera audit verify
