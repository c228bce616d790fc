import { WorkerRegistry } from '../src/platform/jobs/worker-registry';
import { TestDatabase } from './support/database';

describe('the jobs of dead workers', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  /** A job as a worker has it under way. */
  const takenBy = async (worker: string) => {
    const id = await database.value(`select id from graphile_worker.add_job('some.job', '{}')`);
    await database.rows('update graphile_worker._private_jobs set locked_by = $2, locked_at = now() where id = $1', [id, worker]);
  };
  const takers = async () => (await database.rows<{ locked_by: string | null }>('select locked_by from graphile_worker.jobs order by id')).map((row) => row.locked_by);
  /** Ends the sessions of an instance as its death would; it has noted the given worker. */
  const bury = (worker: string) => database.rows(
    `select pg_terminate_backend(l.pid) from job_workers w join pg_locks l on l.locktype = 'advisory' and l.objid = w.instance::oid
      where w.worker_id = $1`, [worker],
  );

  it('are free again as soon as another instance looks, and those of the living are left alone', async () => {
    const [living, dead, next] = [1, 2, 3].map(() => new WorkerRegistry(database.url));
    await living.start();
    await living.add(['worker-living']);
    await dead.start();
    await dead.add(['worker-dead', 'pool-dead']);
    await takenBy('worker-living');
    await takenBy('worker-dead');
    await takenBy('pool-dead');
    await bury('worker-dead');
    await next.start();
    expect(await takers()).toEqual(['worker-living', null, null]);
    expect(await database.rows('select worker_id from job_workers')).toEqual([{ worker_id: 'worker-living' }]);
    await Promise.all([living, dead, next].map((registry) => registry.stop()));
    expect(await database.rows('select worker_id from job_workers')).toEqual([]);
  });
});
