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

-- The four that better ones take the place of, first: those then take their pages, too.
DROP INDEX tasks_in_line_by_chat;
DROP INDEX tasks_chat;
DROP INDEX tasks_ready;
DROP INDEX inbox_new_by_chat;

-- What a person has in one chat, however much it is elsewhere; by the chat alone, what moves with
-- it. Of what a task goes through, only its end changes them.
CREATE INDEX tasks_unfinished_in_chat ON tasks (chat_id, user_id, id) WHERE finished_at IS NULL;
CREATE INDEX tasks_finished_in_chat ON tasks (chat_id, user_id, finished_at, id)
  WHERE finished_at IS NOT NULL;

-- A person's last turn, and those that close up, without reading the rest of what they have.
CREATE INDEX tasks_turns ON tasks (user_id, turn, id) WHERE state IN ('queued', 'waiting');

-- What is not to be taken, and the updates behind the first of a chat, are passed by without
-- reading their rows. (SQLite reads the row for the state too, where an index does not hold it.)
CREATE INDEX tasks_ready ON tasks (ready_at, id, chat_id, due_at, state) WHERE state = 'ready';
CREATE INDEX inbox_new_by_chat ON inbox (bot_id, chat_id, id, due_at, state) WHERE state = 'new';
