import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings';
import { SECURITY_EVENTS, type SecurityEvents } from '../security-events';
import { type CountingClient, RedisConnection } from './redis-connection';

const PROBE_EVERY_MS = 500;

/** `unused`: no Redis is set. `away`: it is set and cannot be used, so that each instance counts for itself. */
export type RedisState = 'unused' | 'ok' | 'away';

/**
 * The way to Redis, while there is one. When it is lost, everything asked is refused at once instead of waiting, until a probe
 * has found that Redis counts again. Each outage is told once, as a security event and in the log, and so is its end.
 */
@Injectable()
export class RedisLink implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RedisLink.name);
  private connection?: RedisConnection;
  private opening?: Promise<void>;
  private nextProbe?: NodeJS.Timeout;
  private isTold = false;
  private isClosed = false;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(SECURITY_EVENTS) private readonly events: SecurityEvents,
  ) {}

  get state(): RedisState {
    if (!this.settings.redisUrl) return 'unused';
    return this.connection ? 'ok' : 'away';
  }

  /** Waits for the first connection or its failure, so that an instance with a working Redis counts in it from its first call on. */
  async onApplicationBootstrap(): Promise<void> {
    await this.probe();
  }

  /**
   * What Redis answers, or else what is to be done without it: at once while it is away, and after 60 ms at the latest when
   * this is the call that finds out.
   */
  async ask<T>(question: (client: CountingClient) => Promise<T>, without: () => T | Promise<T>): Promise<T> {
    if (!this.connection) return without();
    try {
      return await this.connection.ask(question);
    } catch {
      return without();
    }
  }

  /** After the last request has been answered. */
  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.nextProbe);
    this.connection?.end(new Error('The gateway is stopping.'));
    await this.opening;
  }

  private probe(): Promise<void> {
    this.opening = this.open();
    return this.opening;
  }

  private async open(): Promise<void> {
    const { redisUrl } = this.settings;
    if (!redisUrl || this.isClosed) return;
    try {
      const opened = await RedisConnection.open(redisUrl, (ended, reason) => this.lost(ended, reason));
      this.connection = opened;
      if (this.isClosed) opened.end(new Error('The gateway is stopping.'));
      else if (this.isTold) this.tellBack();
    } catch (error) {
      this.tellLost(error as Error);
      this.probeLater();
    }
  }

  private lost(ended: RedisConnection, reason: Error): void {
    // One that never opened has been told by the probe that tried it.
    if (this.connection !== ended) return;
    this.connection = undefined;
    if (this.isClosed) return;
    this.tellLost(reason);
    this.probeLater();
  }

  private probeLater(): void {
    if (!this.isClosed) this.nextProbe = setTimeout(() => void this.probe(), PROBE_EVERY_MS).unref();
  }

  private tellLost(error: Error): void {
    if (this.isTold || this.isClosed) return;
    this.isTold = true;
    // Its message only: the error itself may carry the command, and so the password of an AUTH. A refusal at every address of
    // a name has no message of its own.
    const reason = error.message || (error as NodeJS.ErrnoException).code;
    this.logger.error({ reason, msg: 'Redis is away: this instance counts limits for itself until it is back' });
    void this.events.write({
      kind: 'limits.redis_lost', severity: 'high', source: 'redis', action: 'each instance counts limits for itself', details: { reason },
    });
  }

  private tellBack(): void {
    this.isTold = false;
    this.logger.log({ msg: 'Redis is back: limits are counted for all instances together again' });
    void this.events.write({
      kind: 'limits.redis_back', severity: 'low', source: 'redis', action: 'limits are counted for all instances together',
    });
  }
}
