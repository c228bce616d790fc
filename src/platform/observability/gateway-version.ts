import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The version of the gateway as its package.json says it, which stands above the sources and above what is built of them. */
export function gatewayVersion(): string {
  for (let folder = __dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return '0';
}
