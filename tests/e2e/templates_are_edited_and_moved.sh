#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# templates are edited, cloned, exported and imported whole or not at all; a lock is its locker's
#
# The cards: two operators'.
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

version_of() {
    tessera --json template list | jq ".[] | select(.name == \"$1\") | .version"
}
# editor SCRIPT: makes an editor that runs a script with the file as $1
editor() {
    printf '#!/bin/sh\n%s\n' "$1" >editor
    chmod +x editor
}
edit() {
    env -u VISUAL EDITOR="$PWD/editor --wait" tessera template edit "$@"
}
drafts() {
    find "$TMPDIR" -maxdepth 1 -name 'tessera-*.json'
}

# --- edit: the file is the last argument; saved when valid, the draft kept when not
# shellcheck disable=SC2016
editor 'shift; sed -i "s/\"comment\": \"[^\"]*\"/\"comment\": \"edited\"/" "$1"'
expect_output updated edit employee
expect_output '"comment": "edited"' tessera template show employee
[ -z "$(drafts)" ] || fail "a draft that was saved is left"
before=$(version_of employee)
expect_output "not changed" edit employee
[ "$(version_of employee)" = "$before" ] || fail "nothing was changed, and there is a new version"
# shellcheck disable=SC2016
editor 'shift; sed -i "s/rsa-2048/rsa-512/" "$1"'
expect_failure 2 edit employee
[[ $output == */keys/0/algorithm*rsa-2048* && $output == *"draft is kept in $(drafts)"* ]] ||
    fail "it says: $output"
grep -q rsa-512 "$(drafts)" || fail "the draft has lost the change"
[ "$(stat -c %a "$(drafts)")" = 600 ] || fail "others may read the draft"
[ "$(version_of employee)" = "$before" ] || fail "a wrong draft was saved"
sed -i 's/rsa-512/rsa-3072/' "$(drafts)"
tessera template update "$(drafts)" >/dev/null
rm "$(drafts)"
editor 'exit 1'
expect_failure any edit employee
[[ $output == *"nothing was changed"* ]] || fail "it says: $output"
rm -f "$(drafts)"
expect_failure 3 edit nothing
expect_failure 3 edit ../employee

# --- clone
expect_output copy tessera template clone employee guest
[ "$(tessera template show guest | jq -c 'del(.name)')" = "$(tessera template show employee | jq -c 'del(.name)')" ] ||
    fail "the clone is another"
expect_failure any tessera template clone employee guest
[[ $output == *already* ]] || fail "it says: $output"
expect_failure 3 tessera template clone nothing fresh
expect_failure 2 tessera template clone employee 'No Name'

# --- export and import
tessera template export --output all.json
[ "$(jq -r '[.templates[].name] | sort | join(" ")' all.json)" = "ec employee guest operator system-owner tls-server" ] ||
    fail "the export is $(cat all.json)"
tessera template export guest >guest.json
tessera template remove guest >/dev/null
expect_failure any tessera template import all.json
[[ $output == */templates/0*already* ]] || fail "it says: $output"
expect_failure 3 tessera template show guest
jq '.templates += [.templates[0] | .name = "extra"] | .templates[-1].keys[0].slot = "nose"' guest.json >wrong.json
expect_failure 2 tessera template import wrong.json
[[ $output == */templates/1/keys/0/slot* ]] || fail "it says: $output"
expect_failure 3 tessera template show guest
jq '.templates += .templates' guest.json >twice.json
expect_failure 2 tessera template import twice.json
[[ $output == */templates/1/name*twice* ]] || fail "it says: $output"
expect_failure 2 tessera template import - <<<'{"template": []}'
expect_output "1 templates imported" tessera template import guest.json
jq '.templates |= map(if .name == "ec" then .comment = "imported" else . end)' all.json >changed.json
before=$(version_of employee)
expect_output "1 templates imported" tessera template import --replace changed.json
expect_output '"comment": "imported"' tessera template show ec
[ "$(version_of employee)" = "$before" ] || fail "what is the same got a new version"

# --- locks
echo 271828 >pin
for reader in 1 2; do
    tessera card issue --reader $reader --template operator --holder name=O$reader \
        --roles system-administrator >/dev/null
    tessera card activate "yubikey-1000000$reader" --new-pin-file pin >/dev/null
done
as_operator() {
    env -u TESSERA_SESSION tessera login --reader "$1" --pin-file pin -- "${@:2}"
}
as_operator 1 tessera template lock ec >/dev/null
locker=$(tessera --json template list | jq -r '.[] | select(.name == "ec") | .locked_by')
[ -n "$locker" ] && [ "$locker" != null ] || fail "nobody has locked it"
jq '.templates[] | select(.name == "ec") | .comment = "mine"' changed.json >ec.json
for command in "update ec.json" "remove ec"; do
    # shellcheck disable=SC2086
    expect_failure 4 as_operator 1 tessera template $command
    [[ $output == *"locked by the operator $locker"* ]] || fail "it says: $output"
done
jq '{templates: [.]}' ec.json >one.json
expect_failure 4 tessera template import --replace one.json
expect_failure 4 as_operator 2 tessera template unlock ec
[[ $output == *"only the operator $locker"* ]] || fail "it says: $output"
expect_failure 4 as_operator 2 tessera template lock ec
as_operator 1 tessera template unlock ec >/dev/null
as_operator 2 tessera template update ec.json >/dev/null
# A system owner unlocks what anyone has locked.
as_operator 2 tessera template lock ec >/dev/null
tessera template unlock ec >/dev/null
tessera template remove ec >/dev/null

# --- who may: an auditor looks and changes nothing
tessera operator set yubikey-10000001 --roles auditor >/dev/null
expect_output VERSION as_operator 1 tessera template versions employee
as_operator 1 tessera template drift >/dev/null
for command in "lock employee" "clone employee other" "import --replace changed.json"; do
    # shellcheck disable=SC2086
    expect_failure 4 as_operator 1 tessera template $command
done
expect_failure 4 as_operator 1 tessera card update yubikey-10000001
expect_output whole tessera audit verify
