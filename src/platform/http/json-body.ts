import { Problem } from './problem';

/** Deeper documents than this have no honest use here, and each level would cost every later walk a stack frame. */
const MAX_DEPTH = 32;
/** U+0000 and half of a surrogate pair: JSON can escape them, but no text in PostgreSQL can hold them. */
const IMPOSSIBLE_TEXT = /\0|\p{Cs}/u;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Reads a JSON body strictly: UTF-8, at most 32 levels, no name twice in one object, no `__proto__` or `constructor` as a name,
 * no text that cannot be stored.
 * RFC 8259 leaves a repeated name undefined; two readers that keep different ones would sign and book different things.
 */
export function parseJsonBody(raw: Buffer): unknown {
  if (raw.length === 0) throw malformed('The body is empty; send a JSON object.');
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    throw malformed('The body is not valid UTF-8.');
  }
  const names = countNames(text);
  let forbidden = false;
  let impossible = false;
  let parsed = 0;
  let value: unknown;
  try {
    value = JSON.parse(text, (name, member: unknown) => {
      if (name === '__proto__' || name === 'constructor' || name === 'prototype') forbidden = true;
      if (IMPOSSIBLE_TEXT.test(name) || (typeof member === 'string' && IMPOSSIBLE_TEXT.test(member))) impossible = true;
      if (member !== null && typeof member === 'object' && !Array.isArray(member)) parsed += Object.keys(member).length;
      return member;
    });
  } catch {
    throw malformed('The body is not valid JSON.');
  }
  if (forbidden) throw malformed('The body uses a name that is not allowed (__proto__, constructor or prototype).');
  if (impossible) throw malformed('The body holds a character that text cannot have: U+0000 or half of a surrogate pair.');
  if (parsed !== names) throw malformed('The body names a field twice in one object.');
  return value;
}

/** Counts the names written in the text: colons outside of strings. Refuses depth on the way, before anything recurses. */
function countNames(text: string): number {
  let names = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = endOfString(text, at);
    else if (unit === 0x3a) names += 1;
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return names;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) at += 1;
    else if (unit === 0x22) return at;
  }
  return text.length;
}

function malformed(detail: string): Problem {
  return new Problem('malformed_request', detail);
}
