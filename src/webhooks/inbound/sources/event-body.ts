import { z } from 'zod';
import { MalformedEventError } from './provider-event';

/** Visible ASCII, 1 to 255 characters: ids, types and codes that go into the database and into logs as they are. */
export const identifierSchema = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a body as JSON and checks its structure. Throws MalformedEventError, which names the field but not its value. */
export function readBody<Schema extends z.ZodType>(rawBody: Buffer, schema: Schema): z.output<Schema> {
  return checkStructure(parseJson(rawBody), schema);
}

/** Checks the structure of a part of a body. Throws MalformedEventError. */
export function checkStructure<Schema extends z.ZodType>(value: unknown, schema: Schema, within: readonly string[] = []): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const path = [...within, ...(issue?.path ?? [])].map(String).join('.');
  throw unexpectedField(path, `${issue?.message ?? 'Invalid'}.`);
}

/** The refusal of one field, or of the whole body when the path is empty. */
export function unexpectedField(path: string, why: string): MalformedEventError {
  return new MalformedEventError(`The event is not as expected: ${path === '' ? 'the body' : `"${path}"`}: ${why}`);
}

function parseJson(rawBody: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(rawBody);
  } catch {
    throw new MalformedEventError('The body is not valid UTF-8.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedEventError('The body is not valid JSON.');
  }
}
