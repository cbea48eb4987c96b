#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# nobody gets a PIN onto a card while the store cannot tell whether it is an operator's
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
printf '314159\n' >other-pin

sql() {
    sqlite3 "$TESSERA_STATE/tessera.db" "$1"
}
unblock() {
    tessera card unblock --new-pin-file other-pin
}

tessera card issue --reader 1 --template operator --roles normal >/dev/null
tessera card activate --new-pin-file pin >/dev/null
number=$(tessera --json card list | jq -r 'max_by(.number) | .number')

# From now on the record of this operator cannot be read; those of the others can.
sql "ALTER TABLE operator RENAME TO operator_kept;
     CREATE VIEW operator AS SELECT credential_id, id, roles, active, sealed, created_at,
         CASE credential_id WHEN $number THEN abs(-9223372036854775807 - 1) ELSE last_login_at END
         AS last_login_at FROM operator_kept"
tessera card list >/dev/null || fail "the owner may not even look"
expect_failure any unblock
[[ $output == *store* || $output == *overflow* ]] || fail "it was refused for another reason: $output"
for verb in reissue rotate update; do
    expect_failure any tessera card "$verb"
done
expect_failure any tessera card offline-unblock "$number" --yes
expect_failure any tessera card activate --new-pin-file other-pin
expect_failure any foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 314159 --list-objects
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin 271828 --list-objects >/dev/null ||
    fail "the operator's PIN was changed"

sql "DROP VIEW operator; ALTER TABLE operator_kept RENAME TO operator"
unblock >/dev/null || fail "the owner may not unblock when the store is well again"
