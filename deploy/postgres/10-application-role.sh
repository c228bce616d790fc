#!/bin/bash
# Runs once, when the database is made: a role for the application that owns its database and nothing else.
# It is no superuser, makes no databases and no roles; nobody else may connect.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --no-psqlrc --quiet \
  --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/database_password)" <<'SQL'
create role cpgateway login nosuperuser nocreatedb nocreaterole noreplication password :'password';
create database cpgateway owner cpgateway;
revoke all on database cpgateway from public;
SQL
