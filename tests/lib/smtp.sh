# SPDX-License-Identifier: LGPL-2.1-or-later
# A mail server, in the present folder:
#
#     start_smtp PORT [OPTION...]    tests/servers/smtp with its folder mails-PORT
#     stop_smtp PORT
#     mails                          how many messages the last one started has taken
#     has_mails N
#     mail_text N                    a message decoded: envelope, headers, an empty line, the text
# shellcheck shell=bash

# shellcheck source=tests/lib/activation.sh
source "$TESSERA_SOURCE/tests/lib/activation.sh"

start_smtp() {
    local port=$1
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    mail_folder=$PWD/mails-$port
    start_part "smtp-$port" "$TESSERA_SOURCE/tests/servers/smtp" --port "$port" --folder "$mail_folder" \
        --certificate "$PWD/localhost.pem" "$@"
    wait_for_part "smtp-$port" activation_answers "$port"
}

stop_smtp() {
    stop_part "smtp-$1" TERM
}

mails() {
    find "$mail_folder" -name '*.eml' | wc -l
}

has_mails() {
    [ "$(mails)" -ge "$1" ]
}

mail_text() {
    python3 - "$mail_folder/$1.eml" <<'END'
import email, email.policy, sys
message = email.message_from_file(open(sys.argv[1], encoding="ascii"), policy=email.policy.default)
if message.defects:
    sys.exit(f"defects: {message.defects}")
for name, value in message.items():
    print(f"{name}: {value}")
print("\n" + message.get_content())
END
}
