-- Refuses a change whose key, session, person or client is not what the caller was authenticated with: revoked, expired, rotated,
-- suspended, in another role or edited since. A cache may thus serve reads, and never lets what was revoked change anything.
--
-- p_access: {"client_id", "client_revision"} with {"key_id", "key_revision"} or {"session_id", "person_id", "person_revision"};
-- staff have no client, and without a revision the change is about the person alone.
-- CPG02: the caller must authenticate again before it is told anything.
create or replace function check_access(p_access jsonb) returns void
language plpgsql stable as $$
begin
  if p_access ? 'key_id' then
    perform 1
      from api_keys k join clients c on c.id = k.client_id
     where k.client_id = p_access ->> 'client_id' and k.id = p_access ->> 'key_id'
       and k.revision = (p_access ->> 'key_revision')::bigint
       and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
       and c.revision = (p_access ->> 'client_revision')::bigint and c.status = 'active';
  else
    perform 1
      from sessions s join people p on p.id = s.person_id left join clients c on c.id = p.client_id
     where s.id = p_access ->> 'session_id' and p.id = p_access ->> 'person_id'
       and s.revoked_at is null and s.expires_at > clock_timestamp()
       and p.status = 'active' and p.revision = (p_access ->> 'person_revision')::bigint
       and p.client_id is not distinct from p_access ->> 'client_id'
       and (p_access ->> 'client_revision' is null
            or (c.status = 'active' and c.revision = (p_access ->> 'client_revision')::bigint));
  end if;
  if not found then
    raise exception 'access has changed' using errcode = 'CPG02';
  end if;
end $$;
