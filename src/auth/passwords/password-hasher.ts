import type { Worker } from 'node:worker_threads';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Problem } from '../../platform/http/problem';
import { MAX_PASSWORD_BYTES, passwordBytes } from './password-rules';
import { type PasswordAnswer, type PasswordTask, startPasswordWorker } from './password-worker';

/** 2^12 rounds, about 200 ms of one processor. */
const COST = 12;
const MAX_WAITING = 64;
const RETRY_AFTER_SECONDS = '5';

/** A hash of 32 random bytes that nobody kept, at the same cost: what is compared where there is no person. */
const NOBODYS_HASH = '$2b$12$5bwh6YbUvlb2ab1wJ/BNtO8oKosUAwhtv3AJjOkckLuAxUpHVMfCC';

interface Job {
  readonly task: PasswordTask;
  readonly resolve: (value: string | boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Hashes and checks passwords with bcrypt, cost 12, one after another in a single thread of low priority, so that however many people
 * sign in at once the API keeps its processors.
 *
 * At most 64 wait in line; who comes then gets 429 `rate_limited` with `Retry-After`. A thread that dies fails what it was computing and
 * is replaced for the next.
 */
@Injectable()
export class PasswordHasher implements OnApplicationShutdown {
  private readonly waiting: Job[] = [];
  private current?: Job;
  private worker?: Worker;

  /**
   * A salted bcrypt hash. A password over 72 bytes is a RangeError, because bcrypt would cut it and then accept any tail; the schema
   * `newPassword` refuses it before with a text for people.
   */
  async hash(password: string): Promise<string> {
    if (passwordBytes(password) > MAX_PASSWORD_BYTES) {
      throw new RangeError(`a password has at most ${MAX_PASSWORD_BYTES} bytes`);
    }
    return (await this.compute({ password, cost: COST })) as string;
  }

  /**
   * True when the password is the one that was hashed. Without a hash (an unknown person, or one without a password) it takes the same
   * time and is false. Over 72 bytes it is false at once, whoever it is for.
   */
  async matches(password: string, hash: string | null): Promise<boolean> {
    if (passwordBytes(password) > MAX_PASSWORD_BYTES) return false;
    const same = await this.compute({ password, hash: hash ?? NOBODYS_HASH });
    return hash !== null && same === true;
  }

  /** Fails what still waits and ends the thread. By now the server has answered its requests. */
  async onApplicationShutdown(): Promise<void> {
    for (const job of this.waiting.splice(0)) job.reject(new Error('the application is shutting down'));
    await this.worker?.terminate();
  }

  private compute(task: PasswordTask): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length >= MAX_WAITING) {
        throw new Problem('rate_limited', 'Too many people are signing in at this moment. Try again in a few seconds.', {
          headers: { 'retry-after': RETRY_AFTER_SECONDS },
        });
      }
      this.waiting.push({ task, resolve, reject });
      this.next();
    });
  }

  /** One task at a time is with the thread, so that its death costs no more than one. */
  private next(): void {
    if (this.current || this.waiting.length === 0) return;
    this.current = this.waiting.shift()!;
    try {
      this.worker ??= this.start();
    } catch (error) {
      this.settle((job) => job.reject(error as Error));
      return;
    }
    // Held only while somebody waits for an answer: the thread itself never keeps a process alive.
    this.worker.ref();
    this.worker.postMessage(this.current.task, []);
  }

  private start(): Worker {
    const worker = startPasswordWorker();
    let cause: unknown;
    worker.on('message', (answer: PasswordAnswer) => {
      worker.unref();
      this.settle((job) => ('value' in answer ? job.resolve(answer.value) : job.reject(new Error(answer.failure))));
    });
    worker.on('error', (error) => { cause = error; });
    worker.on('exit', () => {
      this.worker = undefined;
      this.settle((job) => job.reject(new Error('the thread for password hashes has ended', { cause })));
    });
    return worker;
  }

  private settle(answer: (job: Job) => void): void {
    const job = this.current;
    this.current = undefined;
    if (job) answer(job);
    this.next();
  }
}
