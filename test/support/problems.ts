import type { RawAnswer } from './raw-request';

/** Expects a refusal with everything that the contract promises of one, and nothing of the program's inside. */
export function expectProblem(answer: Pick<RawAnswer, 'status' | 'headers' | 'body'>, status: number, code: string): void {
  expect([answer.status, answer.body?.code]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
  expect(answer.body).toMatchObject({
    status, type: `urn:cpgateway:problem:${code}`, title: expect.any(String) as string, detail: expect.any(String) as string,
    request_id: answer.headers.get('x-request-id'),
  });
  expect(JSON.stringify(answer.body)).not.toMatch(/\.[jt]s:\d|node_modules|at [A-Z]\w+\./);
}
