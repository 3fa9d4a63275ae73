-- The version of the program that decided last: what another one decides otherwise is the upgrade's doing (P13).

ALTER TABLE jobs ADD COLUMN program TEXT;
