/** EX_USAGE of sysexits.h: the command was called wrongly. */
export const EXIT_USAGE = 64;

/** A command cannot do what it was asked, for a reason that its caller can mend. The message is for people. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}
