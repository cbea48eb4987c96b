#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SoftHSM2 itself, a slot on it, and cards do what PKCS#11 says, but for known deviations
# sandbox: --cards blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

softhsm=/usr/lib/softhsm/libsofthsm2.so
deviations=$TESSERA_SOURCE/tests/conformance/deviations
pin=271828
so_pin=31415926
cd "$TESSERA_SANDBOX/tmp"
printf '%s\n' "$pin" >pin

# The program is built as the module is; SoftHSM2's leaks at its end are not ours.
# conforms KIND MODULE TOKEN [OPTION...]
conforms() {
    local kind=$1 status=0
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 "$TESSERA_BUILD/tests/conformance/conformance" \
        --kind "$kind" --deviations "$deviations" --module "$2" --token "$3" --pin "$pin" "${@:4}" \
        >"$kind.log" 2>"$kind.err" || status=$?
    [ -z "${CONFORMANCE_LOGS:-}" ] || cp "$kind.log" "$CONFORMANCE_LOGS"
    [ "$status" = 0 ] || fail "$kind: $(grep -v '^pass\|^skip.*known\|^fail.*known' "$kind.log")"
    echo "ok $(tail -n 1 "$kind.log")"
}

softhsm_tool() {
    pkcs11-tool --module "$softhsm" "$@" >tool.log 2>&1 || fail "pkcs11-tool $*: $(cat tool.log)"
}

# softhsm_token LABEL: with an RSA and an EC key, in the SoftHSM2 of SOFTHSM2_CONF
softhsm_keys() {
    softhsm_tool --token-label "$1" --login --pin "$pin" --keypairgen --key-type rsa:2048 --id 01 --label rsa
    softhsm_tool --token-label "$1" --login --pin "$pin" --keypairgen --key-type EC:prime256v1 --id 02 \
        --label ec
}

# --- SoftHSM2, in the program's own process ---
for label in conformance scratch; do
    softhsm2-util --init-token --free --label "$label" --so-pin "$so_pin" --pin "$pin" >/dev/null
done
softhsm_keys conformance
conforms softhsm "$softhsm" conformance --so-pin "$so_pin" --scratch scratch

# --- the same, as a slot ---
tessera slot add web --create --pin-file pin >/dev/null
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm_keys web
tessera slot test web >/dev/null
conforms slot "$TESSERA_PKCS11_MODULE" web

# --- cards ---
card_label() {
    tessera --json card show "reader:$1" | jq -r .label
}
issue 1 employee 'Ada Lovelace' >/dev/null
issue 2 ec 'Grace Hopper' >/dev/null
conforms card "$TESSERA_PKCS11_MODULE" 'Ada Lovelace'
conforms ec-card "$TESSERA_PKCS11_MODULE" 'Grace Hopper'
