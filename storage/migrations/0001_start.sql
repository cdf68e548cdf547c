-- The first layout. Times are microseconds since 1970, UTC; lists and data are JSON.
-- What must always be so is said here, so that no mistake in the program can break it.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- The highest turn ever claimed.
INSERT INTO meta (key, value) VALUES ('current_turn', 0);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  chat_id INTEGER,
  raw TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'aside')),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  error TEXT,
  received_at INTEGER NOT NULL,
  due_at INTEGER,
  handled_at INTEGER,
  UNIQUE (bot_id, update_id),
  CHECK ((handled_at IS NULL) = (state = 'new'))
);

CREATE INDEX inbox_new ON inbox (id) WHERE state = 'new';
CREATE INDEX inbox_new_by_chat ON inbox (bot_id, chat_id, id) WHERE state = 'new';
CREATE INDEX inbox_put_off ON inbox (due_at) WHERE state = 'new' AND due_at IS NOT NULL;
CREATE INDEX inbox_handled ON inbox (state, handled_at) WHERE handled_at IS NOT NULL;
CREATE INDEX inbox_chat ON inbox (chat_id);

CREATE TABLE albums (
  chat_id INTEGER NOT NULL,
  media_group_id TEXT NOT NULL,
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (chat_id, media_group_id)
) WITHOUT ROWID;

CREATE INDEX albums_age ON albums (created_at);

-- Drafts are deleted, and an id must never come to mean another one.
CREATE TABLE drafts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  chat_type TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  thread_id INTEGER,
  photos TEXT NOT NULL,
  caption TEXT NOT NULL,
  language TEXT,
  parent_id INTEGER,
  question_id INTEGER,
  used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
  closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
  created_at INTEGER NOT NULL,
  UNIQUE (bot_id, update_id, n)
);

CREATE INDEX drafts_open ON drafts (user_id, chat_id, id) WHERE used = 0 AND closed = 0;
CREATE INDEX drafts_question ON drafts (chat_id, question_id);
CREATE INDEX drafts_age ON drafts (created_at);

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  bot_id INTEGER NOT NULL,
  update_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  chat_type TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  thread_id INTEGER,
  photos TEXT NOT NULL,
  prompt TEXT NOT NULL,
  negative TEXT NOT NULL,
  ratio TEXT,
  count INTEGER NOT NULL CHECK (count >= 1),
  language TEXT,
  parent_id INTEGER,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN (
    'queued', 'waiting', 'submitting', 'uncertain', 'running', 'ready', 'delivering',
    'delivered', 'failed', 'gone', 'cancelled')),
  turn INTEGER NOT NULL,
  due_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  trouble_since INTEGER,
  refusals INTEGER NOT NULL DEFAULT 0 CHECK (refusals >= 0),
  claimed_by TEXT,
  claim_no INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER,
  request_id TEXT,
  uncertain INTEGER NOT NULL DEFAULT 0,
  hidream_task_id TEXT,
  ratio_used TEXT,
  completion REAL,
  deadline_at INTEGER,
  failure_id TEXT,
  failure_data TEXT,
  vendor_code INTEGER,
  vendor_message TEXT,
  progress_message_id INTEGER,
  shown_place INTEGER,
  created_at INTEGER NOT NULL,
  submitted_at INTEGER,
  accepted_at INTEGER,
  ended_at INTEGER,
  ready_at INTEGER,
  finished_at INTEGER,
  files_removed INTEGER NOT NULL DEFAULT 0 CHECK (files_removed IN (0, 1)),
  pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1)),
  UNIQUE (bot_id, update_id, n),
  CHECK ((finished_at IS NOT NULL) = (state IN ('delivered', 'failed', 'gone', 'cancelled'))),
  CHECK ((claimed_by IS NOT NULL) = (state IN ('submitting', 'delivering'))),
  CHECK ((claimed_by IS NULL) = (lease_until IS NULL)),
  CHECK (state <> 'waiting' OR due_at IS NOT NULL),
  CHECK (state <> 'submitting' OR request_id IS NOT NULL),
  CHECK (state <> 'uncertain' OR request_id IS NOT NULL),
  CHECK (state <> 'running' OR hidream_task_id IS NOT NULL),
  CHECK (state NOT IN ('ready', 'delivering') OR ready_at IS NOT NULL)
);

CREATE INDEX tasks_line ON tasks (turn, id) WHERE state = 'queued';
CREATE INDEX tasks_in_line_by_chat ON tasks (chat_id, user_id)
  WHERE state IN ('queued', 'waiting');
CREATE INDEX tasks_waiting ON tasks (due_at) WHERE state = 'waiting';
CREATE INDEX tasks_claimed ON tasks (state, lease_until) WHERE claimed_by IS NOT NULL;
CREATE INDEX tasks_uncertain ON tasks (due_at) WHERE state = 'uncertain';
CREATE INDEX tasks_running ON tasks (id) WHERE state = 'running';
CREATE INDEX tasks_ready ON tasks (ready_at, id) WHERE state = 'ready';
CREATE INDEX tasks_ready_by_chat ON tasks (chat_id, ready_at, id) WHERE state = 'ready';
CREATE INDEX tasks_ready_due ON tasks (due_at) WHERE state = 'ready' AND due_at IS NOT NULL;
CREATE INDEX tasks_unannounced ON tasks (id) WHERE progress_message_id IS NULL
  AND state IN ('queued', 'waiting', 'submitting', 'uncertain', 'running');
CREATE INDEX tasks_announced_at_hidream ON tasks (id) WHERE progress_message_id IS NOT NULL
  AND state IN ('submitting', 'uncertain', 'running');
CREATE INDEX tasks_announced_in_line ON tasks (turn, id) WHERE progress_message_id IS NOT NULL
  AND state IN ('queued', 'waiting');
CREATE INDEX tasks_unfinished_of_user ON tasks (user_id, id) WHERE finished_at IS NULL;
CREATE INDEX tasks_finished_of_user ON tasks (user_id, finished_at, id)
  WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_chat ON tasks (chat_id);
CREATE INDEX tasks_unfinished_child ON tasks (parent_id)
  WHERE finished_at IS NULL AND parent_id IS NOT NULL;
CREATE UNIQUE INDEX tasks_hidream_id ON tasks (hidream_task_id) WHERE hidream_task_id IS NOT NULL;
CREATE INDEX tasks_to_prune ON tasks (finished_at) WHERE finished_at IS NOT NULL AND pruned = 0;
CREATE INDEX tasks_with_files ON tasks (finished_at)
  WHERE finished_at IS NOT NULL AND files_removed = 0;

-- One request that was sent to HiDream. It holds a slot until it is released, or held for too long.
CREATE TABLE submissions (
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES tasks (id),
  request_id TEXT NOT NULL,
  images INTEGER NOT NULL CHECK (images >= 1),
  sent_at INTEGER NOT NULL,
  answered_at INTEGER,
  outcome TEXT CHECK (outcome IN ('accepted', 'refused', 'not_sent', 'uncertain')),
  hidream_task_id TEXT,
  held_until INTEGER NOT NULL,
  released_at INTEGER,
  CHECK ((answered_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX submissions_task ON submissions (task_id, id);
CREATE INDEX submissions_held ON submissions (held_until) WHERE released_at IS NULL;
CREATE INDEX submissions_answered ON submissions (answered_at);
CREATE UNIQUE INDEX submissions_hidream_id ON submissions (hidream_task_id)
  WHERE hidream_task_id IS NOT NULL;

CREATE TABLE images (
  task_id INTEGER NOT NULL REFERENCES tasks (id),
  n INTEGER NOT NULL,
  sub_task_id TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN (
    'pending', 'made', 'stored', 'failed', 'refused', 'empty', 'unfetched', 'expired')),
  url TEXT,
  description TEXT,
  media_type TEXT,
  width INTEGER,
  height INTEGER,
  size INTEGER,
  file_id TEXT,
  sent_as TEXT CHECK (sent_as IN ('photo', 'document')),
  PRIMARY KEY (task_id, n)
) WITHOUT ROWID;

-- A step that is `sending` with r repeats has had r + 1 tries that may have arrived.
CREATE TABLE steps (
  task_id INTEGER NOT NULL REFERENCES tasks (id),
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('sending', 'not_sent', 'sent')),
  message_ids TEXT NOT NULL DEFAULT '[]',
  repeats INTEGER NOT NULL DEFAULT 0 CHECK (repeats >= 0),
  started_at INTEGER NOT NULL,
  sent_at INTEGER,
  PRIMARY KEY (task_id, name)
) WITHOUT ROWID;

-- Counted as it happens, since counting a million rows takes too long to be asked for often.
CREATE TABLE tallies (
  name TEXT PRIMARY KEY,
  n INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO tallies (name, n) VALUES
  ('queued', 0), ('waiting', 0), ('submitting', 0), ('uncertain', 0), ('running', 0),
  ('ready', 0), ('delivering', 0), ('delivered', 0), ('failed', 0), ('gone', 0),
  ('cancelled', 0), ('unanswered', 0), ('repeated', 0);

CREATE TRIGGER tasks_added AFTER INSERT ON tasks
BEGIN
  UPDATE tallies SET n = n + 1 WHERE name = NEW.state;
END;

CREATE TRIGGER tasks_moved AFTER UPDATE OF state ON tasks WHEN NEW.state <> OLD.state
BEGIN
  UPDATE tallies SET n = n - 1 WHERE name = OLD.state;
  UPDATE tallies SET n = n + 1 WHERE name = NEW.state;
END;

CREATE TRIGGER tasks_unanswered AFTER UPDATE OF uncertain ON tasks
  WHEN NEW.uncertain <> OLD.uncertain
BEGIN
  UPDATE tallies SET n = n + NEW.uncertain - OLD.uncertain WHERE name = 'unanswered';
END;

CREATE TRIGGER steps_repeated AFTER UPDATE OF repeats ON steps WHEN NEW.repeats <> OLD.repeats
BEGIN
  UPDATE tallies SET n = n + NEW.repeats - OLD.repeats WHERE name = 'repeated';
END;
