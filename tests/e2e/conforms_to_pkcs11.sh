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
    tail -n 1 "$kind.log"
    echo "ok $kind: nothing but the known deviations"
}

softhsm_tool() {
    pkcs11-tool --module "$softhsm" "$@" >tool.log 2>&1 || fail "pkcs11-tool $*: $(cat tool.log)"
}

# softhsm_tokens LABEL: a token with an RSA and an EC key, and one to try C_InitToken on, in the SoftHSM2
# of SOFTHSM2_CONF
softhsm_tokens() {
    local label
    for label in "$1" "new $1"; do
        softhsm2-util --init-token --free --label "$label" --so-pin "$so_pin" --pin "$pin" >/dev/null
    done
    softhsm_tool --token-label "$1" --login --pin "$pin" --keypairgen --key-type rsa:2048 --id 01 --label rsa
    softhsm_tool --token-label "$1" --login --pin "$pin" --keypairgen --key-type EC:prime256v1 --id 02 \
        --label ec
}

# --- SoftHSM2, in the program's own process ---
softhsm_tokens plain
conforms softhsm "$softhsm" plain --so-pin "$so_pin" --scratch 'new plain'

# --- the same, as slots ---
stop_daemon
SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf softhsm_tokens slot
start_daemon
tessera slot add slot --token-label slot >/dev/null
tessera slot add new --token-label 'new slot' >/dev/null
conforms slot "$TESSERA_PKCS11_MODULE" slot --so-pin "$so_pin" --scratch 'new slot'

# --- a slot whose PIN the daemon keeps: no program needs one ---
tessera slot remove slot >/dev/null
tessera slot add kept --token-label slot --keep-pin --pin-file pin >/dev/null
conforms kept-slot "$TESSERA_PKCS11_MODULE" slot

# --- cards ---
issue 1 employee 'Ada Lovelace' >/dev/null
issue 2 ec 'Grace Hopper' >/dev/null
conforms card "$TESSERA_PKCS11_MODULE" 'Ada Lovelace'
conforms ec-card "$TESSERA_PKCS11_MODULE" 'Grace Hopper'
