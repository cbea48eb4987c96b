#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cards that a reader speaks to with T=0 are issued, used and retired like others
# sandbox: --cards blank,old --vcard-option --atr=3b8b005465737365726120504956
# time limit: 180
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

printf '271828\n' >pin

for card in 0 1; do
    echo "== card $card: $(card_file READER "$card")"
    log=VCARD_LOG_$card
    expect_output "issued" tessera card issue --reader "$((card + 1))" --template employee \
        --holder "name=Ada Lovelace" --holder email=ada@example.org --holder upn=ada@example.org
    tessera card activate "reader:$((card + 1))" --new-pin-file pin
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 271828 --test >test.log 2>&1 ||
        fail "pkcs11-tool --test: $(cat test.log)"
    grep -q "No errors" test.log || fail "pkcs11-tool --test: $(cat test.log)"
    tessera card retire "reader:$((card + 1))" --reason "end of the test" --yes
    # Our own commands were in T=0's form, and answers came by GET RESPONSE.
    ! grep -q "SW=6700" "${!log}" || fail "the card refused the form: $(grep SW=6700 "${!log}")"
    grep -q " 00 C0 00 00 " "${!log}" || fail "the card was not spoken to with T=0"
done
