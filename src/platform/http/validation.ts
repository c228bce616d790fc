import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { z } from 'zod';
import { maskSecrets } from '../security/crypto/masking';
import { type FieldError, ValidationProblem } from './problem';

/** The parts of an issue that any Standard Schema library reports; zod adds its own code. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
  readonly code?: string;
  readonly keys?: readonly string[];
}

const MAX_ERRORS = 20;
const MAX_NAME = 100;

/** Turns a schema's issues into field errors; an unknown field is named itself, not its parent. */
export function toFieldErrors(issues: readonly Issue[]): FieldError[] {
  return issues
    .flatMap((issue): FieldError[] => {
      const path = (issue.path ?? []).map((part) => shownName(typeof part === 'object' ? part.key : part));
      if (issue.code === 'unrecognized_keys' && issue.keys) {
        return issue.keys.map(shownName).map((key) => ({
          field: [...path, key].join('.'),
          code: 'unknown_field',
          message: `${key} is not a field of this request.`,
        }));
      }
      return [{ field: path.join('.') || 'body', code: issue.code ?? 'invalid', message: issue.message }];
    })
    .slice(0, MAX_ERRORS);
}

/** Names of fields are the caller's words: they are repeated only so far as they hold no secret and no card number. */
function shownName(name: PropertyKey): string {
  return String(maskSecrets(String(name).slice(0, MAX_NAME)));
}

// A caller reads what was expected, not how the schema library puts it.
z.config({
  customError: (issue) => {
    if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is required';
    switch (issue.code) {
      case 'invalid_type':
        return `must be of type ${issue.expected === 'record' ? 'object' : issue.expected}`;
      case 'invalid_value':
        return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
      case 'too_small':
        return `must ${bounded(issue.origin, `at least ${issue.minimum}`)}`;
      case 'too_big':
        return `must ${bounded(issue.origin, `at most ${issue.maximum}`)}`;
      default:
        return undefined;
    }
  },
});

/** What is counted in a value of that kind. */
function bounded(origin: string, bound: string): string {
  if (origin === 'string') return `have ${bound} character${bound.endsWith(' 1') ? '' : 's'}`;
  return origin === 'array' || origin === 'set' || origin === 'map' ? `have ${bound} entr${bound.endsWith(' 1') ? 'y' : 'ies'}` : `be ${bound}`;
}

/** Validates every `@Body`, `@Query` and `@Param` that has a schema; what fails is a 422 that names the fields. */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new ValidationProblem(toFieldErrors(issues as readonly Issue[])) });
  }

  /** No body is an empty one: where every field has a default nothing needs to be sent, and elsewhere each missing field is named. */
  override transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    return super.transform(metadata.type === 'body' && value === undefined ? ({} as T) : value, metadata);
  }
}

/** Text that is kept and shown: no control characters (they would forge log lines), trimmed length within bounds. */
export function visibleText(min: number, max: number): z.ZodString {
  return z
    .string()
    .min(min)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');
}

/** Text of several lines, such as a note to an order: line breaks and tabs are fine, other control characters are not. */
export function freeText(min: number, max: number): z.ZodString {
  return z
    .string()
    .min(min)
    .max(max)
    .regex(/^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])*$/u, 'must not contain control characters other than line breaks and tabs');
}

/** For routes that take no body: nothing, or an empty object. */
export const noBody = z.strictObject({}).meta({ description: 'Nothing, or an empty object.' });

/** ≤ 50 entries, keys ≤ 40 and values ≤ 500 characters. */
export const metadataSchema = z
  .record(visibleText(1, 40), freeText(0, 500))
  .refine((entries) => Object.keys(entries).length <= 50, 'has more than 50 entries')
  .meta({ description: 'Your own notes: up to 50 entries, keys up to 40 and values up to 500 characters.' });

/** A path parameter that must be one of our identifiers with the given prefix. */
export function idSchema(prefix: string): z.ZodString {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`), `must be an identifier that starts with ${prefix}_`)
    .meta({ examples: [`${prefix}_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21`] });
}
