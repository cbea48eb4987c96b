# SPDX-License-Identifier: LGPL-2.1-or-later
# The parts of the sandbox: system bus, pcscd, virtual cards, tesserad. Each start_ function returns
# when its part answers, and shows the part's log when it does not. Used by tests/sandbox to build the
# private system and, through tests/lib/sandbox.sh, by tests that stop and restart parts.
# shellcheck shell=bash
# The settings file sets these; shellcheck cannot follow it.
# shellcheck disable=SC1091,SC2154

source "$TESSERA_SANDBOX/etc/settings"

# Under valgrind, gdb or sanitizers programs are many times slower.
part_patience=15
[ -z "${runner:-}${TESSERA_PRELOAD:-}" ] || part_patience=90
vpcd_first_port=35963

# --- any part -----------------------------------------------------------------------------------

# start_part NAME CMD...: CMD in the background; log, process id and, at the end, status in files. It
# gets a session of its own: Ctrl-C on the terminal is for the sandbox's command, not for its parts.
start_part() {
    local name=$1
    shift
    rm -f "$TESSERA_SANDBOX/part/$name".{pid,status}
    (
        status=0
        # shellcheck disable=SC2016
        setsid --wait "$BASH" -c 'echo $$ >"$1.new" && mv "$1.new" "$1"; shift; exec "$@"' \
            part "$TESSERA_SANDBOX/part/$name.pid" "$@" </dev/null >>"$TESSERA_SANDBOX/log/$name" 2>&1 ||
            status=$?
        echo "$status" >"$TESSERA_SANDBOX/part/$name.status"
    ) >/dev/null 2>&1 &
    disown $!
    wait_until 5 test -s "$TESSERA_SANDBOX/part/$name.pid"
}

part_pid() {
    cat "$TESSERA_SANDBOX/part/$1.pid" 2>/dev/null
}

part_status() {
    cat "$TESSERA_SANDBOX/part/$1.status" 2>/dev/null || echo unknown
}

# Whether the part was started and nobody asked it to end since.
part_was_started() {
    [ -e "$TESSERA_SANDBOX/part/$1.pid" ]
}

part_is_running() {
    local pid
    pid=$(part_pid "$1") && [ ! -e "$TESSERA_SANDBOX/part/$1.status" ] && kill -0 "$pid" 2>/dev/null
}

part_has_ended() {
    ! part_is_running "$1"
}

# The process to send signals to: under gdb that is gdb's child.
part_target() {
    local pid
    pid=$(part_pid "$1") || return 1
    if [ "$1" = tesserad ] && [ "${runner:-}" = gdb ]; then
        pgrep --parent "$pid" && return
    fi
    echo "$pid"
}

# stop_part NAME SIGNAL: sends the signal and waits for the end.
stop_part() {
    local name=$1 signal=$2 pid
    pid=$(part_target "$name") || return 0
    kill "-$signal" "$pid" 2>/dev/null
    if ! wait_until "$part_patience" test -e "$TESSERA_SANDBOX/part/$name.status"; then
        echo "sandbox: $name does not end on SIG$signal" >&2
        return 1
    fi
    rm -f "$TESSERA_SANDBOX/part/$name.pid"
}

# What pcscd says at every power-on of a virtual card is noise.
show_log() {
    echo "--- log of $1" >&2
    grep -v 'Card not transacted: 606' "$TESSERA_SANDBOX/log/$1" | tail -n 200 >&2
}

# wait_until SECONDS CMD...: asks 50 times a second until CMD succeeds.
wait_until() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.02
    done
}

# wait_for_part NAME CMD...: until CMD succeeds; gives up at once when the part has ended.
wait_for_part() {
    local name=$1
    shift
    wait_until "$part_patience" part_answers_or_ended "$name" "$@"
    if ! part_is_running "$name" || ! "$@" >/dev/null 2>&1; then
        echo "sandbox: $name did not start" >&2
        show_log "$name"
        return 1
    fi
}

part_answers_or_ended() {
    local name=$1
    shift
    part_has_ended "$name" || "$@"
}

# --- system bus ---------------------------------------------------------------------------------

# The accounts that our policy and service files name, in copies of the user database that only this
# system sees: tesserad's own, and two persons whom tests act as.
add_accounts() {
    local file name id
    for file in passwd group; do
        cp "/etc/$file" "$TESSERA_SANDBOX/etc/$file"
    done
    while IFS=: read -r name id; do
        grep -q "^$name:" /etc/passwd ||
            echo "$name:x:$id:$id::/nonexistent:/bin/sh" >>"$TESSERA_SANDBOX/etc/passwd"
        grep -q "^$name:" /etc/group || echo "$name:x:$id:" >>"$TESSERA_SANDBOX/etc/group"
    done <<<$'tessera:61001\nada:61002\ngrace:61003'
    for file in passwd group; do
        mount --bind "$TESSERA_SANDBOX/etc/$file" "/etc/$file" || return 1
    done
}

# Our policy file: from the source tree, or made by the build.
bus_policy() {
    local folder
    for folder in "$TESSERA_BUILD" "$TESSERA_SOURCE"; do
        if [ -e "$folder/dbus/org.tessera1.conf" ]; then
            echo "$folder/dbus/org.tessera1.conf"
            return
        fi
    done
}

# The rules of Debian's /usr/share/dbus-1/system.conf without its paths, user and helper.
write_bus_config() {
    local policy
    policy=$(bus_policy)
    mkdir -p "$TESSERA_SANDBOX/etc/services" "$TESSERA_SANDBOX/etc/policy"
    [ -z "$policy" ] || cp "$policy" "$TESSERA_SANDBOX/etc/policy/"
    cat >"$TESSERA_SANDBOX/etc/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <servicedir>$TESSERA_SANDBOX/etc/services</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus"
      send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus"
      send_interface="org.freedesktop.DBus.Properties"/>
    <deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"
      send_member="UpdateActivationEnvironment"/>
    <deny send_destination="org.freedesktop.DBus"
      send_interface="org.freedesktop.DBus.Debug.Stats"/>
  </policy>
  <policy user="root">
    <allow send_destination="org.freedesktop.DBus"
      send_interface="org.freedesktop.DBus.Monitoring"/>
    <allow send_destination="org.freedesktop.DBus"
      send_interface="org.freedesktop.DBus.Debug.Stats"/>
  </policy>
  <includedir>$TESSERA_SANDBOX/etc/policy</includedir>
</busconfig>
END
}

bus_call() {
    dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus "$@"
}

start_bus() {
    write_bus_config
    rm -f /run/dbus/system_bus_socket
    start_part bus dbus-daemon --config-file="$TESSERA_SANDBOX/etc/bus.conf" \
        --nofork --nopidfile --nosyslog
    wait_for_part bus bus_call org.freedesktop.DBus.GetId
}

stop_bus() {
    stop_part bus TERM
}

# --- pcscd and its readers ----------------------------------------------------------------------

# Keeps a copy of vpcd's driver and covers the folder of drivers, so that pcscd finds no other.
take_reader_driver() {
    local driver
    [ ! -e "$TESSERA_SANDBOX/etc/libifdvpcd.so" ] || return 0
    driver=$(find /usr/lib/pcsc /usr/lib/*/pcsc -name libifdvpcd.so 2>/dev/null | head -n 1)
    if [ -z "$driver" ]; then
        echo "sandbox: libifdvpcd.so is missing (Debian: vsmartcard-vpcd)" >&2
        return 1
    fi
    cp -L "$driver" "$TESSERA_SANDBOX/etc/libifdvpcd.so"
    mount -t tmpfs none /usr/lib/pcsc/drivers
}

# One entry has two slots, on successive ports; a driver's slots are static data, so that each entry
# needs a copy of its own. The names suit tools that look for a YubiKey, and differ between entries.
write_reader_config() {
    local entry port
    mkdir -p "$TESSERA_SANDBOX/etc/reader.conf.d"
    for ((entry = 0; entry * 2 < (VCARD_CARDS > 0 ? VCARD_CARDS : 1); entry++)); do
        port=$(printf '0x%X' $((vpcd_first_port + 2 * entry)))
        cp "$TESSERA_SANDBOX/etc/libifdvpcd.so" "$TESSERA_SANDBOX/etc/vpcd-$entry.so"
        cat <<END
FRIENDLYNAME "Yubico YubiKey OTP+FIDO+CCID$([ $entry = 0 ] || echo " $entry")"
DEVICENAME /dev/null:$port
LIBPATH $TESSERA_SANDBOX/etc/vpcd-$entry.so
CHANNELID $port

END
    done >"$TESSERA_SANDBOX/etc/reader.conf.d/vpcd"
    ! $with_owner || write_owner_reader >>"$TESSERA_SANDBOX/etc/reader.conf.d/vpcd"
}

start_pcscd() {
    take_reader_driver || return 1
    write_reader_config
    rm -f /run/pcscd/*
    start_part pcscd pcscd --foreground --config "$TESSERA_SANDBOX/etc/reader.conf.d"
    wait_for_part pcscd test -S /run/pcscd/pcscd.comm
}

stop_pcscd() {
    stop_part pcscd TERM
}

kill_pcscd() {
    stop_part pcscd KILL
}

# --- virtual cards ------------------------------------------------------------------------------

card_kind() {
    local kinds
    IFS=, read -r -a kinds <<<"$cards"
    echo "${kinds[$1]}"
}

card_is_present() {
    [ "$(card_kind "$1")" != none ]
}

# card_options N: what the kind of card N and --vcard-option ask for, one option per line.
card_options() {
    local n=$1 option
    case $(card_kind "$n") in
        blank) echo --firmware=5.4.3 ;;
        factory) echo --firmware=5.7.1 ;;
        scp11) printf '%s\n' --firmware=5.7.2 "--scp11-ca=$TESSERA_SANDBOX/etc/scp11-ca.pem" ;;
        old) echo --firmware=4.3.5 ;;
        nist) echo --profile=nist ;;
    esac
    for option in "${vcard_options[@]}"; do
        case $option in
            "$n":*) echo "${option#*:}" ;;
            [0-9]*:*) ;;
            *) echo "$option" ;;
        esac
    done
}

card_file() {
    local variable=VCARD_$1_$2
    echo "${!variable}"
}

start_card() {
    local n=$1 options
    mapfile -t options < <(card_options "$n" | xargs -n 1 printf '%s\n')
    start_part "card-$n" "$TESSERA_BUILD/tests/vcard/tessera-vcard" \
        --host 127.0.0.1 --port $((vpcd_first_port + n)) --serial $((10000001 + n)) \
        --state "$(card_file STATE "$n")" --control "$(card_file CONTROL "$n")" \
        --count-file "$(card_file COUNT "$n")" --apdu-log "$(card_file LOG "$n")" "${options[@]}"
    wait_for_part "card-$n" test -S "$(card_file CONTROL "$n")"
}

# certify_scp11 NAME CN OPTION...: a new key and its certificate, that of a CA.
certify_scp11() {
    local name=$1 subject=$2
    shift 2
    openssl req -x509 -config /dev/null -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
        -subj "/CN=$subject" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$name.key" -out "$name.pem" "$@" 2>/dev/null
}

# The CA that certifies the keys of scp11 cards, and its root. It stays with the cards (--state).
make_scp11_ca() {
    local folder=$TESSERA_SANDBOX/kept/scp11 etc=$TESSERA_SANDBOX/etc
    if [ ! -e "$folder/ca.pem" ]; then
        mkdir -p "$folder"
        (
            umask 077
            certify_scp11 "$folder/root" 'Virtual SCP11 root' &&
                certify_scp11 "$folder/issuing" 'Virtual SCP11 issuing CA' \
                    -CA "$folder/root.pem" -CAkey "$folder/root.key" &&
                cat "$folder"/issuing.{key,pem} "$folder/root.pem" >"$folder/ca.pem"
        ) || { echo "sandbox: openssl cannot make the CA of scp11 cards" >&2; return 1; }
    fi
    cp "$folder/ca.pem" "$etc/scp11-ca.pem" &&
        install -m 0644 "$folder/root.pem" "$etc/scp11-root.pem"
}

start_cards() {
    local n
    case ,$cards, in
        *,scp11,*) make_scp11_ca || return 1 ;;
    esac
    for ((n = 0; n < VCARD_CARDS; n++)); do
        ! card_is_present "$n" || start_card "$n" || return 1
    done
}

stop_card() {
    stop_part "card-$1" TERM
}

kill_card() {
    stop_part "card-$1" KILL
}

cards_seen() {
    opensc-tool --list-readers 2>/dev/null | awk '$2 == "Yes" { n++ } END { print n + 0 }'
}

readers_are_ready() {
    local n wanted=0
    for ((n = 0; n < VCARD_CARDS; n++)); do
        ! part_is_running "card-$n" || wanted=$((wanted + 1))
    done
    opensc-tool --list-readers 2>/dev/null | grep -q Yubico && [ "$(cards_seen)" = "$wanted" ]
}

# Until pcscd sees every card that runs: programs fail at once on a reader that is still empty.
wait_for_readers() {
    local n
    wait_for_part pcscd readers_are_ready && return
    for ((n = 0; n < VCARD_CARDS; n++)); do
        ! card_is_present "$n" || show_log "card-$n"
    done
    return 1
}

# --- tesserad -----------------------------------------------------------------------------------

write_daemon_config() {
    local pin=$TESSERA_SANDBOX/kept/token-pin line
    if [ ! -e "$pin" ]; then
        (umask 077 && od -An -N 16 -tx1 /dev/urandom | tr -d ' \n' >"$pin")
    fi
    {
        echo "state-dir = $TESSERA_STATE"
        echo "socket = $TESSERA_SOCKET"
        echo "data-dir = $TESSERA_SOURCE/data"
        echo "token-program = $TESSERA_BUILD/tessera-token"
        echo "token-pin-file = $pin"
        echo "log-level = debug"
        for line in "${daemon_options[@]}"; do
            echo "$line"
        done
    } >"$TESSERA_CONFIG"
}

daemon_owns_name() {
    bus_call org.freedesktop.DBus.NameHasOwner string:org.tessera1 2>/dev/null | grep -q true
}

# start_daemon_unready: starts it without waiting until it serves, for tests of failing starts.
start_daemon_unready() {
    local around=()
    case ${runner:-} in
        valgrind) around=(valgrind --error-exitcode=97 --leak-check=full
            --errors-for-leak-kinds=definite --suppressions="$TESSERA_SOURCE/tests/lib/valgrind.supp" --num-callers=30) ;;
        gdb) around=(gdb --batch --quiet --return-child-result -ex 'handle SIGTERM nostop noprint pass'
            -ex 'handle SIGPIPE nostop noprint pass' -ex run -ex 'thread apply all backtrace full'
            --args) ;;
    esac
    start_part tesserad "${around[@]}" "$TESSERA_BUILD/tesserad" --config "$TESSERA_CONFIG"
}

start_daemon() {
    start_daemon_unready
    wait_for_part tesserad daemon_owns_name && start_owner
}

# Asks tesserad to end; a status other than 0 is a failure and shown.
stop_daemon() {
    local status
    stop_part owner TERM
    stop_part tesserad TERM || return 1
    status=$(part_status tesserad)
    if [ "$status" != 0 ]; then
        echo "sandbox: tesserad ended with status $status when asked to end" >&2
        return 1
    fi
}

kill_daemon() {
    stop_part owner KILL
    stop_part tesserad KILL
}

# --- the system owner ---------------------------------------------------------------------------

owner_port=$((vpcd_first_port + 100))

write_owner_reader() {
    local port
    port=$(printf '0x%X' "$owner_port")
    cp "$TESSERA_SANDBOX/etc/libifdvpcd.so" "$TESSERA_SANDBOX/etc/vpcd-owner.so"
    cat <<END
FRIENDLYNAME "Owner's reader"
DEVICENAME /dev/null:$port
LIBPATH $TESSERA_SANDBOX/etc/vpcd-owner.so
CHANNELID $port

END
}

# Without the owner's login: nothing else is there yet.
tessera_plain() {
    env -u TESSERA_SESSION "$TESSERA_BUILD/tessera" "$@"
}

# The number of the reader that tesserad sees the owner's card in.
owner_reader() {
    tessera_plain reader list 2>/dev/null |
        awk '/Owner/ && /yubikey-19999999/ { print $1; found = 1; exit } END { exit !found }'
}

# From where programs look for cards, and from where tesserad shows them.
owner_card_is_gone() {
    opensc-tool --list-readers 2>/dev/null | awk '/Owner/ && $2 == "No" { found = 1 } END { exit !found }' &&
        ! owner_reader
}

start_owner_card() {
    local part=$TESSERA_SANDBOX/part/card-owner
    start_part card-owner "$TESSERA_BUILD/tests/vcard/tessera-vcard" \
        --host 127.0.0.1 --port "$owner_port" --serial 19999999 --firmware=5.4.3 \
        --state "$TESSERA_SANDBOX/kept/cards/owner" --control "$part.control" \
        --count-file "$part.count" --apdu-log "$TESSERA_SANDBOX/log/apdu-owner"
    wait_for_part card-owner owner_reader
}

is_initialised() {
    [[ $(tessera_plain status --json) == *'"initialized": true'* ]]
}

log_owner_in() {
    local session=$TESSERA_SANDBOX/part/session
    rm -f "$session"
    # shellcheck disable=SC2016
    start_part owner env -u TESSERA_SESSION "$TESSERA_BUILD/tessera" login --reader "$1" --pin-file "$2" -- \
        sh -c 'ln -s "$TESSERA_SESSION" "$1" && exec sleep infinity' sh "$session"
    wait_for_part owner test -S "$session"
}

# Makes a new installation's owner, and logs the owner in for CMD. The card is there only meanwhile.
start_owner() {
    local reader pin=$TESSERA_SANDBOX/kept/owner-pin
    $with_owner && part_is_running pcscd && part_is_running tesserad || return 0
    [ -e "$pin" ] || (umask 077 && echo 271828 >"$pin")
    part_has_ended owner || stop_part owner TERM
    # A new installation takes a new card.
    is_initialised || rm -f "$TESSERA_SANDBOX/kept/cards/owner"
    start_owner_card || return 1
    reader=$(owner_reader)
    if ! is_initialised && ! tessera_plain init --reader "$reader" --new-pin-file "$pin" --name Owner \
        >"$TESSERA_SANDBOX/log/init" 2>&1; then
        show_log init
        return 1
    fi
    log_owner_in "$reader" "$pin" || return 1
    stop_part card-owner TERM
    # What a test counts are its own cards.
    wait_for_part pcscd owner_card_is_gone
}
