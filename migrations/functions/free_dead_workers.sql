-- Frees the jobs of workers whose instance holds its lock no longer, and takes the workers off the list. Fetching a job counts
-- as an attempt, also when it never began: that attempt is given back, or a series of crashes would use up all of them.
--
-- p_lock: the first half of the instances' advisory locks; p_suspects: the workers that were found without one before
-- Answers how many workers were freed.
create or replace function free_dead_workers(p_lock integer, p_suspects text[]) returns integer
language plpgsql as $$
declare
  v_dead text[];
begin
  with dead as (
    delete from job_workers w
     where w.worker_id = any(p_suspects) and w.worker_id in (select worker_id from lockless_workers(p_lock))
    returning w.worker_id
  )
  select array_agg(worker_id) into v_dead from dead;
  if v_dead is null then
    return 0;
  end if;
  update graphile_worker._private_jobs set attempts = greatest(attempts - 1, 0) where locked_by = any(v_dead);
  perform graphile_worker.force_unlock_workers(v_dead);
  return cardinality(v_dead);
end $$;
