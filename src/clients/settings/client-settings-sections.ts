import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ValidationProblem } from '../../platform/http/problem';
import { toFieldErrors } from '../../platform/http/validation';

/** Sections by name, each an object of fields. */
export type SettingsBySection = Record<string, Record<string, unknown>>;

/**
 * The parts that a client's settings have. A feature registers its own when it starts, so that this room need not know it:
 * the schema checks, gives the defaults and describes.
 */
@Injectable()
export class ClientSettingsSections {
  private readonly sections = new Map<string, z.ZodObject>();

  /** Adds a section; every field of its schema has a default. */
  register(name: string, schema: z.ZodObject): void {
    if (this.sections.has(name)) throw new Error(`The settings section ${name} is registered twice.`);
    this.sections.set(name, schema);
  }

  /** The settings with the default of whatever was never set. */
  complete(settings: Readonly<Record<string, unknown>>): SettingsBySection {
    return Object.fromEntries([...this.sections].map(([name, schema]) => [name, schema.parse(settings[name] ?? {})]));
  }

  /**
   * The settings after a change, as they are to be stored: a section that the change names keeps the fields that it does not name,
   * and what was never set stays unset. Throws a ValidationProblem that names the fields.
   */
  merge(settings: Readonly<Record<string, unknown>>, change: SettingsBySection): Record<string, unknown> {
    const merged: Record<string, unknown> = { ...settings };
    for (const [name, fields] of Object.entries(change)) {
      const schema = this.sections.get(name);
      if (!schema) throw new ValidationProblem(toFieldErrors([{ code: 'unrecognized_keys', keys: [name], message: '' }]));
      const section = { ...(settings[name] as object | undefined), ...fields };
      const checked = schema.safeParse(section);
      if (!checked.success) {
        const issues = checked.error.issues.map((issue) => ({ ...issue, path: [name, ...issue.path] }));
        throw new ValidationProblem(toFieldErrors(issues));
      }
      merged[name] = section;
    }
    return merged;
  }
}
