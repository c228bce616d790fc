import { DataSource, type DataSourceOptions } from 'typeorm';
import { TestDatabase } from '../../../test/support/database';
import { dataSourceOptions } from './data-source';
import { migrationOptions } from './migrate';

describe('a connection of migrations', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  const timeoutsOf = async (options: DataSourceOptions) => {
    const dataSource = await new DataSource(options).initialize();
    try {
      return await dataSource.query("select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock");
    } finally {
      await dataSource.destroy();
    }
  };

  it('ends no statement for its length, as a large table may be written anew, but waits five seconds for a lock', async () => {
    expect(await timeoutsOf(migrationOptions(database.url))).toEqual([{ statement: '0', lock: '5s' }]);
    expect(migrationOptions(database.url)).toMatchObject({ extra: { query_timeout: 0 } });
    expect(await timeoutsOf(dataSourceOptions({ url: database.url, entities: [] }))).toEqual([{ statement: '15s', lock: '5s' }]);
  });
});
