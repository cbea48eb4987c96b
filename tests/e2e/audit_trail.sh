#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the audit trail is found by filters, signed, exported, verified elsewhere, copied to the journal, and holds no secret
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"

# The journal's socket, as journald would hold it: each datagram is appended to a file.
mkdir -p /run/systemd/journal
/usr/bin/python3 - >journal 2>&1 <<'END' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/run/systemd/journal/socket")
while True:
    sys.stdout.buffer.write(listener.recv(65536) + b"\n")
    sys.stdout.buffer.flush()
END
journal=$!
wait_for 5 test -S /run/systemd/journal/socket
daemon_option 'audit-syslog = yes'
restart_daemon

# --- the whole life of a card, with PINs that nothing else in the logs looks like
pin=27182818 second=31415926 third=16180339 wrong=14142135
printf '%s\n' $pin >pin
printf '%s\n' $second >second
printf '%s\n' $third >third
printf '%s\n' $wrong >wrong
wait_for 10 tessera reader show 1 >/dev/null
tessera card issue --reader 1 --template employee --holder "name=Ada Lovelace" \
    --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
card=$(tessera --json card show | jq -r .serial)
tessera card activate --new-pin-file pin
expect_failure 5 tessera card change-pin --pin-file wrong --new-pin-file second
tessera card change-pin --pin-file pin --new-pin-file second
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin $second --list-objects \
    >/dev/null 2>&1
expect_failure any foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin $wrong -O
tessera card unblock --new-pin-file third
tessera card reissue >/dev/null
tessera card activate --new-pin-file pin
tessera card suspend --reason "on leave"
tessera card resume
tessera card find Ada >/dev/null
# The card's own secrets while it is ours, from the file that the virtual card keeps.
# shellcheck disable=SC2154
cp "$VCARD_STATE_0" card-state
expect_failure 4 env -u TESSERA_SESSION setpriv --reuid ada --regid ada --clear-groups tessera card revoke "$card" --yes
tessera card revoke --reason superseded --yes
tessera card retire --reason broken --yes

# --- filters
count() {
    tessera --json audit list "$@" | jq length
}
[ "$(count --card "$card" --operation activate)" = 2 ] || fail "activations"
[ "$(count --outcome PinWrong)" = 2 ] || fail "wrong PINs"
[ "$(count --actor ada --outcome failed)" -ge 1 ] || fail "refused calls of ada"
[ "$(count --actor root --operation login --outcome ok)" = 1 ] || fail "the login through PKCS#11"
[ "$(count --actor tesserad)" = "$(count --actor tesserad --until 2099-01-01)" ] || fail "times"
[ "$(count --since 2099-01-01)" = 0 ] || fail "a time to come"
[ "$(count --limit 3)" = 3 ] || fail "limit"
[ "$(count --operator nobody)" = 0 ] || fail "operators"
newest=$(tessera --json audit list --newest | jq -r '.[].id' | sort -nr | paste -sd,)
[ "$newest" = "$(tessera --json audit list --newest | jq -r '.[].id' | paste -sd,)" ] || fail "order"
expect_failure 2 tessera audit list --since yesterday

# --- export, and verifying without the daemon
tessera audit checkpoint >/dev/null
tessera audit key --output key.pem
tessera audit export --output trail.jsonl
records=$(grep -c '"type":"record"' trail.jsonl)
stop_daemon
verify() {
    tessera --socket /nonexistent audit verify "$@"
}
expect_output "records 1 to $records" verify trail.jsonl --public-key key.pem
expect_output "$(openssl pkey -pubin -in key.pem -outform DER | sha256sum | cut -c-64)" \
    verify trail.jsonl
expect_output '"key_trusted": true' verify --json trail.jsonl --public-key key.pem

broken() { # broken WORDS: the changed export is refused so
    expect_failure 1 verify changed.jsonl --public-key key.pem
    [[ $output == *"$1"* ]] || fail "instead of '$1' verify says: $output"
}
line() { # line ID: the number of the line of a record
    grep -n "\"id\":$1,.*\"type\":\"record\"" trail.jsonl | cut -d: -f1
}
sed "$(line 5)d" trail.jsonl >changed.jsonl
broken "record 5 is missing"
sed "$(line 5),$(line 6)d" trail.jsonl >changed.jsonl
broken "records 5 to 6 are missing"
sed "$(line 5)s/\"outcome\":\"ok\"/\"outcome\":\"Failed\"/" trail.jsonl >changed.jsonl
broken "record 5 was changed"
awk -v a="$(line 5)" 'NR == a { kept = $0; next } { print } NR == a + 1 { print kept }' trail.jsonl \
    >changed.jsonl
broken "record 5 does not stand behind record 4 but further on"
awk -v a="$(line 5)" '{ print } NR == a { print }' trail.jsonl >changed.jsonl
broken "record 5 stands behind record 5"
head -n "$(line 9)" trail.jsonl >changed.jsonl
broken "the end is missing: the last record is 9"
head -n -1 trail.jsonl >changed.jsonl
broken "the last line is missing"
head -c -20 trail.jsonl >changed.jsonl
broken "cut off"
sed '/"type":"checkpoint"/d' trail.jsonl >changed.jsonl
broken "no checkpoint covers the records behind 0"
sed 's/"store":"./"store":"x/' trail.jsonl >changed.jsonl
broken "the proof of a login to another store"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key 2>/dev/null
openssl pkey -in other.key -pubout -out other.pem
expect_failure 1 verify trail.jsonl --public-key other.pem
[[ $output == *"another key"* ]] || fail "of a wrong key verify says: $output"
: >changed.jsonl
broken "is empty"
expect_failure 2 verify trail.jsonl --public-key trail.jsonl
expect_failure 2 verify nothing.jsonl

# --- a trail that was written anew from some record on is found by the daemon, too
cp "$TESSERA_STATE/tessera.db" whole.db
rewrite() { # rewrite SQL: changes records, and computes the chain anew as the daemon does
    rm -f "$TESSERA_STATE"/tessera.db*
    cp whole.db "$TESSERA_STATE/tessera.db"
    /usr/bin/python3 - "$TESSERA_STATE/tessera.db" "$1" <<'END'
import hashlib, sqlite3, struct, sys
database = sqlite3.connect(sys.argv[1])
data = lambda b: struct.pack(">I", len(b)) + b if b else struct.pack(">I", 0xFFFFFFFF)
text = lambda t: data(t and t.encode())
number = lambda n: struct.pack(">Iq", 8, n)
database.execute(sys.argv[2])
previous = bytes(32)
rows = database.execute("SELECT id, time_us, actor, operation, card, outcome, detail, job, operator,"
                        " signature FROM audit ORDER BY id").fetchall()
for id, time, actor, operation, card, outcome, detail, job, operator, signature in rows:
    fields = number(id) + number(time) + text(actor) + text(operation) + text(card) + text(outcome) \
        + text(detail) + number(job)
    if operator:
        fields += text(operator) + data(signature)
    previous = hashlib.sha256(previous + fields).digest()
    database.execute("UPDATE audit SET hash = ? WHERE id = ?", (previous, id))
database.commit()
END
    start_daemon
    expect_failure 1 tessera audit verify
    stop_daemon
}
# No operator signed the record of the key for checkpoints, the last one.
rewrite "UPDATE audit SET detail = 'another key' WHERE operation = 'make-audit-key'"
[[ $output == *"written anew after it was signed"* ]] || fail "the rewritten trail: $output"
rewrite "UPDATE audit SET outcome = 'ok' WHERE outcome = 'PinWrong' AND operator IS NOT NULL"
[[ $output == *"has a signature that is not operator"* ]] || fail "the rewritten trail: $output"
cp "$TESSERA_STATE/tessera.db" rewritten.db
start_daemon

# --- the journal has it all as fields
wait_for 5 grep -qa TESSERA_OUTCOME journal
kill "$journal"
for field in TESSERA_AUDIT_ID TESSERA_OPERATION TESSERA_ACTOR TESSERA_CARD TESSERA_JOB; do
    grep -qa "^$field$" journal || fail "the journal has no field $field"
done
grep -qa "$card" journal || fail "the journal does not name the card"

# --- no secret anywhere: PINs, the factory's and the card's own PUK and management key
tessera audit export --output after.jsonl 2>/dev/null || true
tessera --json audit list >list.json
/usr/bin/python3 - card-state $pin $second $third $wrong "$TESSERA_SANDBOX/log/tesserad" trail.jsonl \
    after.jsonl list.json journal rewritten.db "$TESSERA_STATE"/tessera.db* <<'END'
import base64, sys
state = open(sys.argv[1], "rb").read()
puk = state.index(b"\xc3\x0a", 34) + 2
key = puk + 10
assert puk == 36 and state[key] == 0xC4, "the virtual card's state file has another form"
secrets = [pin.encode() for pin in sys.argv[2:6]] + [state[puk:puk + 8]]
secrets.append(state[key + 4:key + 2 + state[key + 1]])
assert secrets[4].isdigit() and len(secrets[5]) >= 16
for path in sys.argv[6:]:
    content = open(path, "rb").read()
    for number, secret in enumerate(secrets):
        for form in (secret, secret.hex().encode(), secret.hex().upper().encode(),
                     base64.b64encode(secret).rstrip(b"=")):
            if form in content:
                sys.exit(f"secret {number} is in {path}")
END
