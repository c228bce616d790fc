/** The demo met something that is not as promised, or cannot go on. The message says what, and what to do about it. */
export class DemoFailure extends Error {}

/** Goes on only when a promise is kept. */
export function expectThat(kept: boolean, otherwise: string): asserts kept {
  if (!kept) throw new DemoFailure(otherwise);
}

/** Goes on only when an answer has the status that is promised. */
export function mustBe({ status, body }: { status: number; body: object }, expected: number): void {
  expectThat(status === expected, `The answer must be ${expected}, not ${status}: ${JSON.stringify(body)}`);
}

let step = 0;

/** Begins a step. */
export function tell(title: string): void {
  step += 1;
  process.stdout.write(`\n${String(step).padStart(2)}. ${title}\n`);
}

/** Adds a line to the step: what was sent, or what came back. */
export function note(line: string): void {
  process.stdout.write(`    ${line}\n`);
}

/** A few fields of an answer, in the order asked for. */
export function pick(body: Record<string, unknown>, ...fields: string[]): string {
  return fields.map((field) => `${field} ${typeof body[field] === 'string' ? body[field] : JSON.stringify(body[field])}`).join(', ');
}
