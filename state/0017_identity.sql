-- What the last cycle found in place of the pinned source or target (P15); a person looks at it and approves, or not.

ALTER TABLE jobs ADD COLUMN found TEXT;              -- JSON {source, target, known, asked}; NULL: what is pinned
