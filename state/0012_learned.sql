-- What a target was seen to do otherwise than its profile says: by the key of the capability, with what was asked and
-- answered, and when. It counts for targets.NAME.scim.learned_for.
CREATE TABLE learned (
    target TEXT NOT NULL,
    capability TEXT NOT NULL,
    value TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (target, capability)
) STRICT, WITHOUT ROWID;
