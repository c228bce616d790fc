import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Stands before the metadata, which lie at the end (https://maxmind.github.io/MaxMind-DB/, "Database Metadata"). */
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const MAX_METADATA_BYTES = 128 * 1024;

/** Whether a path leads to a file in MaxMind's format that can be read. Looks at its end only; whoever opens it reads the whole. */
export function isGeoipFile(path: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, MAX_METADATA_BYTES));
    readSync(file, end, 0, end.length, size - end.length);
    return end.includes(MARKER);
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
