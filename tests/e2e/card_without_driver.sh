#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a card whose driver is not there is recognised and says so; a malformed data file stops nothing
# sandbox: --cards nist,nist --vcard-option 0:--atr=3b7f96000080318065b0846160fb120ffd829000 --vcard-option 1:--atr=3b8801000000000000000000 --no-daemon --owner
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# The virtual cards have nothing but PIV: at the next look they say that they have not.
hide_piv() {
    card_control "$1" reset-count >/dev/null
    [[ $(card_control "$1" "fail-at 1:6a82") == ok* ]] || fail "the card takes no fail-at"
}

reader_with_atr() {
    tessera --json reader list | jq -r --arg atr "$1" '.[] | select(.atr | startswith($atr)) | .number'
}

problems_are() {
    [ "$(tessera --json reader list | jq '[.[] | select(.problem != "")] | length')" = "$1" ]
}

# --- a folder of data with types that are broken, there twice and no JSON
cp -r "$TESSERA_SOURCE/data" data
jq '.driver = "magic"' data/types/gids.json >data/types/broken.json
cp data/types/tpm.json data/types/zz-tpm.json
echo '{' >data/types/unreadable.json
write_daemon_config
# The first start, which makes the master key, looks at cards that cannot be used once more.
start_daemon
stop_daemon
sed -i "s|^data-dir = .*|data-dir = $PWD/data|" "$TESSERA_CONFIG"
hide_piv 0
hide_piv 1
start_daemon
log=$TESSERA_SANDBOX/log/tesserad
while read -r line; do
    [ "$(grep -c "credential type left out: $line" "$log")" = 1 ] ||
        fail "the log does not say once: $line"
done <<'END'
/driver: allowed are piv, gids, pkcs11, hsm-key file=.*/broken.json
there is a credential type "tpm" already file=.*/zz-tpm.json
line [0-9]*, column .* file=.*/unreadable.json
END
[ "$(tessera --json type list | jq length)" = 17 ] || fail "the other types were not loaded"

# --- a card of a known type without driver, and one that nobody knows
wait_for 10 problems_are 2
idprime=$(reader_with_atr 3b7f)
stranger=$(reader_with_atr 3b88)
expect_output idprime-930 tessera reader show "$idprime"
[[ $output == *"IDPrime MD 930"*"no driver pkcs11"* ]] || fail "the card does not say so: $output"
expect_output "no known type" tessera reader show "$stranger"

hide_piv 0
expect_failure 6 tessera card issue --reader "$idprime" --template employee --holder name=Ada \
    --holder email=a@example.org --holder upn=a@example.org
[[ $output == *"no driver pkcs11"* && $(grep -c '^tessera: ' <<<"$output") = 1 ]] ||
    fail "not one clear error: $output"

hide_piv 0
information=$(tessera --json reader info "$idprime")
[ "$(jq -r '.type.name, .type.driver_available, .atr.protocols[0], .keys' <<<"$information")" = \
    $'idprime-930\nfalse\nT=0\nnull' ] || fail "the information is wrong: $information"
[[ $(jq -r .problem <<<"$information") == *"no driver pkcs11"* ]] || fail "the problem is not named"

# --- detect proposes a type; once it is added, the card is of that type
hide_piv 1
expect_output "no known type" tessera type detect "$stranger"
[[ $output == *'"value": "3b88'* ]] || fail "nothing is proposed: $output"
hide_piv 1
tessera type detect "$stranger" --output stranger.json
jq '.name = "stranger" | .driver = "pkcs11" | del(.match.applications)' stranger.json >added.json
hide_piv 1
tessera type add added.json
expect_output stranger tessera reader show "$stranger"
[[ $output == *"no driver pkcs11"* ]] || fail "the card does not say so: $output"
