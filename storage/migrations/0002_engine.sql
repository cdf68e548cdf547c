-- Callbacks, late pictures, measured durations, and what the admins were told.

-- The path of a callback is a secret: only its hash is kept. What a callback names, while its
-- submission has no answer, is no more than a hint to ask.
ALTER TABLE submissions ADD COLUMN callback_hash TEXT;
ALTER TABLE submissions ADD COLUMN hinted_task_id TEXT;

CREATE UNIQUE INDEX submissions_callback ON submissions (callback_hash)
  WHERE callback_hash IS NOT NULL;

-- An image that came after its task was over for the person: `due` until they were shown it.
ALTER TABLE images ADD COLUMN late TEXT CHECK (late IN ('due', 'told'));

CREATE INDEX images_late ON images (task_id) WHERE late = 'due';

-- How long tasks took at HiDream. Nobody's: only shape and number.
CREATE TABLE durations (
  id INTEGER PRIMARY KEY,
  ratio TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 1),
  seconds REAL NOT NULL CHECK (seconds >= 0)
);

CREATE TABLE notices (
  name TEXT PRIMARY KEY,
  told_at INTEGER NOT NULL
) WITHOUT ROWID;
