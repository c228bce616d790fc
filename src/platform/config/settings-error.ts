/** One thing that is wrong with one setting. Neither field ever holds the setting's value. */
export interface SettingsProblem {
  name: string;
  message: string;
}

/** The settings do not allow a start. The message is meant for the operator's screen and lists every problem at once. */
export class SettingsError extends Error {
  /** EX_CONFIG of sysexits.h: "something was found in an unconfigured or misconfigured state". */
  readonly exitCode = 78;

  constructor(readonly problems: SettingsProblem[]) {
    super(describe(problems));
    this.name = 'SettingsError';
  }
}

function describe(problems: SettingsProblem[]): string {
  const count = problems.length === 1 ? 'There is a problem' : `There are ${problems.length} problems`;
  return [
    `CPGateway has not started. ${count} with its settings:`,
    '',
    ...problems.map(({ name, message }) => `  ${name}: ${message}.`),
    '',
    'Settings are environment variables; .env.example explains each of them. Correct the above and start again.',
  ].join('\n');
}
