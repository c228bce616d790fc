import { z } from 'zod';
import { CLIENT_ROLES, STAFF_ROLES } from '../../platform/http/roles';
import { idSchema } from '../../platform/http/validation';
import type { Person } from './person.entity';

export const personObject = z.object({
  id: idSchema('usr'),
  object: z.literal('person'),
  email: z.string(),
  role: z.enum([...CLIENT_ROLES, ...STAFF_ROLES]),
  status: z.enum(['invited', 'active', 'removed']),
  client: idSchema('cli').nullable().meta({ description: 'The client that the person belongs to; null for staff.' }),
  two_factor_enabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type PersonObject = z.output<typeof personObject>;

/** A person as the API shows them: nothing of their password and second factor but whether there is one. */
export function presentPerson(person: Omit<Person, 'passwordHash' | 'totpSecret' | 'totpPending' | 'totpLastStep'>): PersonObject {
  return {
    id: person.id,
    object: 'person',
    email: person.email,
    role: person.role,
    status: person.status,
    client: person.clientId,
    two_factor_enabled: person.totpEnabledAt !== null,
    created_at: person.createdAt.toISOString(),
    updated_at: person.updatedAt.toISOString(),
  };
}

/** The client whose audit log tells of a person; none for staff. */
export function bookOf({ clientId }: Pick<Person, 'clientId'>): { clientId: string } | undefined {
  return clientId ? { clientId } : undefined;
}
