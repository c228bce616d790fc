import { Redis } from 'ioredis';
import { REDIS_SCRIPTS } from './redis-scripts';

type Argument = string | number;

/** A client with the scripts that count. */
export interface CountingClient extends Redis {
  windowHit(key: string, ...args: Argument[]): Promise<[refused: number, counted: number, waitMs: string]>;
  attemptTake(key: string, ...args: Argument[]): Promise<[allowed: number, failures: number, waitMs: number]>;
  attemptGiveBack(key: string, ...args: Argument[]): Promise<number>;
  attemptFailures(key: string, ...args: Argument[]): Promise<number>;
}

/** Everything that the gateway keeps in Redis begins so. */
const KEY_PREFIX = 'cpg:';
const CONNECT_TIMEOUT_MS = 1_000;
/** An answer that is still missing at the third look is taken for lost: after 40 to 60 ms. */
const LOOK_MS = 20;
const LOOKS = 3;

interface Question {
  askedAtLook: number;
  reject: (error: Error) => void;
}

/**
 * One connection, from its opening to its end. The first thing that goes wrong ends it for good, with everything that is under
 * way on it: a closed socket, an answer that does not come in time, or an error that Redis answers. A new one is opened then
 * instead of healing the old one, so that there is no queue in which calls could wait for Redis to come back.
 */
export class RedisConnection {
  private readonly questions = new Set<Question>();
  private looks = 0;
  private looking?: NodeJS.Timeout;
  private endedBy?: Error;

  private constructor(
    private readonly client: CountingClient,
    private readonly onEnd: (connection: RedisConnection, reason: Error) => void,
  ) {
    client.on('error', (error: Error) => this.end(error));
    client.on('close', () => this.end(new Error('Redis closed the connection.')));
  }

  /** Connects, and tries that Redis counts: one that cannot write is as good as none. Throws why it cannot be used. */
  static async open(url: string, onEnd: (connection: RedisConnection, reason: Error) => void): Promise<RedisConnection> {
    const client = new Redis(url, {
      keyPrefix: KEY_PREFIX,
      scripts: REDIS_SCRIPTS,
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: 100,
      disableClientInfo: true,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    }) as CountingClient;
    const connection = new RedisConnection(client, onEnd);
    // A frozen Redis takes connections all the same, and then says nothing.
    const late = setTimeout(() => connection.end(new Error(`Redis did not answer within ${CONNECT_TIMEOUT_MS} ms.`)), CONNECT_TIMEOUT_MS);
    try {
      await client.connect();
      await connection.ask((redis) => redis.windowHit('probe', 1_000, 1_000_000));
      return connection;
    } catch (error) {
      connection.end(error as Error);
      throw connection.endedBy ?? error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Sends a question. Rejects when the connection ends before the answer is here, and ends it when the answer takes too long. */
  ask<T>(question: (client: CountingClient) => Promise<T>): Promise<T> {
    if (this.endedBy) return Promise.reject(this.endedBy);
    return new Promise<T>((resolve, reject) => {
      const asked: Question = { askedAtLook: this.looks, reject };
      this.questions.add(asked);
      this.looking ??= setTimeout(() => this.look(), LOOK_MS).unref();
      question(this.client).then(
        (answer) => {
          this.questions.delete(asked);
          resolve(answer);
        },
        (error: Error) => this.end(error),
      );
    });
  }

  /** Closes it. Only the first call counts. */
  end(reason: Error): void {
    if (this.endedBy) return;
    this.endedBy = reason;
    clearTimeout(this.looking);
    for (const { reject } of this.questions) reject(reason);
    this.questions.clear();
    this.client.disconnect();
    this.onEnd(this, reason);
  }

  /**
   * Counts looks instead of reading a clock: when this process itself was held up, its timers are late as well, and answers
   * that have arrived meanwhile are read before the next look.
   */
  private look(): void {
    this.looking = undefined;
    this.looks += 1;
    const [oldest] = this.questions;
    if (!oldest) return;
    if (this.looks - oldest.askedAtLook >= LOOKS) setImmediate(() => this.giveUpOn(oldest));
    this.looking = setTimeout(() => this.look(), LOOK_MS).unref();
  }

  private giveUpOn(question: Question): void {
    if (this.questions.has(question)) this.end(new Error(`Redis did not answer within ${LOOKS * LOOK_MS} ms.`));
  }
}
