import type { INestApplicationContext } from '@nestjs/common';
import { type Command, InvalidArgumentError } from 'commander';
import pino from 'pino';
import { prepareSettings } from '../platform/config/load-settings';
import type { Settings } from '../platform/config/settings';
import { type OpenDatabase, openDatabase } from '../platform/database/open-database';

type GatewayParts = typeof import('./gateway-parts');
type OptionSchemas = typeof import('./option-schemas');

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

/** Loads the schemas at the first call. */
export function optionSchemas(): OptionSchemas {
  return require('./option-schemas') as OptionSchemas;
}

/** Loads the gateway at the first call. */
export function gatewayParts(): GatewayParts {
  return require('./gateway-parts') as GatewayParts;
}

/** Runs one piece of work with the gateway's own services, as the operator who is logged in to this machine. See `runInGateway`. */
export function withGateway<T>(work: (app: INestApplicationContext, parts: GatewayParts) => Promise<T>): Promise<T> {
  return withDatabase((database, settings) => {
    const parts = gatewayParts();
    return parts.runInGateway(database, settings, (app) => work(app, parts));
  });
}
