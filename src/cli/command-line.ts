import { userInfo } from 'node:os';
import type { OnModuleInit } from '@nestjs/common';
import { DiscoveryService, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Command, InvalidArgumentError } from 'commander';
import pino from 'pino';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module';
import { prepareSettings } from '../platform/config/load-settings';
import type { Settings } from '../platform/config/settings';
import { type OpenDatabase, openDatabase } from '../platform/database/open-database';
import { httpAdapter } from '../platform/http/http-server';
import { runInContext } from '../platform/http/request-context';
import { newId } from '../platform/identifiers';

/** EX_USAGE of sysexits.h: the command was called wrongly. */
export const EXIT_USAGE = 64;

/** A command cannot do what it was asked, for a reason that its caller can mend. The message is for people. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** What a command has to say: one object for programs, lines for people, and how it ended. */
export interface Outcome {
  json: Record<string, unknown>;
  text: string;
  exitCode?: number;
}

/** Adds a command that every caller may ask for JSON. Standard output holds its outcome and nothing else. */
export function addCommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).option('--json', 'print one JSON object');
}

/** Prints the outcome as the options ask for and leaves its exit code to the process. */
export function print(options: { json?: boolean }, { json, text, exitCode = 0 }: Outcome): void {
  process.stdout.write(`${options.json ? JSON.stringify(json) : text}\n`);
  process.exitCode = exitCode;
}

/** Reads an option that is a whole number in a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Opens the database of the settings for one piece of work, also beside a server that runs on the embedded one. */
export async function withDatabase<T>(work: (database: OpenDatabase, settings: Settings) => Promise<T>): Promise<T> {
  const settings = prepareSettings();
  const database = await openDatabase(settings, pino({ level: 'silent' }), { shared: true });
  try {
    return await work(database, settings);
  } finally {
    await database.close();
  }
}

/**
 * Runs one piece of work with the gateway's own services, as the operator who is logged in to this machine. The application is built
 * but not started: its queue, its sweeps and its HTTP server belong to the server's process.
 */
export function withGateway<T>(work: (app: NestFastifyApplication) => Promise<T>): Promise<T> {
  return withDatabase(async (database, settings) => {
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
  });
}

/** Lets services register with each other (onModuleInit). What begins work in the background does so in onApplicationBootstrap. */
async function register(app: NestFastifyApplication): Promise<void> {
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
