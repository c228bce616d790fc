import type { TestDatabase } from './database';

/** Every column of every table that can hold text, whatever feature it belongs to. */
const COLUMNS = `
  select table_schema as schema, table_name as name, column_name as column
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
   where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
     and data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'USER-DEFINED', 'bytea')`;

/** The places in the whole database whose text is found by the given search, as `schema.table.column`. */
export async function placesThat(database: TestDatabase, isFound: (text: string) => boolean): Promise<string[]> {
  const columns = await database.rows<{ schema: string; name: string; column: string }>(COLUMNS);
  expect(columns.length).toBeGreaterThan(50);
  const places: string[] = [];
  for (const { schema, name, column } of columns) {
    const rows = await database.rows<{ value: string }>(
      `select "${column}"::text as value from "${schema}"."${name}" where length("${column}"::text) >= 8`,
    );
    if (rows.some(({ value }) => isFound(value))) places.push(`${schema}.${name}.${column}`);
  }
  return places;
}
