import { type Command, InvalidArgumentError, Option } from 'commander';
import { STAFF_ROLES, type StaffRole } from '../platform/http/roles';
import { addCommand, optionSchemas, print, withGateway } from './command-line';

interface StaffOptions {
  email: string;
  role: StaffRole;
  json?: boolean;
}

/** Commands about the operator's staff. */
export function addStaffCommands(program: Command): void {
  addCommand(program, 'staff:create', 'make a member of the staff with a second factor and a signing key, and show the secrets once')
    .requiredOption('--email <address>', 'the e-mail address to log in with', emailAddress)
    .addOption(new Option('--role <role>', 'what they may do').choices(STAFF_ROLES).makeOptionMandatory())
    .action(async ({ email, role, json }: StaffOptions) => {
      const made = await withGateway((app, { PeopleRegistry }) => app.get(PeopleRegistry).createStaff({ email, role }));
      const shown = {
        person_id: made.personId, email: made.email, password: made.password, totp_secret: made.totpSecret,
        signing_private_key: made.signingPrivateKey,
      };
      print({ json }, { json: shown, text: `${email} can log in as ${role}. These secrets are shown only now:\n${listed(shown)}` });
    });
  addCommand(program, 'staff:reset-2fa', 'give somebody a new second factor, shown once; ends their sessions')
    .requiredOption('--email <address>', 'whose it is', emailAddress)
    .action(async ({ email, json }: StaffOptions) => {
      const { personId, totpSecret } = await withGateway((app, { PeopleRegistry }) => app.get(PeopleRegistry).resetTwoFactor(email));
      const shown = { person_id: personId, email, totp_secret: totpSecret };
      print({ json }, { json: shown, text: `${email} has a new second factor. It is shown only now:\n${listed(shown)}` });
    });
}

function emailAddress(text: string): string {
  const email = optionSchemas().newEmailText.safeParse(text);
  if (!email.success) throw new InvalidArgumentError('Expected an e-mail address.');
  return email.data;
}

function listed(secrets: Record<string, string>): string {
  return Object.entries(secrets).map(([field, value]) => `  ${field.padEnd(21)}${value}`).join('\n');
}
