import { HttpException, Logger } from '@nestjs/common';
import { NotFoundProblem, Problem, PROBLEMS, ValidationProblem } from './problem';
import { toProblem } from './problem.filter';

describe('Problem', () => {
  it('is written with all members of RFC 9457 and two of our own', () => {
    expect(new Problem('state_conflict', 'It is over.').toBody('req-12345678')).toEqual({
      type: 'urn:cpgateway:problem:state_conflict', title: PROBLEMS.state_conflict.title, status: 409, detail: 'It is over.',
      code: 'state_conflict', request_id: 'req-12345678',
    });
  });

  it('names wrong fields', () => {
    const problem = new ValidationProblem([{ field: 'amount', code: 'custom', message: 'must be greater than zero' }]);
    expect(problem.toBody('x')).toMatchObject({ status: 422, errors: [{ field: 'amount', code: 'custom' }] });
  });

  it('has one status and one title for each code', () => {
    for (const { status, title } of Object.values(PROBLEMS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).toMatch(/^[A-Z].*[^.]$/);
    }
  });
});

describe('toProblem', () => {
  const logger = new Logger();
  let logged: jest.SpyInstance;

  beforeEach(() => {
    logged = jest.spyOn(logger, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => jest.restoreAllMocks());

  it('leaves a problem alone', () => {
    const problem = new NotFoundProblem('payment');
    expect(toProblem(problem, logger)).toBe(problem);
  });

  it.each([
    [new HttpException('x', 404), 'not_found'], [new HttpException('x', 401), 'unauthenticated'], [new HttpException('x', 418), 'malformed_request'],
    [Object.assign(new Error('x'), { statusCode: 413 }), 'payload_too_large'], [Object.assign(new Error('x'), { statusCode: 415 }), 'unsupported_media_type'],
    [Object.assign(new Error('x'), { statusCode: 400 }), 'malformed_request'],
  ])('tells a framework\'s refusal in our words: %s', (error, code) => {
    expect(toProblem(error, logger).code).toBe(code);
    expect(logged).not.toHaveBeenCalled();
  });

  it.each([
    [new Error('password=hunter2')], ['text'], [null], [undefined], [new HttpException('x', 503)], [{ statusCode: 500 }],
  ])('says nothing of the cause of anything else', (error) => {
    const { code, detail } = toProblem(error, logger);
    expect(code).toBe('internal_error');
    expect(detail).not.toContain('hunter2');
    expect(logged).toHaveBeenCalledTimes(1);
  });
});
