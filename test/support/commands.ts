import { runCommand } from '../../src/cli/run-commands';

/** How a command ended, with all that it wrote. */
export interface CommandEnd {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a command of the command line with these settings and no others, in this process: the program itself only passes its words on.
 * A start of the program costs two seconds; that it can be started is seen where it is.
 */
export async function runHere(environment: Readonly<Record<string, string>>, words: readonly string[]): Promise<CommandEnd> {
  const [outer, exitCode] = [process.env, process.exitCode];
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) => (
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    })));
  process.env = { PATH: outer.PATH, ...environment };
  process.exitCode = undefined;
  try {
    await runCommand(words);
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.env = outer;
    process.exitCode = exitCode;
  }
}
