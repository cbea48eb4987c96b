#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# after a card's whole life no PIN, PUK, management key or token PIN is in a log or in the state folder, and the derived ones not in memory
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

is_read() {
    tessera reader show 1 | grep -q unregistered
}
sign() {
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin "$1" --id 01 --sign \
        --mechanism ECDSA-SHA256 --input-file data --output-file signature
}
# The card's own file is the place where its PUK and management key can be read.
cat >secrets.py <<'END'
import os, re, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["TESSERA_SOURCE"] + "/tests/lib")
import vcard_state
card, pid = sys.argv[1], sys.argv[2]
content = open(card, "rb").read()
secrets = vcard_state.secrets(card)
secrets["token PIN"] = open(os.environ["TESSERA_SANDBOX"] + "/kept/token-pin", "rb").read()
pins = {"PIN " + pin: pin.encode() for pin in sys.argv[3:]}
def search(place, data, wanted):
    count = 0
    for name, value in wanted.items():
        text = value.hex().encode()
        for form in value, text, text.upper(), re.sub(b"..(?!$)", rb"\g<0> ", text):
            if form in data:
                print(f"{name} is in {place}")
                count += 1
    return count
# What cannot be found in the card's file would be found nowhere.
assert search("the card, as it should be", content, secrets) >= 2
assert len(secrets["management key"]) >= 24 and secrets["PUK"] != b"12345678"
found = 0
for root in os.environ["TESSERA_SANDBOX"] + "/log", os.environ["TESSERA_STATE"]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            found += search(path, open(path, "rb").read(), {**secrets, **pins})
if pid != "-":
    seen = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            part, access = line.split()[:2]
            start, end = (int(bound, 16) for bound in part.split("-"))
            if not access.startswith("rw"):
                continue
            memory.seek(start)
            data = memory.read(end - start)
            seen += data.count(b"org.tessera1")
            # The token's PIN is kept, in locked memory, to seal it to new custodians' cards.
            kept_out = {name: value for name, value in secrets.items() if name != "token PIN"}
            found += search(f"the daemon's memory at {part}", data, kept_out)
    assert seen > 0, "the memory was not searched"
sys.exit(1 if found else 0)
END
# A program with sanitizers keeps what was freed.
pid=-
[ -n "${TESSERA_PRELOAD}${runner:-}" ] || pid=$(part_target tesserad)
secrets_are_nowhere() {
    /usr/bin/python3 secrets.py "$VCARD_STATE_0" "$pid" 27182845 31415926 14142135 ||
        fail "a secret was found"
}

wait_for 10 is_read
echo data >data
printf '27182845\n' >pin
printf '31415926\n' >other-pin
printf '14142135\n' >wrong-pin
tessera card issue --reader 1 --template ec --holder "name=Ada Lovelace" \
    --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
secrets_are_nowhere
tessera card activate --new-pin-file pin >/dev/null
tessera card change-pin --pin-file pin --new-pin-file other-pin >/dev/null
expect_failure 5 tessera card change-pin --pin-file wrong-pin --new-pin-file pin
tessera --system-bus card change-pin --pin-file other-pin --new-pin-file pin >/dev/null
sign 27182845 >/dev/null
for _ in 1 2 3; do
    expect_failure any sign 14142135
done
tessera card unblock --new-pin-file other-pin >/dev/null
tessera card reissue >/dev/null
tessera card activate --new-pin-file pin >/dev/null
secrets_are_nowhere
restart_daemon
[ "$pid" = - ] || pid=$(part_target tesserad)
wait_for 10 sh -c 'tessera reader show 1 | grep -q active'
sign 27182845 >/dev/null
secrets_are_nowhere
grep -q 'Max core file size *0 *0' "/proc/$(part_target tesserad)/limits" ||
    fail "the daemon may leave a core dump"
expect_failure any setpriv --reuid tessera --regid tessera --clear-groups \
    cat "/proc/$(part_target tesserad)/environ"
tessera card retire --reason over --yes >/dev/null
