#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pkcs11-tool's and p11tool's own tests of a module pass on cards and on slots
# sandbox: --cards blank,blank
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
need pkcs11-tool p11tool jq
loads_module pkcs11-tool p11tool

pin=271828
cd "$TESSERA_SANDBOX/tmp"
printf '%s\n' "$pin" >pin
issue 1 employee 'Ada Lovelace' >/dev/null
issue 2 ec 'Grace Hopper' >/dev/null

# tests_module TOKEN ARGUMENT...: one of pkcs11-tool's tests
tests_module() {
    pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label "$1" --login --pin "$pin" "${@:2}" >tool.log \
        2>&1 || fail "pkcs11-tool ${*:2} on '$1': $(cat tool.log)"
}

# Each key of the token signs, and what it signed verifies.
every_key_signs() { # TOKEN KEYS
    local uri count=0
    export GNUTLS_PIN=$pin
    p11tool --provider "$TESSERA_PKCS11_MODULE" --login --list-privkeys --only-urls \
        "pkcs11:token=${1// /%20}" >keys 2>p11tool.log </dev/null || fail "p11tool: $(cat p11tool.log)"
    while read -r uri; do
        p11tool --provider "$TESSERA_PKCS11_MODULE" --login --test-sign "$uri" >p11tool.log 2>&1 </dev/null ||
            fail "p11tool --test-sign $uri: $(cat p11tool.log)"
        [ "$(grep -c '\.\.\. ok$' p11tool.log)" = 3 ] || fail "p11tool --test-sign $uri: $(cat p11tool.log)"
        count=$((count + 1))
    done <keys
    [ "$count" = "$2" ] || fail "p11tool sees $count keys of '$1', not $2"
}

# Two threads initialise the module again, ask for slots and tokens, and the main one goes on meanwhile.
threads_pass() {
    tests_module "$1" --use-locking --list-objects --test-threads ILGISLT0SLT0 --test-threads INSLT0GISLT0
    # What the threads say may stand in the same line.
    grep -q 'test_threads all threads have ended with CKR_OK' tool.log ||
        fail "pkcs11-tool --test-threads on '$1': $(cat tool.log)"
}

# passes TOKEN KEYS RSA-SIGNATURES [ARGUMENT...]: RSA-SIGNATURES is whether --test has RSA keys to sign with
passes() {
    local token=$1
    tests_module "$token" --test "${@:4}"
    grep -q '^No errors$' tool.log || fail "pkcs11-tool --test on '$token': $(cat tool.log)"
    [ "$(grep -c 'SHA256-RSA-PKCS: OK' tool.log)" = "$3" ] ||
        fail "pkcs11-tool --test signed with other keys of '$token': $(cat tool.log)"
    tests_module "$token" --test-fork
    threads_pass "$token"
    every_key_signs "$token" "$2"
    echo "ok $token"
}

passes 'Ada Lovelace' 4 1
passes 'Grace Hopper' 4 0

# --- a slot ---
tessera slot add web --create --pin-file pin >/dev/null
slot_key() { # TYPE ID LABEL
    tests_module web --keypairgen --key-type "$1" --id "$2" --label "$3"
}
slot_key rsa:2048 01 rsa
slot_key EC:prime256v1 02 ec
# SoftHSM2's mechanisms are not those of hardware.
passes web 2 1 --allow-sw

tests_module web --session-rw --test-ec --id 77 --key-type EC:prime256v1
grep -q '^==> OK$' tool.log || fail "pkcs11-tool --test-ec: $(cat tool.log)"
tests_module web --list-objects
[ "$(grep -c 'Key Object' tool.log)" = 4 ] || fail "--test-ec left something: $(cat tool.log)"
echo "ok --test-ec makes, changes, uses and removes a key of a slot"

# A card's keys are made by the daemon.
expect_failure any pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label 'Ada Lovelace' --login --pin "$pin" \
    --session-rw --test-ec --id 77 --key-type EC:prime256v1
[[ $output == *"EC key mechanism 1040 not supported"* ]] || fail "--test-ec on a card says: $output"
echo "ok --test-ec is told that a card makes no key in this way"
