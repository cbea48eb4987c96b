#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# every busctl line of docs/dbus.md does what the page says, as written
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
jq '{templates: [.name = "imported"]}' "$TESSERA_SOURCE/data/templates/employee.json" >templates.json
cp "$TESSERA_SOURCE"/data/templates/employee.json "$TESSERA_SOURCE"/data/connections/local.json .

declare -A done_lines=()

reader_has_serial() {
    tessera reader show 1 --json | jq -e '.serial != ""'
}

# The page's card is another one than the sandbox's.
wait_for 20 reader_has_serial
serial=$(tessera reader show 1 --json | jq -r .serial)
mapfile -t lines < <(sed -n "s/^    busctl/busctl/p" "$TESSERA_SOURCE/docs/dbus.md" |
    sed "s/yubikey-12345678/$serial/")
[ "${#lines[@]}" -ge 30 ] || fail "only ${#lines[@]} lines were found"

# shown PATTERN: runs the one line that has it; $output is what it printed.
shown() {
    local line found=()
    for line in "${lines[@]}"; do
        [[ $line != *"$1"* ]] || found+=("$line")
    done
    [ "${#found[@]}" = 1 ] || fail "'$1' is in ${#found[@]} lines"
    done_lines[${found[0]}]=1
    line=${found[0]}
    output=$(bash -c "$line" 2>&1) || fail "'$line' ended with status $? and printed: $output"
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

verb 'Manager Issue'
prints ListCredentials '"/org/tessera1/credential/1"'
prints FindCredential '"/org/tessera1/credential/1"'
verb 'Credential Activate'
prints GetTokens '"Ada Lovelace"'
prints GetObjects '"Card authentication key"'
shown 'Provider Login'
refused 'not logged in' 'Provider Logout'
prints 'Provider UseKey' 'ay 64 '
shown 'Provider ChangePin'
verb 'Credential Unblock'
verb 'Credential Update'
verb 'Credential Suspend'
verb 'Credential Resume'
prints 'Credential GetCertificate' 'ay '
verb 'Credential Reissue'
verb 'Credential Activate'
verb 'Credential ChangePin'
verb 'Credential Revoke'
verb 'Credential Retire'

prints 'Template ListVersions' ' 1 '
prints 'Template GetVersion' smartcard-logon
prints 'Template Compare' 'a(ssss) 0'
prints 'Template Plan' 'a(xxsa(ssss)) 0'
prints 'Template ListCards' 'a(os) 0'
prints 'Template Check' /keys/signature/algorithm
prints ListDrift 'a(ossxa(ss)) 0'
shown 'Template Lock'
shown 'Template Unlock'
prints ImportTemplates '"/org/tessera1/template/imported"'
tessera template remove imported >/dev/null
shown 'Template Update'
shown 'Template Remove'
prints AddTemplate '"/org/tessera1/template/employee"'
shown 'Connection Update'
prints 'Connection Test' signs
prints ListProfiles '"smartcard-logon"'
prints 'Connection GetCertificate' 'ay '
prints GetCrl 'ay '
tessera template remove employee >/dev/null
tessera template remove ec >/dev/null
shown 'Connection Remove'
prints AddConnection '"/org/tessera1/connection/local"'
refused 'has ended' 'Job Cancel'
prints ListAudit '"retire"'
prints VerifyAudit ' 0'

wait_for 10 grep -q Finished finished-signals
wait_for 10 grep -q PropertiesChanged all-signals
for line in "${lines[@]}"; do
    [ -n "${done_lines[$line]:-}" ] || fail "not tried: $line"
done
