-- When everything was last read anew, and how a removal was confirmed.

ALTER TABLE jobs    ADD COLUMN verified INTEGER;     -- seconds: the last cycle that read everything anew began
ALTER TABLE journal ADD COLUMN evidence TEXT;        -- what the witness of a removal answered, without values
