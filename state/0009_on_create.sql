-- What is sent once, when a resource is made: JSON {attributes, choices}, decided with everything else.
ALTER TABLE links ADD COLUMN on_create TEXT;
-- Creations that were decided before have to be decided again.
UPDATE links SET dirty = dirty | 1 WHERE class = 'create';
