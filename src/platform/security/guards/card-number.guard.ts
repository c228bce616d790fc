import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type FieldError, Problem } from '../../http/problem';
import { currentContext } from '../../http/request-context';
import { findCardNumbers } from '../crypto/card-numbers';
import { maskSecrets } from '../crypto/masking';

const CODE = 'card_number_present';
const MESSAGE = 'holds a card number; leave it out';
const MAX_ERRORS = 20;
const MAX_NAME = 100;
const AMOUNT_FORM = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/;
/** Fields of a body whose text is nobody's business, or is never kept as it is. Deeper ones, such as in metadata, are not exempt. */
const EXEMPT: ReadonlySet<string> = new Set(['captcha', 'password', 'current_password', 'new_password', 'hash']);

/**
 * Keeps card numbers out (PCI DSS 4.0.1, 3.3): a request that carries one in its body, its address or its idempotency key is refused
 * before anything of it is stored. Providers' events are let in, because the money they tell of must not be lost; the inbox masks them.
 */
@Injectable()
export class CardNumberGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    if (currentContext().policy?.access === 'provider') return true;
    const errors = cardNumberErrors(execution.switchToHttp().getRequest<FastifyRequest>());
    if (errors.length === 0) return true;
    const names = errors.map(({ field }) => field).join(', ');
    throw new Problem(CODE, `Send no card numbers: ${names}. Nothing of this request was kept.`, { errors });
  }
}

/** The fields of a request that hold a card number, at most 20 of them, by names that are masked themselves. */
export function cardNumberErrors(request: Pick<FastifyRequest, 'body' | 'query' | 'params' | 'headers' | 'rawBody'>): FieldError[] {
  const search = new Search(request.rawBody);
  search.walk(request.params, []);
  search.walk(request.query, []);
  search.walk(request.headers['idempotency-key'], ['Idempotency-Key']);
  search.walk(request.body, [], EXEMPT);
  return search.fields.map((field) => ({ field, code: CODE, message: MESSAGE }));
}

/** One walk over one request. The body's depth was bounded when it was parsed. */
class Search {
  readonly fields: string[] = [];
  private writtenNumbers?: ReadonlySet<number>;

  constructor(private readonly rawBody?: Buffer) {}

  walk(value: unknown, path: readonly string[], exempt?: ReadonlySet<string>): void {
    if (this.fields.length >= MAX_ERRORS) return;
    if (typeof value === 'string') {
      if (holdsCardNumber(value)) this.report(path);
    } else if (typeof value === 'number') {
      if (this.isCardNumber(value)) this.report(path);
    } else if (Array.isArray(value)) {
      value.forEach((item, at) => this.walk(item, [...path, String(at)]));
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) this.walkMember(name, member, [...path, name], exempt);
    }
  }

  private walkMember(name: string, member: unknown, path: readonly string[], exempt?: ReadonlySet<string>): void {
    if (holdsCardNumber(name)) return this.report(path);
    const isExempt = exempt && typeof member === 'string' && (exempt.has(name) || (name === 'amount' && AMOUNT_FORM.test(member)));
    if (!isExempt) this.walk(member, path);
  }

  /** A number of more than 15 digits has lost some of them in parsing; the text that came still has them. */
  private isCardNumber(value: number): boolean {
    if (Math.abs(value) < 1e11) return false;
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) return holdsCardNumber(String(value));
    this.writtenNumbers ??= cardNumbersOutsideStrings(this.rawBody?.toString('utf8') ?? '');
    return this.writtenNumbers.has(Math.abs(value));
  }

  private report(path: readonly string[]): void {
    if (this.fields.length < MAX_ERRORS) this.fields.push(path.map((name) => String(maskSecrets(name)).slice(0, MAX_NAME)).join('.'));
  }
}

/** The card numbers among a JSON text's numbers, as the numbers that parsing makes of them. */
function cardNumbersOutsideStrings(json: string): ReadonlySet<number> {
  return new Set(findCardNumbers(json.replace(/"(?:[^"\\]|\\.)*"/g, '""')).map(({ digits }) => Number(digits)));
}

/** Also behind percent-encoding: addresses are stored as they are written. */
function holdsCardNumber(text: string): boolean {
  if (text.length < 12) return false;
  return findCardNumbers(text).length > 0 || (text.includes('%') && findCardNumbers(decoded(text)).length > 0);
}

/** With its percent-escapes read; what is no escape stays. Never throws. */
function decoded(text: string): string {
  const bytes = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const [high, low] = bytes[at] === 0x25 ? [hexValue(bytes[at + 1]), hexValue(bytes[at + 2])] : [-1, -1];
    const isEscape = high >= 0 && low >= 0;
    bytes[length] = isEscape ? high * 16 + low : bytes[at];
    length += 1;
    if (isEscape) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
