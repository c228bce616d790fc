-- Opens an anomaly in a client's book, or adds to the one of the same group that collects: open or being investigated, last seen within a
-- day. It never fails for a duplicate: of two at once the second waits for the first and is added to it. That wait is for one row, which
-- stays locked until the transaction ends, so whoever records several in one transaction does it in the order of their groups.
--
-- p_anomaly: {"client_id", "livemode", "kind", "severity", "subject_type", "subject_id", "title", "figures", "group_key"}; without a
-- group_key the subject is the group. The figures of the last time stand, and the gravest severity.
-- Answers the anomaly's id.
create or replace function record_anomaly(p_anomaly jsonb) returns text
language plpgsql as $$
declare
  v_new anomalies := jsonb_populate_record(null::anomalies, p_anomaly);
  v_id text;
begin
  v_new.group_key := left(coalesce(nullif(v_new.group_key, ''), v_new.subject_type || ':' || v_new.subject_id), 300);
  update anomalies set collects = false
   where client_id = v_new.client_id and livemode = v_new.livemode and kind = v_new.kind and group_key = v_new.group_key
     and collects and last_at <= now() - interval '1 day';
  insert into anomalies as a (client_id, livemode, id, kind, group_key, severity, subject_type, subject_id, title, figures)
  values (v_new.client_id, v_new.livemode, new_id('ano'), v_new.kind, v_new.group_key, v_new.severity, v_new.subject_type, v_new.subject_id,
          left(v_new.title, 200), coalesce(v_new.figures, '{}'))
  on conflict (client_id, livemode, kind, group_key) where collects do update
     set count = a.count + 1, last_at = greatest(a.last_at, now()), figures = excluded.figures,
         severity = case when array_position(array['low', 'medium', 'high', 'critical'], excluded.severity)
                            > array_position(array['low', 'medium', 'high', 'critical'], a.severity)
                         then excluded.severity else a.severity end
  returning a.id into v_id;
  return v_id;
end $$;
