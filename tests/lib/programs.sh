# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of other people's programs share. After tests/lib/sandbox.sh:
#
#     need CMD...                end the test as skipped where a program is not installed
#     loads_module CMD...        from now on CMD is run with what our module needs (see foreign)
#     private_folder DIR         DIR, of the machine, is a copy that only this test sees and may change
#     private_etc                the same of /etc, where folders may be added then
#     install_module             our module and its p11-kit file lie where "make install" puts them;
#                                TESSERA_PKCS11_MODULE is that from now on
#     issue READER TEMPLATE NAME [FIELD=VALUE...]
#                                an active card for NAME, whose user name is its first word; its PIN
#                                is in the file pin; prints the card's serial
#     server_certificate NAME [EXTENSION...]
#                                NAME.pem and NAME.key for a server on this machine called NAME, of
#                                the authority servers-ca.pem
#     host_is_here NAME          this name on the network is this machine
#     start_server PORT CMD...   CMD in the background until PORT answers; its log is in server.log
#     stop_server                the one that was started last, and wait for its end
#     port_answers PORT
# shellcheck shell=bash

need() {
    local program
    for program; do
        type -P "$program" >/dev/null || skip "$program is not installed"
    done
}

loads_module() {
    local program
    [ -n "$TESSERA_PRELOAD" ] || return 0
    for program; do
        eval "$program() { foreign '$(type -P "$program")' \"\$@\"; }"
    done
}

private_folder() {
    local copy
    copy=$(mktemp -d "$TESSERA_SANDBOX/etc/private.XXXXXX")
    # In a user namespace some of it may not be read; no test needs that.
    cp -R --preserve=mode "$1/." "$copy" 2>/dev/null || true
    chmod 0755 "$copy"
    mount --bind "$copy" "$1"
}

private_etc() {
    local machine=$TESSERA_SANDBOX/etc/machine private=$TESSERA_SANDBOX/etc/private
    mkdir "$machine" "$private"
    mount --rbind /etc "$machine"
    ln -s "$machine"/* "$private"
    mount --bind "$private" /etc
}

install_module() {
    local folder
    folder=$(dirname "$(ls /usr/lib/*/pkcs11/opensc-pkcs11.so)")
    private_folder "$folder"
    cp "$TESSERA_PKCS11_MODULE" "$folder"
    TESSERA_PKCS11_MODULE=$folder/tessera-pkcs11.so
    private_folder /usr/share/p11-kit/modules
    # The embedded token's library is none of the programs' business.
    rm -f /usr/share/p11-kit/modules/softhsm2.module
    sed "s|^module:.*|module: $TESSERA_PKCS11_MODULE|" "$TESSERA_BUILD/data/tessera.module" \
        >/usr/share/p11-kit/modules/tessera.module
}

issue() {
    local reader=$1 template=$2 name=$3 login field fields=()
    login=${name%% *} login=${login,,}
    for field in "name=$name" "email=$login@example.org" "upn=$login@EXAMPLE.ORG" "${@:4}"; do
        fields+=(--holder "$field")
    done
    [ -e pin ] || echo 271828 >pin
    wait_for 60 tessera reader show "$reader"
    tessera card issue --reader "$reader" --template "$template" "${fields[@]}" >/dev/null
    tessera card activate "reader:$reader" --new-pin-file pin >/dev/null
    tessera --json card show "reader:$reader" | jq -r .serial
}

server_certificate() {
    local name=$1 extension extensions=()
    [ -e servers-ca.pem ] || openssl req -x509 -newkey rsa:2048 -nodes -keyout servers-ca.key \
        -out servers-ca.pem -days 2 -subj "/CN=Servers' CA" 2>/dev/null
    for extension in "subjectAltName=DNS:$name,IP:127.0.0.1" basicConstraints=critical,CA:FALSE \
        extendedKeyUsage=serverAuth "${@:2}"; do
        extensions+=(-addext "$extension")
    done
    openssl req -x509 -CA servers-ca.pem -CAkey servers-ca.key -newkey rsa:2048 -nodes \
        -keyout "$name.key" -out "$name.pem" -days 2 -subj "/CN=$name" "${extensions[@]}" 2>/dev/null
}

host_is_here() {
    cp /etc/hosts "$TESSERA_SANDBOX/etc/hosts"
    echo "127.0.0.1 $1" >>"$TESSERA_SANDBOX/etc/hosts"
    mount --bind "$TESSERA_SANDBOX/etc/hosts" /etc/hosts
}

port_answers() {
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_server() {
    local port=$1
    shift
    "$@" >server.log 2>&1 </dev/null &
    server_pid=$!
    wait_for 60 port_answers_or_ended "$port"
    port_answers "$port" || fail "'$*' did not start: $(cat server.log)"
}

port_answers_or_ended() {
    port_answers "$1" || ! kill -0 "$server_pid" 2>/dev/null
}

stop_server() {
    kill "$server_pid"
    wait "$server_pid" || true
}
