-- What the operator is shown: how many were asked for and what became of them, day by day.

-- How many pictures its chat has got. Its images can say so too, but not once they are forgotten.
-- Of what was emptied before, nobody knows: it is read as all that was asked for.
ALTER TABLE tasks ADD COLUMN brought INTEGER CHECK (brought >= 0);

UPDATE tasks SET brought = (
  SELECT count(*) FROM images WHERE task_id = tasks.id AND state = 'stored')
WHERE state = 'delivered' AND pruned = 0;

-- All that is counted of a task, so that of a few hundred thousand no row need be read. Only of what
-- is over: so a task costs this once, at its end, and not at each of its moves.
CREATE INDEX tasks_figures ON tasks (
  created_at, state, count, brought, failure_id, submitted_at, accepted_at, ended_at, finished_at)
  WHERE finished_at IS NOT NULL;

-- When slots were taken and given back.
CREATE INDEX submissions_figures ON submissions (released_at, sent_at)
  WHERE released_at IS NOT NULL;
