-- Roles and databases; run by psql at each start and changes nothing that is as declared.
\set ON_ERROR_STOP on
select 'create role crm login' where not exists (select from pg_roles where rolname = 'crm') \gexec
alter role crm password 'crm-dev-password';
alter role crm set timezone = 'UTC';
select 'create role telemetry login' where not exists (select from pg_roles where rolname = 'telemetry') \gexec
alter role telemetry password 'telemetry-dev-password';
alter role telemetry set timezone = 'UTC';
select 'create role bionicpro login' where not exists (select from pg_roles where rolname = 'bionicpro') \gexec
alter role bionicpro password 'bionicpro-dev-password';
alter role bionicpro set timezone = 'UTC';
select 'create role keycloak login' where not exists (select from pg_roles where rolname = 'keycloak') \gexec
alter role keycloak password 'keycloak-dev-password';
alter role keycloak set timezone = 'UTC';
select 'create role debezium login' where not exists (select from pg_roles where rolname = 'debezium') \gexec
alter role debezium password 'debezium-dev-password';
alter role debezium set timezone = 'UTC';
select 'create role ingest_reader login' where not exists (select from pg_roles where rolname = 'ingest_reader') \gexec
alter role ingest_reader password 'ingest_reader-dev-password';
alter role ingest_reader set timezone = 'UTC';
alter role debezium replication;
select 'create database crm owner crm' where not exists (select from pg_database where datname = 'crm') \gexec
revoke all on database crm from public;
select 'create database telemetry owner telemetry' where not exists (select from pg_database where datname = 'telemetry') \gexec
revoke all on database telemetry from public;
select 'create database bionicpro owner bionicpro' where not exists (select from pg_database where datname = 'bionicpro') \gexec
revoke all on database bionicpro from public;
select 'create database keycloak owner keycloak' where not exists (select from pg_database where datname = 'keycloak') \gexec
revoke all on database keycloak from public;

grant connect on database crm to debezium;
grant connect on database telemetry to ingest_reader;

\connect crm
alter schema public owner to crm;
grant usage on schema public to debezium;
grant select on all tables in schema public to debezium;
alter default privileges for role crm in schema public grant select on tables to debezium;

\connect telemetry
alter schema public owner to telemetry;
grant usage on schema public to ingest_reader;
grant select on all tables in schema public to ingest_reader;
alter default privileges for role telemetry in schema public grant select on tables to ingest_reader;
