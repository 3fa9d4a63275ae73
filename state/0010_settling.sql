-- How long a request may still be carried out after the process that sent it is gone, and how long each write took.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE journal ADD COLUMN sent     INTEGER;     -- milliseconds: when it was handed to the target
ALTER TABLE journal ADD COLUMN patience INTEGER;     -- milliseconds: so long after it a request may still be carried out
ALTER TABLE journal ADD COLUMN took     INTEGER;     -- milliseconds from `sent` to the outcome
