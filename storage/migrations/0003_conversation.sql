-- The conversation: what was stopped, albums as they come in, offers that wait for a tap, which
-- message belongs to which task, what people prefer, and what they turn over.

-- How the result is to be delivered.
ALTER TABLE tasks ADD COLUMN as_file INTEGER NOT NULL DEFAULT 0 CHECK (as_file IN (0, 1));
ALTER TABLE tasks ADD COLUMN silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1));

-- Stopped by the person while a request of it was on its way: it ends as soon as that is answered.
ALTER TABLE tasks ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn IN (0, 1));

-- The button that made it makes no other one until this one is over. (Before, a task did.)
ALTER TABLE tasks ADD COLUMN pressed TEXT;

DROP INDEX tasks_unfinished_child;

CREATE UNIQUE INDEX tasks_pressed ON tasks (pressed, n)
  WHERE pressed IS NOT NULL AND finished_at IS NULL;

-- Of a person who has been forgotten: a keyed hash, while a slot is still held on their behalf.
ALTER TABLE tasks ADD COLUMN person_hash TEXT;

CREATE INDEX tasks_forgotten ON tasks (person_hash) WHERE person_hash IS NOT NULL;

-- Whose files go at once, since nobody can ask for them any more.
CREATE INDEX tasks_emptied_with_files ON tasks (id) WHERE pruned = 1 AND files_removed = 0;

-- A person's tasks as they came, for turning over and searching what was made.
CREATE INDEX tasks_of_user ON tasks (user_id, id);

-- For "/status" as a reply to a photo, and for an edited caption.
CREATE INDEX tasks_place ON tasks (chat_id, message_id);

-- 'words': photos wait for words; 'prompt': words wait for a photo; 'offer': a tap is waited for.
ALTER TABLE drafts ADD COLUMN kind TEXT NOT NULL DEFAULT 'words'
  CHECK (kind IN ('words', 'prompt', 'offer'));

DROP INDEX drafts_open;
CREATE INDEX drafts_open ON drafts (user_id, chat_id, kind, id) WHERE used = 0 AND closed = 0;
CREATE INDEX drafts_user ON drafts (user_id, id);
CREATE INDEX drafts_waiting ON drafts (created_at) WHERE kind <> 'offer';
CREATE INDEX drafts_place ON drafts (chat_id, message_id);

-- An album comes as several updates, with no end mark: its parts are kept until it has been quiet
-- for a while. `closed`: it has been worked off; what comes then is late.
ALTER TABLE albums ADD COLUMN due_at INTEGER;
ALTER TABLE albums ADD COLUMN closed INTEGER NOT NULL DEFAULT 1
  CHECK (closed IN (0, 1) AND (closed = 1) = (due_at IS NULL));

CREATE INDEX albums_due ON albums (due_at) WHERE closed = 0;

CREATE TABLE album_parts (
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  media_group_id TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (bot_id, update_id)
) WITHOUT ROWID;

CREATE INDEX album_parts_album ON album_parts (chat_id, media_group_id, message_id);

-- What has been worked off is known for as long as its album is.
CREATE TRIGGER albums_forgotten AFTER DELETE ON albums
BEGIN
  DELETE FROM album_parts
  WHERE chat_id = OLD.chat_id AND media_group_id = OLD.media_group_id;
END;

-- Our messages, by the task that they belong to.
CREATE TABLE messages (
  chat_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  task_id INTEGER NOT NULL REFERENCES tasks (id),
  role TEXT NOT NULL CHECK (role IN ('picture', 'file', 'buttons', 'notice', 'progress', 'other')),
  n INTEGER,
  sent_at INTEGER NOT NULL,
  PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;

CREATE INDEX messages_task ON messages (task_id, message_id);

-- The messages that still tell how a task goes which the person has stopped.
CREATE INDEX tasks_stale_progress ON tasks (id)
  WHERE state = 'cancelled' AND progress_message_id IS NOT NULL;

CREATE TABLE preferences (
  scope TEXT NOT NULL CHECK (scope IN ('user', 'chat')),
  owner_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (scope, owner_id, name)
) WITHOUT ROWID;

-- What a list or a history shows: its buttons name it.
CREATE TABLE views (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  words TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (bot_id, update_id)
);

CREATE INDEX views_user ON views (user_id);
-- Asked at each reply to one of our messages: is it a question of /settings?
CREATE INDEX views_chat ON views (chat_id, kind, words);
CREATE INDEX views_age ON views (created_at);

-- Small texts that last.
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
