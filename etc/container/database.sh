#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts one PostgreSQL server of compose.cluster.yaml. All have the same configuration: a member that is not the primary
# follows whichever member is, and every commit of the primary waits for one of the others.
#
# A member without data copies the primary's. Only where DATABASE_MAY_INITIALISE is true, and no member accepts
# connections, it makes a new database instead.
#
#   DATABASE_MEMBER                 the name of this member, which is also its host name
#   DATABASE_MEMBERS                the names of all
#   DATABASE_FOLDER                 in which the folder pgdata is made
#   DATABASE_PASSWORD               of the role gallery, which owns the database gallery
#   DATABASE_REPLICATION_PASSWORD   of the role replicator
#   DATABASE_MAY_INITIALISE         default: false
#   DATABASE_LISTEN                 addresses to listen on; default: *
set -euo pipefail
umask 077
PATH=/usr/lib/postgresql/15/bin:$PATH
: "${DATABASE_MEMBER:?}" "${DATABASE_MEMBERS:?}" "${DATABASE_FOLDER:?}" "${DATABASE_PASSWORD:?}" "${DATABASE_REPLICATION_PASSWORD:?}"
data=$DATABASE_FOLDER/pgdata
unfinished=$DATABASE_FOLDER/unfinished
hosts=${DATABASE_MEMBERS// /,}
names="\"${DATABASE_MEMBERS// /\", \"}\""

# libpq reads the password from this file, so that no command line contains it.
export PGPASSFILE=$DATABASE_FOLDER/pgpass
password=${DATABASE_REPLICATION_PASSWORD//\\/\\\\}
printf '*:*:*:replicator:%s\n' "${password//:/\\:}" >"$PGPASSFILE"
primary="host=$hosts user=replicator target_session_attrs=read-write connect_timeout=2"

say() { printf 'database: %s\n' "$*"; }

copy_of_the_primary() {
    rm -rf "$unfinished"
    pg_basebackup -d "$primary" --no-password -D "$unfinished" -X stream -c fast >"$DATABASE_FOLDER/copy.log" 2>&1 || return 1
    touch "$unfinished/standby.signal"
}

# One statement a line, as single-user mode requires.
statements() {
    printf "create role replicator login replication password '%s'\n" "${DATABASE_REPLICATION_PASSWORD//\'/\'\'}"
    printf "create role gallery login password '%s'\n" "${DATABASE_PASSWORD//\'/\'\'}"
    printf 'create database gallery owner gallery\n'
}

new_database() {
    rm -rf "$unfinished"
    initdb -D "$unfinished" -U postgres --data-checksums -E UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=reject >/dev/null
    # Only by password, and only for what the gallery and the standbys do.
    printf '%s\n' 'local all postgres peer' 'host gallery gallery all scram-sha-256' \
        'host replication replicator all scram-sha-256' >"$unfinished/pg_hba.conf"
    # It ends with 0 also after an error.
    statements | postgres --single -D "$unfinished" -c password_encryption=scram-sha-256 postgres >/dev/null 2>"$DATABASE_FOLDER/new.log"
    ! grep -E 'ERROR|FATAL' "$DATABASE_FOLDER/new.log" >&2
}

if [ ! -d "$data" ]; then
    until copy_of_the_primary; do
        if [ "${DATABASE_MAY_INITIALISE:-false}" = true ] && ! pg_isready -q -d "host=$hosts"; then
            say "no member accepts connections: making a new database"
            new_database
            break
        fi
        say "waiting for the primary: $(tail -n 1 "$DATABASE_FOLDER/copy.log")"
        sleep 1
    done
    mv "$unfinished" "$data"
    sync -f "$DATABASE_FOLDER"
fi
rm -rf "$unfinished"
say "starting as $([ -e "$data/standby.signal" ] && echo a standby || echo the primary)"
exec postgres -D "$data" -c listen_addresses="${DATABASE_LISTEN:-*}" -c unix_socket_directories="$DATABASE_FOLDER" \
    -c cluster_name="$DATABASE_MEMBER" -c primary_conninfo="$primary application_name=$DATABASE_MEMBER" \
    -c synchronous_standby_names="ANY 1 ($names)" -c synchronous_commit=on -c recovery_init_sync_method=syncfs \
    -c wal_keep_size=1GB -c wal_log_hints=on -c max_connections=200 -c wal_receiver_timeout=5s -c wal_sender_timeout=5s \
    -c password_encryption=scram-sha-256
