#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# what the guide's page on backups archives can be restored as it says, with the service stopped or running
# sandbox: --cards blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
page=backup.md
echo 271828 >pin

card_is() {
    [ "$(tessera --json reader show 1 | jq -r .state)" = "$1" ]
}
issue() {
    tessera card issue --reader 1 --template ec --holder name="$1" --holder email=a@example.org \
        --holder upn=a@example.org >/dev/null
}
# The page's commands, on the archive of today; no user "tessera" need be here.
restore() {
    rm -f tessera-2026-01-31.tar.gz
    mv tessera-2*.tar.gz tessera-2026-01-31.tar.gz
    guide_lines "$page" "Restore everything" "systemctl stop" |
        sed -e 's/chown -R tessera:tessera [^ ]* && //' >restore
    eval "$(cat restore)" >restored 2>&1 || fail "restoring fails: $(cat restored)"
    grep -q "is whole" restored || fail "the trail is not whole: $(cat restored)"
    wait_for 20 card_is "$1"
}

wait_for 20 card_is unregistered
issue Ada
tessera card activate --new-pin-file pin >/dev/null
guide_run "$page" "Everything" "systemctl stop"
tessera card suspend >/dev/null
restore active
[ "$(tessera --json card show | jq -r .holder.name)" = Ada ] || fail "the holder is another one"
tessera card unblock --new-pin-file pin >/dev/null

# While it runs; both archives together are the same.
guide_run "$page" "Everything" "sqlite3"
mkdir archive
tar -C archive -xzf tessera-token.tar.gz
cp tessera.db archive/
tar -C archive -czf tessera-2026-02-01.tar.gz .
tessera card suspend >/dev/null
restore active
tessera card unblock --new-pin-file pin >/dev/null
guide_run "$page" "Restore everything" "tessera audit export"
tessera --socket /nonexistent audit verify audit.jsonl >verified || fail "the export is not whole: $(cat verified)"
