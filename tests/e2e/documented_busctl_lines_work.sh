#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# every busctl line of docs/dbus.md does what the page says, as written
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/slapd.sh
source "$TESSERA_SOURCE/tests/lib/slapd.sh"
cd "$TESSERA_SANDBOX/tmp"
jq '{templates: [.name = "imported"]}' "$TESSERA_SOURCE/data/templates/employee.json" >templates.json
cp "$TESSERA_SOURCE"/data/templates/employee.json "$TESSERA_SOURCE"/data/connections/local.json .

declare -A done_lines=()

reader_has_serial() {
    tessera reader show 1 --json | jq -e '.serial != ""'
}

# The page's card is another one than the sandbox's, whose first credential is the owner's.
wait_for 20 reader_has_serial
serial=$(tessera reader show 1 --json | jq -r .serial)
mapfile -t lines < <(sed -n "s/^    busctl/busctl/p" "$TESSERA_SOURCE/docs/dbus.md" |
    sed "s/yubikey-12345678/$serial/; s|/credential/1|/credential/2|")
[ "${#lines[@]}" -ge 30 ] || fail "only ${#lines[@]} lines were found"

# As the page says: over the connection of a login.
over_login() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SESSION "$@"
}

# shown PATTERN: runs the one line that has it; $output is what it printed.
shown() {
    local line found=()
    for line in "${lines[@]}"; do
        [[ $line != *"$1"* ]] || found+=("$line")
    done
    [ "${#found[@]}" = 1 ] || fail "'$1' is in ${#found[@]} lines"
    done_lines[${found[0]}]=1
    line=${found[0]}
    output=$(over_login bash -c "$line" 2>&1) || fail "'$line' ended with status $? and printed: $output"
}

refused() {
    local text=$1
    shift
    if (shown "$@") >refusal 2>&1; then
        fail "$* should have been refused"
    fi
    grep -q "$text" refusal || fail "$* says: $(cat refusal)"
    for line in "${lines[@]}"; do
        [[ $line != *"$1"* ]] || done_lines[$line]=1
    done
}

# verb PATTERN: a line that starts a job, which must succeed.
verb() {
    shown "$1"
    [[ $output =~ ^o\ \"/org/tessera1/job/([0-9]+)\"$ ]] || fail "$1 answers $output"
    tessera job wait "${BASH_REMATCH[1]}" >/dev/null || fail "the job of $1 failed"
}

prints() {
    shown "$1"
    [[ $output == *"$2"* ]] || fail "$1 printed: $output"
}

# watch NAME PATTERN: a line that goes on until it is stopped, with what it prints in the file NAME.
watch() {
    local line
    line=$(printf '%s\n' "${lines[@]}" | grep -F -- "$2")
    done_lines[$line]=1
    # A message bus of its own is needed to watch others.
    timeout 100 stdbuf -oL bash -c "exec $line" >"$1" 2>&1 &
    wait_for 10 grep -q Monitoring "$1"
}

watch all-signals 'busctl monitor org'
watch finished-signals 'busctl monitor --match'
prints 'bus introspect org.tessera1 /org/tessera1' org.tessera1.Provider
prints 'introspect org.tessera1 /org/tessera1/reader/1' .CardPresent
prints GetManagedObjects /org/tessera1/template/employee
prints 'busctl tree' /org/tessera1/reader/1
prints 'Manager Version' "$(tessera --version | cut -d' ' -f2)"

verb 'Manager Register'
verb 'Manager Issue'
prints ListCredentials '"/org/tessera1/credential/2"'
prints 'FindCredential s' '"/org/tessera1/credential/2"'
prints FindCredentials '"/org/tessera1/credential/2"'
prints GetInformation '{'
prints DetectType '{'
prints IsMine 'b true'
prints OfferReader 'o "/org/tessera1/reader/'
refused 'offers no reader' InsertCard
refused 'offers no reader' RemoveCard
refused 'offers no reader' WithdrawReader
verb 'Credential Activate s'
prints GetTokens '"Ada Lovelace"'
prints GetObjects '"Card authentication key"'
shown 'Provider Login'
refused 'not logged in' 'Provider Logout'
prints 'Provider UseKey' 'ay 64 '
prints 'Provider OpenChannel' 'h '
shown 'Provider ChangePin'
verb 'Credential Unblock s'
verb 'Credential UnblockGenerated'
refused 'no PIN' TakePin
refused 'wants no signature now' GetSignatureRequest
refused 'wants no signature now' GiveSignature
refused 'wants no signature now' RefuseSignature
verb 'Credential Update'
verb 'Credential Suspend'
verb 'Credential Resume'
verb 'Credential Report'
tessera card resume "$serial" >/dev/null
prints 'Credential GetCertificate' 'ay '
refused 'was not accepted' 'SelfService Authenticate'
shown 'SelfService Forget'
prints 'SelfService ListCards' 'a(osssxas) '
prints 'SelfService ListTemplates' 'a(ssasbb) 0'
refused 'takes no codes for that' AddCode
prints ListCodes 'a(sssssxxu) 0'
refused 'no code K7M2' RemoveCode
prints LiftLockOut 'b false'
prints BeginLogin 'ay '
refused 'wrong' FinishLogin
refused 'PIN' 'Manager Login'
prints ListLogins '"system-owner"'
prints ListOperators '"system-owner"'
prints ListRoles '"auditor"'
prints ListPermissions '"unblock" "unblock cards" true'
shown AddRole
shown ChangeRole
shown RemoveRole
prints ListQuorums '"rotate-keys" "rotate or move the master key" 1 1'
shown SetQuorum
refused 'template for operators' SetOperator
refused "no operator's" RemoveOperator
shown UnblockWithCode
job=${output##*/}
expect_failure any tessera job wait "${job%\"}"
[[ $output == *'no unblock code of this card is good now'* ]] || fail "its job says: $output"
refused 'no unblock code of this card is good now' 'CheckUnblockCode'
refused 'no unblock code of this card is good now' 'InitPin'
verb OfflineUnblock
prints ListExposed '"/org/tessera1/credential/2"'
verb 'Credential Rotate'
prints ListMasterKeys 'a(ussxx) 1 1 '
prints 'ListCardsOfMasterKey' '"/org/tessera1/credential/2"'
shown 'Manager RotateMasterKey'
prints BackUpMasterKey 'tessera master key backup'
tessera key backup backup.json >/dev/null
prints LookAtMasterKeyBackup 'xubua(ssb) '
prints GetLastMasterKeyBackup 'xubua(ssb) '
refused 'nothing to restore' BeginMasterKeyRestore
refused 'no restoration has begun' OpenMasterKeyShare
refused 'no restoration has begun' FinishMasterKeyRestore
verb 'Credential Reissue '
verb 'Credential ActivateGenerated'
verb 'Credential ReissueKeepingFields'
verb 'Credential Activate s'
verb 'Credential ChangePin'
verb 'Credential Renew'
verb 'Manager RevokeMany'
verb 'Credential Reissue '
verb 'Credential Activate s'
verb 'Credential Revoke'
verb 'Credential Replace'
verb 'Credential Retire'
verb 'Credential Unregister'

prints 'Template ListVersions' ' 1 '
prints 'Template GetVersion' smartcard-logon
prints 'Template Compare' 'a(ssss) 0'
prints 'Template Plan' 'a(xxsa(ssss)) '
prints 'Template ListCards' 'a(os) '
prints 'Template Check' /keys/signature/algorithm
prints ListDrift 'a(ossxa(ss))x '
shown 'Template Lock'
shown 'Template Unlock'
prints ImportTemplates '"/org/tessera1/template/imported"'
tessera template remove imported >/dev/null
shown 'Template Update'
shown 'Template Remove'
prints AddTemplate '"/org/tessera1/template/employee"'
shown 'Connection Update s'
prints 'Connection Test' signs
prints ListProfiles '"smartcard-logon"'
prints UpdateProfiles '"smartcard-logon"'
prints GetFields 'a(sbbssss) 0'
echo '{"name": "digicert", "kind": "digicert-one", "url": "https://localhost:1"}' >digicert.json
tessera connection add digicert.json >/dev/null
echo 0123456789 >api-key
shown SetSecret
shown ForgetSecret
make_slapd one
load_slapd one <<END
dn: uid=ada,ou=people,$slapd_suffix
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
entryUUID: 00000000-0000-4000-8000-000000001815
END
start_slapd one 3890
cat >staff.json <<END
{"name": "staff", "kind": "ldap", "hosts": ["127.0.0.1:3890"], "ca-file": "$PWD/slapd-ca.pem", "base": "ou=people,$slapd_suffix",
 "bind": {"method": "simple", "dn": "cn=reader,$slapd_suffix"}}
END
tessera connection add staff.json >/dev/null
echo "reader secret" >password
tessera connection secret staff password password >/dev/null
prints 'Connection Search' '"Ada Lovelace"'
prints 'Connection GetPerson' '"Ada Lovelace"'
prints 'Connection FindPerson' '"Ada Lovelace"'
stop_slapd one
prints ListExpiring 'a(xosssssssx)'
prints ListPeople 'a(ossssssxxsssa(sss))x 0 0'
verb CheckPeople
prints ListTasks 'a(xsssssxxxs) 0'
refused 'there is no task 1' RunTask
refused 'there is no such task' RemoveTask
refused 'there is no task 1' ConfirmTask
prints 'Connection GetCertificate' 'ay '
prints GetCrl 'ay '
for template in employee ec operator system-owner tls-server; do
    tessera template remove "$template" >/dev/null
done
refused 'neither expired' 'Connection Remove'
tessera connection update local.json >/dev/null
refused 'already' AddConnection
jq '.name = "our-card"' "$TESSERA_SOURCE/data/types/gids.json" >our-card.json
prints AddType '"/org/tessera1/type/our_2dcard"'
shown 'Type Remove'
prints AddSlot '"/org/tessera1/slot/web"'
prints 'Slot Test' 'token \"web\"'
shown 'Slot Allow'
shown 'Slot Deny'
prints 'Provider GetMechanisms' 'a(uuuu) '
prints 'Provider CreateObject' 'utt 1 '
prints 'Provider VerifyWithKey' ''
prints 'Provider BeginUse' 'u 1'
refused 'no such operation' 'Provider ContinueUse'
refused 'no such operation' 'Provider EndUse'
shown 'Provider CancelUse'
prints 'Provider CopyObject' 'utt 2 '
prints 'Provider SetAttributes' 'tt '
prints 'Provider DestroyObject' 'tt '
prints "Provider GenerateKey '" 'utt 3 '
prints 'Provider GenerateKeyPair' 'uutt 4 5 '
prints 'Provider WrapKey' 'ay 24 191 59 119 '
prints 'Provider UnwrapKey' 'utt 2147483649 '
prints 'Provider DeriveKey' 'utt 2147483649 '
prints 'Provider GetSecretValue' 'ay 16 0 0 0 '
prints 'Provider GetRandom' 'ay 16 '
shown 'Provider SeedRandom'
refused CKR_PIN_INCORRECT 'Provider ChangeOfficerPin'
refused CKR_PIN_INCORRECT 'Provider InitToken'
shown 'Slot Change'
tessera template add "$TESSERA_SOURCE/data/templates/tls-server.json" >/dev/null
verb 'Slot Enroll'
prints 'Slot GetKeys' '"active" "CN=www.example.org"'
verb 'Slot Renew'
verb 'Slot Retire'
shown 'Slot Remove'
refused 'has ended' 'Job Cancel'
prints 'Licence MakeRequest' store
echo code >code
echo '{}' >licence.json
refused 'activation' 'Licence Activate'
refused 'licence' 'Licence Install'
refused 'licence' 'Licence Remove'
prints ListAudit '"AccessDenied"'
prints VerifyAudit ' 0'
shown WriteCheckpoint
prints ListCheckpoints ' 1 '
shown AddSystemOwner
shown 'Manager Logout'

wait_for 10 grep -q Finished finished-signals
wait_for 10 grep -q PropertiesChanged all-signals
for line in "${lines[@]}"; do
    [ -n "${done_lines[$line]:-}" ] || fail "not tried: $line"
done
