import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { isStaff } from '../../platform/security/person-rules';
import { CLIENT_ROLES, STAFF_ROLES } from '../../platform/http/roles';
import { idSchema } from '../../platform/http/validation';
import { newEmailText } from '../registration/registration.dto';
import { personObject } from './person-presenter';

const clientRole = z.enum(CLIENT_ROLES);
const anyRole = z.enum([...CLIENT_ROLES, ...STAFF_ROLES]);

export const personId = z.strictObject({ id: idSchema('usr') });
export const personPage = pageOf(personObject);

export const listPeopleQuery = listQuery('usr', { role: clientRole.optional() });
export type ListPeopleQuery = z.output<typeof listPeopleQuery>;
export const invitePersonBody = z.strictObject({ email: newEmailText, role: clientRole });
export type InvitePersonBody = z.output<typeof invitePersonBody>;
export const changeRoleBody = z.strictObject({ role: clientRole });
export type ChangeRoleBody = z.output<typeof changeRoleBody>;

export const adminListPeopleQuery = listQuery('usr', {
  client: idSchema('cli').optional().meta({ description: 'The people of this client; without it the staff.' }),
  role: anyRole.optional(),
});
export type AdminListPeopleQuery = z.output<typeof adminListPeopleQuery>;
export const adminInvitePersonBody = z
  .strictObject({
    email: newEmailText,
    role: anyRole,
    client: idSchema('cli').optional().meta({ description: 'Invite into this client, for example its first owner; without it into the staff.' }),
  })
  .refine(({ role, client }) => isStaff(role) === (client === undefined), {
    path: ['role'], error: 'does not fit: people of a client are owner, developer or viewer, staff are admin, approver, analyst or auditor',
  });
export type AdminInvitePersonBody = z.output<typeof adminInvitePersonBody>;
export const adminChangeRoleBody = z.strictObject({ role: anyRole });
export type AdminChangeRoleBody = z.output<typeof adminChangeRoleBody>;

export const signingKeyBody = z.strictObject({
  public_key: z.string().refine(isEd25519Key, 'must be the 32 bytes of an Ed25519 public key in base64')
    .meta({ description: '32 bytes in base64 (RFC 8032, 5.1.5).', examples: ['11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='] }),
});
export type SigningKeyBody = z.output<typeof signingKeyBody>;
export const signingKeyObject = z.object({ object: z.literal('signing_key'), public_key: z.string(), updated_at: z.iso.datetime() });
export type SigningKeyObject = z.output<typeof signingKeyObject>;

/** Node's decoder forgives what is no base64; only the one spelling of 32 bytes is accepted. */
function isEd25519Key(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === text;
}
