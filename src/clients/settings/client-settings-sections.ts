import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { type FieldError, ValidationProblem } from '../../platform/http/problem';
import { toFieldErrors } from '../../platform/http/validation';

/** Sections by name, each an object of fields. */
export type SettingsBySection = Record<string, Record<string, unknown>>;

/** Who changes settings. Each section has one of them, who alone may. */
export type SettingsAuthor = 'client' | 'operator';

/** Checks a section, gives its defaults and describes it; made for each book where the defaults of the two differ. */
export type SectionSchema = z.ZodObject | ((livemode: boolean) => z.ZodObject);

interface Section {
  schemaOf: (livemode: boolean) => z.ZodObject;
  author: SettingsAuthor;
}

const NOT_YOURS: Readonly<Record<SettingsAuthor, Omit<FieldError, 'field'>>> = {
  client: { code: 'operator_only', message: 'is set by the operator of the gateway; ask them' },
  operator: { code: 'client_only', message: 'is for the client itself to set' },
};

/**
 * The parts that a client's settings have. A feature registers its own when it starts, so that this room need not know it. Every client
 * sees all sections; those that are `operatorOnly` are changed by staff, all others by the client.
 */
@Injectable()
export class ClientSettingsSections {
  private readonly sections = new Map<string, Section>();

  /** Adds a section; every field of its schema has a default. */
  register(name: string, schema: SectionSchema, { operatorOnly = false }: { operatorOnly?: boolean } = {}): void {
    if (this.sections.has(name)) throw new Error(`The settings section ${name} is registered twice.`);
    const schemaOf = typeof schema === 'function' ? schema : () => schema;
    this.sections.set(name, { schemaOf, author: operatorOnly ? 'operator' : 'client' });
  }

  /** A book's settings with the default of whatever was never set. */
  complete(settings: Readonly<Record<string, unknown>>, livemode: boolean): SettingsBySection {
    return Object.fromEntries([...this.sections].map(([name, { schemaOf }]) => [name, schemaOf(livemode).parse(settings[name] ?? {})]));
  }

  /**
   * A book's settings after a change, as they are to be stored: a section that the change names keeps the fields that it does not name,
   * and what was never set stays unset. Throws a ValidationProblem that names the fields, below `at` where that is where they came from.
   */
  merge(
    settings: Readonly<Record<string, unknown>>, change: SettingsBySection,
    { livemode, by, at = [] }: { livemode: boolean; by: SettingsAuthor; at?: string[] },
  ): Record<string, unknown> {
    const merged: Record<string, unknown> = { ...settings };
    for (const [name, fields] of Object.entries(change)) {
      const section = this.sections.get(name);
      if (!section) throw new ValidationProblem(toFieldErrors([{ code: 'unrecognized_keys', path: at, keys: [name], message: '' }]));
      if (section.author !== by) throw new ValidationProblem([{ field: [...at, name].join('.'), ...NOT_YOURS[by] }]);
      const wanted = { ...(settings[name] as object | undefined), ...fields };
      const checked = section.schemaOf(livemode).safeParse(wanted);
      if (!checked.success) {
        const issues = checked.error.issues.map((issue) => ({ ...issue, path: [...at, name, ...issue.path] }));
        throw new ValidationProblem(toFieldErrors(issues));
      }
      merged[name] = wanted;
    }
    return merged;
  }
}
