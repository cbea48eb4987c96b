# SPDX-License-Identifier: LGPL-2.1-or-later
# LDAP directories (OpenLDAP's slapd), each in a folder NAME of the present one, with the suffix dc=example,dc=org:
#
#     make_slapd NAME [LINE...]      its configuration, to which the lines are added, and its certificate, which
#                                    slapd_certificate made for 127.0.0.1
#     slapd_certificate NAME DAYS HOST [CA]   another one: valid for so many days (0: it has expired), for that IP
#                                    address, of slapd-ca.pem or of CA.pem (made if it is missing)
#     load_slapd NAME <LDIF          entries, besides the ones that each has: ou=people, which only the account
#                                    cn=reader (password "reader secret") reads, and ou=public
#     people FIRST LAST              LDIF of generated people: uid p0000001 with the password "secret 1" and
#                                    the entryUUID 00000000-0000-4000-8000-000000000001, ...
#     start_slapd NAME PORT [SIZE]   ldap on PORT, ldaps on the next one, ldapi in NAME/ldapi
#     stop_slapd NAME
#     slapd_change NAME <LDIF        changes by ldapmodify, as the directory's manager
# shellcheck shell=bash

slapd_suffix=dc=example,dc=org

slapd_ca() {
    [ -e "$1.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj "/CN=Test CA $1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

# x509 -days takes no time in the past; ca does.
slapd_certificate() {
    local name=$1 days=$2 host=$3 ca=${4:-slapd-ca}
    slapd_ca "$ca"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=slapd $name" \
        -keyout "$name/tls.key" -out "$name/tls.csr" 2>/dev/null
    printf 'subjectAltName=IP:%s\n' "$host" >"$name/tls.ext"
    printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=any
[any]\ncommonName=supplied\n' "$name/tls.index" "$name/tls.serial" "$name" >"$name/tls.conf"
    : >"$name/tls.index"
    openssl rand -hex 8 >"$name/tls.serial"
    openssl ca -batch -notext -config "$name/tls.conf" -cert "$ca.pem" -keyfile "$ca.key" -in "$name/tls.csr" \
        -out "$name/tls.pem" -extfile "$name/tls.ext" \
        -startdate "$(date -u -d '-40 days' +%y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$((days - 1)) days" +%y%m%d%H%M%SZ)" 2>/dev/null
}

# A copy of the program has no profile of AppArmor, which would let it read Debian's own folders alone.
make_slapd() {
    local name=$1 line
    shift
    mkdir -p "$name/data"
    cp /usr/sbin/slapd "$name/slapd"
    slapd_certificate "$name" 30 127.0.0.1
    {
        sed 's/^ *//' <<END
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/nis.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload ppolicy
            pidfile $PWD/$name/pid
            TLSCACertificateFile $PWD/slapd-ca.pem
            TLSCertificateFile $PWD/$name/tls.pem
            TLSCertificateKeyFile $PWD/$name/tls.key
            TLSVerifyClient try
            TLSProtocolMin 3.3
            authz-regexp "cn=cardd" "cn=reader,$slapd_suffix"
            authz-regexp "gidNumber=.*,cn=peercred,cn=external,cn=auth" "cn=reader,$slapd_suffix"
            attributetype ( 1.3.6.1.4.1.55555.1 NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
            attributetype ( 1.3.6.1.4.1.55555.2 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch
            	SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
            attributetype ( 1.3.6.1.4.1.55555.3 NAME 'krbCanonicalName' EQUALITY caseExactMatch
            	SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
            attributetype ( 1.3.6.1.4.1.55555.4 NAME 'krbPrincipalName' EQUALITY caseExactMatch
            	SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
            attributetype ( 1.3.6.1.4.1.55555.5 NAME 'badge' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
            objectclass ( 1.3.6.1.4.1.55555.9 NAME 'tester' AUXILIARY
            	MAY ( nsAccountLock \$ ipaUniqueID \$ krbCanonicalName \$ krbPrincipalName \$ badge ) )
END
        for line in "$@"; do [[ $line != global:* ]] || echo "${line#global:}"; done
        sed 's/^ *//' <<END
            database mdb
            suffix $slapd_suffix
            rootdn cn=manager,$slapd_suffix
            rootpw manager
            directory $PWD/$name/data
            maxsize 1073741824
            limits dn.exact=cn=reader,$slapd_suffix size.prtotal=unlimited
            index objectClass eq
            index entryUUID eq
            index uid,mail,cn,sn,givenName,employeeNumber eq,sub
            index ipaUniqueID,krbCanonicalName,krbPrincipalName,uidNumber eq
            access to attrs=userPassword by anonymous auth by * none
            access to dn.subtree=ou=public,$slapd_suffix by * read
            access to * by dn.exact=cn=reader,$slapd_suffix read by * none
END
        for line in "$@"; do [[ $line == global:* ]] || echo "$line"; done
    } >"$name/slapd.conf"
    load_slapd "$name" <<END
dn: $slapd_suffix
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=reader,$slapd_suffix
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader secret

dn: ou=people,$slapd_suffix
objectClass: organizationalUnit
ou: people

dn: ou=public,$slapd_suffix
objectClass: organizationalUnit
ou: public
END
}

# -q: nothing else writes there, and a load that breaks off fails the test.
load_slapd() {
    "$1/slapd" -T add -q -f "$1/slapd.conf" -b "$slapd_suffix"
}

people() {
    awk -v first="$1" -v last="$2" -v suffix="$slapd_suffix" 'BEGIN {
        split("Ada Grace Alan Edsger Barbara Donald Frances John Margaret Niklaus Radia Dennis", given, " ")
        split("Lovelace Hopper Turing Dijkstra Liskov Knuth Allen Backus Hamilton Wirth Perlman Ritchie Abel " \
            "Becker Curie Darwin Euler Fermat Gauss Hilbert Jacobi Kepler Lagrange Maxwell", family, " ")
        for (i = first; i <= last; i++) {
            g = given[i % 12 + 1]
            f = family[int(i / 12) % 24 + 1]
            printf "dn: uid=p%07d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: p%07d\n", i, suffix, i
            printf "cn: %s %s %d\ngivenName: %s\nsn: %s\nmail: p%d@example.org\n", g, f, i, g, f, i
            printf "employeeNumber: %d\ntelephoneNumber: +44 20 %07d\nou: Works\ntitle: Engineer\n", 500000 + i, i
            printf "userPassword: secret %d\nentryUUID: 00000000-0000-4000-8000-%012d\n\n", i, i
        }
    }'
}

slapd_answers() {
    ldapwhoami -x -H "ldap://127.0.0.1:$1"
}

start_slapd() {
    local name=$1 port=$2
    # What this machine is configured for is not the directory's concern.
    export LDAPNOINIT=1
    echo "$port" >"$name/port"
    start_part "slapd-$name" "$name/slapd" -d none -f "$name/slapd.conf" -h \
        "ldap://127.0.0.1:$port/ ldap://127.0.0.2:$port/ ldaps://127.0.0.1:$((port + 1))/ ldapi://${PWD//\//%2F}%2F$name%2Fldapi"
    wait_for_part "slapd-$name" slapd_answers "$port"
}

stop_slapd() {
    stop_part "slapd-$1" TERM
}

slapd_change() {
    ldapmodify -x -H "ldap://127.0.0.1:$(cat "$1/port")" -D "cn=manager,$slapd_suffix" -w manager >/dev/null
}
