import { userInfo } from 'node:os';
import type { INestApplicationContext, OnModuleInit } from '@nestjs/common';
import { DiscoveryService, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module';
import type { Settings } from '../platform/config/settings';
import type { OpenDatabase } from '../platform/database/open-database';
import { httpAdapter } from '../platform/http/http-server';
import { runInContext } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';
import { CommandError } from './command-error';

/**
 * Runs one piece of work with the gateway's own services, as the operator who is logged in to this machine. The application is built
 * but not started: its queue, its sweeps and its HTTP server belong to the server's process.
 */
export async function runInGateway<T>(database: OpenDatabase, settings: Settings, work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(settings, database), httpAdapter(settings), {
    logger: false,
    abortOnError: false,
  });
  try {
    if (await app.get(DataSource).showMigrations()) {
      throw new CommandError('The database is not up to date. Run `npm run cpg -- db:migrate` first, or start the server once.');
    }
    await register(app);
    const operator = { requestId: newId('req'), actor: { type: 'operator' as const, id: operatorName() }, startedAt: performance.now() };
    return await runInContext(operator, () => work(app));
  } finally {
    await app.close();
  }
}

/** Lets services register with each other (onModuleInit). What begins work in the background does so in onApplicationBootstrap. */
async function register(app: INestApplicationContext): Promise<void> {
  for (const { instance } of app.get(DiscoveryService).getProviders()) {
    await (instance as Partial<OnModuleInit> | undefined)?.onModuleInit?.();
  }
}

/** A container may run under a number that has no name. */
function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
