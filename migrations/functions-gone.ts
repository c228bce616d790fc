/** Drops functions, whatever they take, and forgets that they were made; a new database has no list of them yet. */
export function without(names: readonly string[]): string {
  const list = names.map((name) => `'${name}'`).join(', ');
  return `
    do $$
    declare
      v_function regprocedure;
    begin
      for v_function in select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname in (${list}) loop
        execute 'drop function ' || v_function;
      end loop;
      if to_regclass('schema_functions') is not null then
        delete from schema_functions where name in (${list});
      end if;
    end $$;`;
}
