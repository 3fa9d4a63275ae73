-- Who is not wanted active, by cause: how many people a filter or a policy leaves out is counted without a scan.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

CREATE INDEX links_left_out ON links (job, kind, cause, applied) WHERE desired <> 'active';
