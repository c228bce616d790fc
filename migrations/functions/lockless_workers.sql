-- The workers whose instance does not hold its advisory lock at this moment: it is dead, or has just lost its connection.
create or replace function lockless_workers(p_lock integer) returns table (worker_id text)
language sql stable as $$
  select w.worker_id from job_workers w
   where not exists (
     select from pg_locks l
      where l.locktype = 'advisory' and l.classid = p_lock::oid and l.objid = w.instance::oid and l.objsubid = 2 and l.granted
        and l.database = (select oid from pg_database where datname = current_database()));
$$;
