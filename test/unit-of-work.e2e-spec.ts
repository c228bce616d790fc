import { SQLSTATE, sqlStateOf } from '../src/platform/database/database-errors';
import { type Tx, UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { JobQueue } from '../src/platform/jobs/job-queue';
import { Gateway } from './support/gateway';

/** A meeting point: everybody waits until so many have come; whoever comes later passes. */
function meetingOf(count: number): () => Promise<void> {
  let arrived = 0;
  let open!: () => void;
  const all = new Promise<void>((resolve) => { open = resolve; });
  return () => {
    arrived += 1;
    if (arrived === count) open();
    return all;
  };
}

describe('the unit of work', () => {
  let gateway: Gateway;
  let unitOfWork: UnitOfWork;

  beforeAll(async () => {
    gateway = await Gateway.start();
    unitOfWork = gateway.app.get(UnitOfWork);
  });
  beforeEach(() => gateway.database.rows(
    'drop table if exists spots; create table spots (id int primary key, n int not null); insert into spots values (1, 0), (2, 0)',
  ));
  afterAll(() => gateway.stop());

  const run = <T>(work: (tx: Tx) => Promise<T>) => runInContext({ requestId: 'test', startedAt: 0 }, () => unitOfWork.run(work));
  const add = (tx: Tx, id: number) => tx.query('update spots set n = n + 1 where id = $1', [id]);
  const spots = async () => (await gateway.database.rows<{ n: number }>('select n from spots order by id')).map(({ n }) => n);

  it('ends a deadlock by trying again in a fresh transaction', async () => {
    const meet = meetingOf(2);
    let attempts = 0;
    const crossing = (first: number, second: number) => run(async (tx) => {
      attempts += 1;
      await add(tx, first);
      await meet();
      await add(tx, second);
    });
    await Promise.all([crossing(1, 2), crossing(2, 1)]);
    expect(await spots()).toEqual([2, 2]);
    expect(attempts).toBe(3);
  });

  it('decides again on what is true now, after a serialization failure', async () => {
    let attempts = 0;
    const seen = await run(async (tx) => {
      attempts += 1;
      await tx.query('set transaction isolation level repeatable read');
      const [{ n }] = await tx.query<{ n: number }>('select n from spots where id = 1');
      if (attempts === 1) await gateway.database.rows('update spots set n = 10 where id = 1');
      await tx.query('update spots set n = $1 where id = 1', [n + 1]);
      return n;
    });
    expect([seen, attempts, await spots()]).toEqual([10, 2, [11, 0]]);
  });

  it('keeps nothing of work that fails, and does not repeat it', async () => {
    let attempts = 0;
    const failing = run(async (tx) => {
      attempts += 1;
      await add(tx, 1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([attempts, await spots()]).toEqual([1, [0, 0]]);
  });

  it('adds a job with the change or not at all', async () => {
    const queue = gateway.app.get(JobQueue);
    const jobs = () => gateway.database.value<number>(`select count(*)::int from graphile_worker.jobs where key = 'spec'`);
    const later = { runAt: new Date(Date.now() + 3_600_000), jobKey: 'spec' };
    await expect(run(async (tx) => {
      await queue.add(tx, 'inbox.apply', {}, later);
      throw new Error('no');
    })).rejects.toThrow('no');
    expect(await jobs()).toBe(0);
    await run((tx) => queue.add(tx, 'inbox.apply', {}, later));
    expect(await jobs()).toBe(1);
  });

  it('bounds how long a statement and a lock may take', async () => {
    await expect(run(async (tx) => {
      await tx.query(`set local statement_timeout = '50ms'`);
      await tx.query('select pg_sleep(5)');
    }).catch(sqlStateOf)).resolves.toBe(SQLSTATE.queryCanceled);
    const [limits] = await run((tx) => tx.query<{ statement: string; lock: string; idle: string }>(
      `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
              current_setting('idle_in_transaction_session_timeout') as idle`,
    ));
    expect(limits).toEqual({ statement: '15s', lock: '5s', idle: '15s' });
    await run(async (tx) => {
      await add(tx, 1);
      await expect(run(async (other) => {
        await other.query(`set local lock_timeout = '50ms'`);
        await add(other, 1);
      })).rejects.toMatchObject({ code: 'state_conflict' });
    });
    expect(await spots()).toEqual([1, 0]);
  });

  it('gives every connection back', async () => {
    const work = (at: number) => run(async (tx) => {
      await add(tx, 1);
      if (at % 2) throw new Error('no');
    }).catch(() => undefined);
    await Promise.all(Array.from({ length: 60 }, (_, at) => work(at)));
    expect(await spots()).toEqual([30, 0]);
    const open = await gateway.database.value(
      `select count(*)::int from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
    );
    expect(open).toBe(0);
  });
});
