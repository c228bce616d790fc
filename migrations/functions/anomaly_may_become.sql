-- The transitions of src/fraud/anomalies/anomaly-state.ts, held again by the database; staying as it is is always allowed.
create or replace function anomaly_may_become(p_from text, p_to text) returns boolean
language sql immutable as $$
  select p_from = p_to or (p_from, p_to) in (
    ('open', 'investigating'), ('open', 'resolved'), ('open', 'false_positive'),
    ('investigating', 'resolved'), ('investigating', 'false_positive'),
    ('resolved', 'open'), ('resolved', 'investigating'),
    ('false_positive', 'open'), ('false_positive', 'investigating')
  );
$$;
