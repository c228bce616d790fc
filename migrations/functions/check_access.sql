-- Refuses a change whose key or client is not what the caller was authenticated with: revoked, expired, rotated,
-- suspended or edited since. A cache of keys may thus serve reads, and never lets a revoked key change anything.
--
-- p_access: {"client_id", "key_id", "key_revision", "client_revision"}
-- CPG02: the caller must authenticate again before it is told anything.
create or replace function check_access(p_access jsonb) returns void
language plpgsql stable as $$
begin
  perform 1
    from api_keys k join clients c on c.id = k.client_id
   where k.client_id = p_access ->> 'client_id' and k.id = p_access ->> 'key_id'
     and k.revision = (p_access ->> 'key_revision')::bigint
     and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
     and c.revision = (p_access ->> 'client_revision')::bigint and c.status = 'active';
  if not found then
    raise exception 'access has changed' using errcode = 'CPG02';
  end if;
end $$;
