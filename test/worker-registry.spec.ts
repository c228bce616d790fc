import { WorkerRegistry } from '../src/platform/jobs/worker-registry';
import { TestDatabase } from './support/database';
import { eventually } from './support/eventually';

describe('the jobs of dead workers', () => {
  let database: TestDatabase;
  let registries: WorkerRegistry[] = [];
  beforeAll(async () => {
    database = await TestDatabase.create();
    registries = [1, 2].map(() => new WorkerRegistry(database.url));
  });
  // Also after a failure: what still holds a connection would keep the run from ending.
  afterAll(async () => {
    await Promise.all(registries.map((registry) => registry.stop()));
    await database.drop();
  });

  /** A job as a worker has it under way: taken, which counts as an attempt. */
  const takenBy = async (worker: string) => {
    const id = await database.value(`select id from graphile_worker.add_job('some.job', '{}')`);
    await database.rows('update graphile_worker._private_jobs set locked_by = $2, locked_at = now(), attempts = 1 where id = $1', [id, worker]);
  };
  const jobs = async () => (await database.rows<{ locked_by: string | null; attempts: number }>('select locked_by, attempts from graphile_worker.jobs order by id'))
    .map(({ locked_by: taker, attempts }) => [taker, attempts]);

  it('are free again when others look twice, with their attempt given back; those of the living are left alone', async () => {
    const [living, watching] = registries;
    await living.start();
    await living.add(['worker-living']);
    // An instance whose lock nobody holds any more.
    await database.rows(`insert into job_workers values ('worker-dead', 1), ('pool-dead', 1)`);
    for (const worker of ['worker-living', 'worker-dead', 'pool-dead']) await takenBy(worker);
    await watching.start();
    expect(await jobs()).toEqual([['worker-living', 1], ['worker-dead', 1], ['pool-dead', 1]]);
    await eventually(async () => (await jobs()).filter(([taker]) => taker === null).length === 2, 15_000);
    expect(await jobs()).toEqual([['worker-living', 1], [null, 0], [null, 0]]);
    expect(await database.rows('select worker_id from job_workers')).toEqual([{ worker_id: 'worker-living' }]);
    await Promise.all(registries.map((registry) => registry.stop()));
    expect(await database.rows('select worker_id from job_workers')).toEqual([]);
  });
});
